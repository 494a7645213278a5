// Dropout: a mask that is a function of (key, element) alone, equal at every instruction level.

import DeepMotifKernelTable

/// 32 random bits for word `index` of stream `key`: the two-round multiplicative hash "lowbias32" (Wellons 2018), with
/// the second half of the key between the rounds.
@inline(__always)
private func hashWord(_ index: UInt32, _ low: UInt32, _ high: UInt32) -> UInt32 {
    var x = index &* 0x9E37_79B9 &+ low
    x = (x ^ (x &>> 16)) &* 0x7FEB_352D
    x = (x ^ (x &>> 15) ^ high) &* 0x846C_A68B
    return x ^ (x &>> 16)
}

/// A word serves two elements, 16 apart, so that whole vectors use its halves.
func dropout(_ x: Floats, _ y: MutableFloats, _ count: Int, _ key: UInt64, _ dropped: UInt32) {
    // Both words depend on every bit of the key (the finalizer of SplitMix64).
    var mixed = (key ^ (key &>> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed &>> 27)) &* 0x94D0_49BB_1331_11EB
    mixed ^= mixed &>> 31
    let low = UInt32(truncatingIfNeeded: mixed)
    let high = UInt32(truncatingIfNeeded: mixed &>> 32)
    let scale = 65536 / Float(65536 - Int(dropped))
    for i in 0..<count {
        let word = hashWord(UInt32(truncatingIfNeeded: (i &>> 5) &* 16 &+ (i & 15)), low, high)
        let bits = i & 16 == 0 ? word & 0xFFFF : word &>> 16
        y[i] = bits < dropped ? 0 : x[i] * scale
    }
}
