// Ascent: one step of gradient ascent on a feature map and the size of what it leads to.

import DeepMotifKernelTable

/// Sum over the lanes, in Double.
@inline(__always)
private func total(_ lanes: Lanes) -> Double {
    var sum = 0.0
    var i = 0
    while i < laneCount {
        sum += Double(lanes[i])
        i += 1
    }
    return sum
}

/// Squares are summed in Float over runs of 64 vectors only: the sum is compared from step to step.
func ascend(_ map: MutableFloats, _ gradient: Floats, _ shrink: Float, _ rate: Float, _ count: Int) -> Double {
    let (shrinks, rates) = (Lanes(repeating: shrink), Lanes(repeating: rate))
    var squares = 0.0
    var i = 0
    while i + laneCount <= count {
        var (even, odd) = (Lanes(), Lanes())
        var left = min(64, (count - i) / laneCount)
        while left >= 2 {
            let first = accumulate(shrinks * load(map + i), rates, load(gradient + i))
            let second = accumulate(shrinks * load(map + i + laneCount), rates, load(gradient + i + laneCount))
            store(first, map + i)
            store(second, map + i + laneCount)
            even = accumulate(even, first, first)
            odd = accumulate(odd, second, second)
            i += 2 * laneCount
            left -= 2
        }
        if left == 1 {
            let last = accumulate(shrinks * load(map + i), rates, load(gradient + i))
            store(last, map + i)
            even = accumulate(even, last, last)
            i += laneCount
        }
        squares += total(even + odd)
    }
    while i < count {
        map[i] = accumulate1(shrink * map[i], rate, gradient[i])
        squares += Double(map[i]) * Double(map[i])
        i += 1
    }
    return squares
}
