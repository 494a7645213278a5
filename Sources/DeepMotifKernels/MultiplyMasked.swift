// MultiplyMasked: C = A B^T by dot products, only where an element is wanted.

import CDeepMotifVectors
import DeepMotifKernelTable

/// Columns of C that are done for all rows before the next ones: their rows of B stay in the first-level cache.
private let columnsAtOnce = 32

/// The four sums of four vectors.
@inline(__always)
private func sums(_ a: Lanes, _ b: Lanes, _ c: Lanes, _ d: Lanes) -> SIMD4<Float> {
    #if DM_AVX512
        return dmv_sums16(a, b, c, d)
    #elseif DM_AVX2
        return dmv_sums8(a, b, c, d)
    #else
        return dmv_sums4(a, b, c, d)
    #endif
}

/// Dot products of one row of A with four rows of B.
@inline(__always)
private func dotFour(
    _ a: Floats, _ b: Floats, _ k: Int, _ first: Int, _ second: Int, _ third: Int, _ fourth: Int
) -> SIMD4<Float> {
    let (p, q, r, s) = (b + first &* k, b + second &* k, b + third &* k, b + fourth &* k)
    var (u, v, w, x) = (Lanes(), Lanes(), Lanes(), Lanes())
    var i = 0
    while i &+ laneCount <= k {
        let value = load(a + i)
        u = accumulate(u, value, load(p + i))
        v = accumulate(v, value, load(q + i))
        w = accumulate(w, value, load(r + i))
        x = accumulate(x, value, load(s + i))
        i &+= laneCount
    }
    var result = sums(u, v, w, x)
    while i < k {
        result[0] = accumulate1(result[0], a[i], p[i])
        result[1] = accumulate1(result[1], a[i], q[i])
        result[2] = accumulate1(result[2], a[i], r[i])
        result[3] = accumulate1(result[3], a[i], s[i])
        i &+= 1
    }
    return result
}

/// Bit j is set where element j of up to 32 is wanted.
@inline(__always)
private func wantedBits(_ mask: Floats?, _ count: Int) -> UInt32 {
    guard let mask else { return UInt32.max &>> UInt32(truncatingIfNeeded: 32 &- count) }
    var bits: UInt32 = 0
    var j = 0
    while j &+ maskLanes <= count {
        bits |= nonzeroBits(mask + j) &<< UInt32(truncatingIfNeeded: j)
        j &+= maskLanes
    }
    while j < count {
        if mask[j] != 0 { bits |= 1 &<< UInt32(truncatingIfNeeded: j) }
        j &+= 1
    }
    return bits
}

/// Takes the lowest bit away and returns its place; keeps `place` where there is none.
@inline(__always)
private func takeBit(_ bits: inout UInt32, _ place: Int) -> Int {
    if bits == 0 { return place }
    let next = bits.trailingZeroBitCount
    bits &= bits &- 1
    return next
}

func multiplyMasked(
    _ a: Floats, _ lda: Int, _ b: Floats, _ mask: Floats?, _ c: MutableFloats, _ ldc: Int, _ m: Int, _ n: Int,
    _ k: Int, _ accumulates: Bool
) {
    var first = 0
    while first < n {
        let count = n - first < columnsAtOnce ? n - first : columnsAtOnce
        let rows = b + first * k
        for row in 0..<m {
            let target = c + (row &* ldc &+ first)
            var place: Floats?
            if let mask { place = mask + (row &* ldc &+ first) }
            var bits = wantedBits(place, count)
            if !accumulates { for j in 0..<count { target[j] = 0 } }
            while bits != 0 {
                let (j0, left) = (bits.trailingZeroBitCount, bits.nonzeroBitCount)
                bits &= bits &- 1
                let j1 = takeBit(&bits, j0)
                let j2 = takeBit(&bits, j1)
                let j3 = takeBit(&bits, j2)
                let values = dotFour(a + row &* lda, rows, k, j0, j1, j2, j3)
                target[j0] += values[0]
                if left > 1 { target[j1] += values[1] }
                if left > 2 { target[j2] += values[2] }
                if left > 3 { target[j3] += values[3] }
            }
        }
        first += columnsAtOnce
    }
}
