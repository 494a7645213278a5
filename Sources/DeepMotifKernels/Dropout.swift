// Dropout: a mask that is a function of (key, element) alone, equal at every instruction level.

import DeepMotifKernelTable

/// 32 random bits for word `index` of a stream: the two-round multiplicative hash "lowbias32" (Wellons 2018), with the
/// second half of the key between the rounds.
@inline(__always)
private func hashWord(_ index: UInt32, _ low: UInt32, _ high: UInt32) -> UInt32 {
    var x = index &* 0x9E37_79B9 &+ low
    x = (x ^ (x &>> 16)) &* 0x7FEB_352D
    x = (x ^ (x &>> 15) ^ high) &* 0x846C_A68B
    return x ^ (x &>> 16)
}

/// The same for a vector of neighbouring words.
@inline(__always)
private func hashWords(_ first: UInt32, _ low: UInt32, _ high: UInt32) -> IntLanes {
    let index = IntLanes(repeating: first) &+ laneNumbers()
    var x = index &* IntLanes(repeating: 0x9E37_79B9) &+ IntLanes(repeating: low)
    x = (x ^ (x &>> IntLanes(repeating: 16))) &* IntLanes(repeating: 0x7FEB_352D)
    x = (x ^ (x &>> IntLanes(repeating: 15)) ^ IntLanes(repeating: high)) &* IntLanes(repeating: 0x846C_A68B)
    return x ^ (x &>> IntLanes(repeating: 16))
}

/// x * scale, or 0 where the 16 bits are below `dropped`: their difference is then negative.
@inline(__always)
private func keep(_ x: Lanes, _ bits: IntLanes, _ dropped: IntLanes, _ scale: Lanes) -> Lanes {
    let isDropped = (bits &- dropped) &>> IntLanes(repeating: 31)
    let mask = isDropped &- IntLanes(repeating: 1)
    return unsafeBitCast(unsafeBitCast(x * scale, to: IntLanes.self) & mask, to: Lanes.self)
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
    var i = 0
    while i + 32 <= count {
        var part = 0
        while part < 16 {
            let words = hashWords(UInt32(truncatingIfNeeded: i / 2 + part), low, high)
            let (first, second) = (i + part, i + part + 16)
            let (limit, factor) = (IntLanes(repeating: dropped), Lanes(repeating: scale))
            store(keep(load(x + first), words & IntLanes(repeating: 0xFFFF), limit, factor), y + first)
            store(keep(load(x + second), words &>> IntLanes(repeating: 16), limit, factor), y + second)
            part += laneCount
        }
        i += 32
    }
    while i < count {
        let word = hashWord(UInt32(truncatingIfNeeded: (i &>> 5) &* 16 &+ (i & 15)), low, high)
        let bits = i & 16 == 0 ? word & 0xFFFF : word &>> 16
        y[i] = bits < dropped ? 0 : x[i] * scale
        i += 1
    }
}
