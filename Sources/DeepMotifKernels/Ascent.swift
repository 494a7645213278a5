// Ascent: one step of gradient ascent on a feature map and the size of what it leads to, for any gradient and for one
// that has one element in each channel.

import DeepMotifKernelTable

/// Sum over the lanes, in Double: four chains of additions, since one would be waited for.
@inline(__always)
private func total(_ lanes: Lanes) -> Double {
    var (first, second) = (Double(lanes[0]), Double(lanes[1]))
    var (third, fourth) = (Double(lanes[2]), Double(lanes[3]))
    var i = 4
    while i < laneCount {
        first += Double(lanes[i])
        second += Double(lanes[i + 1])
        third += Double(lanes[i + 2])
        fourth += Double(lanes[i + 3])
        i += 4
    }
    return (first + second) + (third + fourth)
}

/// Squares are summed in Float over runs of 64 vectors only: the sum is compared from step to step.
func ascend(
    _ map: Floats, _ gradient: Floats, _ shrink: Float, _ rate: Float, _ count: Int, _ target: MutableFloats
) -> Double {
    let (shrinks, rates) = (Lanes(repeating: shrink), Lanes(repeating: rate))
    var squares = 0.0
    var i = 0
    while i + laneCount <= count {
        var (even, odd) = (Lanes(), Lanes())
        var left = min(64, (count - i) / laneCount)
        while left >= 2 {
            let first = accumulate(shrinks * load(map + i), rates, load(gradient + i))
            let second = accumulate(shrinks * load(map + i + laneCount), rates, load(gradient + i + laneCount))
            store(first, target + i)
            store(second, target + i + laneCount)
            even = accumulate(even, first, first)
            odd = accumulate(odd, second, second)
            i += 2 * laneCount
            left -= 2
        }
        if left == 1 {
            let last = accumulate(shrinks * load(map + i), rates, load(gradient + i))
            store(last, target + i)
            even = accumulate(even, last, last)
            i += laneCount
        }
        squares += total(even + odd)
    }
    while i < count {
        target[i] = accumulate1(shrink * map[i], rate, gradient[i])
        squares += Double(target[i]) * Double(target[i])
        i += 1
    }
    return squares
}

/// The same for a gradient (channels) that acts at one position in each channel. Squares are summed in Float over runs of
/// 128 positions.
func ascendMaxima(
    _ map: Floats, _ gradient: Floats, _ positions: UnsafePointer<Int32>, _ shrink: Float, _ rate: Float,
    _ length: Int, _ channels: Int, _ target: MutableFloats
) -> Double {
    let (shrinks, rates) = (Lanes(repeating: shrink), Lanes(repeating: rate))
    var squares = 0.0
    var c = 0
    while c + laneCount <= channels {
        let (slope, winner) = (load(gradient + c), loadIntegers(positions + c))
        var (p, place) = (0, c)
        while p < length {
            let end = length < p + 128 ? length : p + 128
            var (even, odd) = (Lanes(), Lanes())
            while p + 2 <= end {
                let isFirst = winner .== IntLanes(repeating: UInt32(truncatingIfNeeded: p))
                let isSecond = winner .== IntLanes(repeating: UInt32(truncatingIfNeeded: p + 1))
                let first = accumulate(shrinks * load(map + place), rates, select(isFirst, slope, Lanes()))
                let next = place + channels
                let second = accumulate(shrinks * load(map + next), rates, select(isSecond, slope, Lanes()))
                store(first, target + place)
                store(second, target + next)
                even = accumulate(even, first, first)
                odd = accumulate(odd, second, second)
                p += 2
                place += 2 * channels
            }
            if p < end {
                let isLast = winner .== IntLanes(repeating: UInt32(truncatingIfNeeded: p))
                let last = accumulate(shrinks * load(map + place), rates, select(isLast, slope, Lanes()))
                store(last, target + place)
                even = accumulate(even, last, last)
                p += 1
                place += channels
            }
            squares += total(even + odd)
        }
        c += laneCount
    }
    while c < channels {
        for p in 0..<length {
            let slope = p == Int(positions[c]) ? gradient[c] : 0
            let value = accumulate1(shrink * map[p * channels + c], rate, slope)
            target[p * channels + c] = value
            squares += Double(value) * Double(value)
        }
        c += 1
    }
    return squares
}
