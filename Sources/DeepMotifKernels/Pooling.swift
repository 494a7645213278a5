// Pooling: maxima and means of windows of one sequence (length x channels).

import DeepMotifKernelTable

/// A maximum so far and its offset for one vector of channels.
private typealias Maximum = (best: Lanes, offset: Lanes)

/// The higher of two maxima; of equal ones the first. A NaN wins and stays, as in PyTorch.
@inline(__always)
private func higher(_ first: Maximum, _ second: Maximum) -> Maximum {
    (
        ofHigher(first.best, second.best, first.best, second.best),
        ofHigher(first.best, second.best, first.offset, second.offset)
    )
}

/// The window's maximum and its offset for one vector of channels.
@inline(__always)
private func maximum(_ x: Floats, _ channels: Int, _ width: Int) -> Maximum {
    var first: Maximum = (load(x), Lanes())
    var k = 1
    if width >= 16 {
        // Each comparison waits for the one before it: four chains, of a quarter of the window each, run side by side.
        let quarter = width / 4
        let step = quarter * channels
        var second: Maximum = (load(x + step), Lanes(repeating: Float(quarter)))
        var third: Maximum = (load(x + 2 * step), Lanes(repeating: Float(2 * quarter)))
        var fourth: Maximum = (load(x + 3 * step), Lanes(repeating: Float(3 * quarter)))
        while k < quarter {
            let row = x + k * channels
            first = higher(first, (load(row), Lanes(repeating: Float(k))))
            second = higher(second, (load(row + step), Lanes(repeating: Float(quarter + k))))
            third = higher(third, (load(row + 2 * step), Lanes(repeating: Float(2 * quarter + k))))
            fourth = higher(fourth, (load(row + 3 * step), Lanes(repeating: Float(3 * quarter + k))))
            k += 1
        }
        first = higher(higher(first, second), higher(third, fourth))
        k = 4 * quarter
    }
    while k < width {
        first = higher(first, (load(x + k * channels), Lanes(repeating: Float(k))))
        k += 1
    }
    return first
}

/// The same for one channel.
@inline(__always)
private func maximum1(_ x: Floats, _ channels: Int, _ width: Int) -> (best: Float, offset: Int32) {
    var best = x[0]
    var offset: Int32 = 0
    var k = 1
    while k < width {
        let value = x[k * channels]
        if !(value <= best || best != best) {
            best = value
            offset = Int32(truncatingIfNeeded: k)
        }
        k += 1
    }
    return (best, offset)
}

func maxPool(
    _ x: Floats, _ channels: Int, _ width: Int, _ stride: Int, _ outputLength: Int, _ y: MutableFloats,
    _ offsets: UnsafeMutablePointer<Int32>?
) {
    for p in 0..<outputLength {
        let window = x + p * stride * channels
        var c = 0
        // Offsets are counted in floats, exact up to 2^22 (`storeIntegers`).
        while c + laneCount <= channels && width <= 1 << 22 {
            let (best, offset) = maximum(window + c, channels, width)
            store(best, y + p * channels + c)
            if let offsets { storeIntegers(offset, offsets + p * channels + c) }
            c += laneCount
        }
        while c < channels {
            let (best, offset) = maximum1(window + c, channels, width)
            y[p * channels + c] = best
            offsets?[p * channels + c] = offset
            c += 1
        }
    }
}

func maxPoolGradient(
    _ dy: Floats, _ offsets: UnsafePointer<Int32>, _ channels: Int, _ stride: Int, _ outputLength: Int,
    _ dx: MutableFloats
) {
    let limit = largestOffset(offsets, outputLength * channels) + 1
    if limit <= stride && limit <= mostSteps {
        maxPoolGradientOfSteps(dy, offsets, channels, stride, outputLength, limit, dx)
        return
    }
    for p in 0..<outputLength {
        for c in 0..<channels {
            let position = p * stride + Int(offsets[p * channels + c])
            dx[position * channels + c] += dy[p * channels + c]
        }
    }
}

/// Widest windows that are written as a whole.
private let mostSteps = 8

private func largestOffset(_ offsets: UnsafePointer<Int32>, _ count: Int) -> Int {
    var largest: Int32 = 0
    for i in 0..<count { largest = largest > offsets[i] ? largest : offsets[i] }
    return Int(largest)
}

/// Windows that do not overlap, offsets below `limit`: all elements are written without a look at which one won.
private func maxPoolGradientOfSteps(
    _ dy: Floats, _ offsets: UnsafePointer<Int32>, _ channels: Int, _ stride: Int, _ outputLength: Int, _ limit: Int,
    _ dx: MutableFloats
) {
    for p in 0..<outputLength {
        let (source, offset) = (dy + p * channels, offsets + p * channels)
        let target = dx + p * stride * channels
        var c = 0
        while c + laneCount <= channels {
            let (winner, gradient) = (loadIntegers(offset + c), load(source + c))
            for k in 0..<limit {
                let isWinner = winner .== IntLanes(repeating: UInt32(truncatingIfNeeded: k))
                let place = target + (k &* channels &+ c)
                store(load(place) + select(isWinner, gradient, Lanes()), place)
            }
            c += laneCount
        }
        while c < channels {
            target[Int(offset[c]) * channels + c] += source[c]
            c += 1
        }
    }
}

func averagePool(
    _ x: Floats, _ channels: Int, _ width: Int, _ stride: Int, _ outputLength: Int, _ y: MutableFloats
) {
    let scale = 1 / Float(width)
    for p in 0..<outputLength {
        let (window, row) = (x + p * stride * channels, y + p * channels)
        var c = 0
        while c + laneCount <= channels {
            var sum = load(window + c)
            for k in 1..<(width > 1 ? width : 1) { sum += load(window + k * channels + c) }
            store(sum * Lanes(repeating: scale), row + c)
            c += laneCount
        }
        while c < channels {
            var sum = window[c]
            for k in 1..<(width > 1 ? width : 1) { sum += window[k * channels + c] }
            row[c] = sum * scale
            c += 1
        }
    }
}

func averagePoolGradient(
    _ dy: Floats, _ channels: Int, _ width: Int, _ stride: Int, _ outputLength: Int, _ dx: MutableFloats
) {
    let scale = 1 / Float(width)
    for p in 0..<outputLength {
        let row = dy + p * channels
        for k in 0..<width {
            let target = dx + (p * stride + k) * channels
            var c = 0
            while c + laneCount <= channels {
                store(load(target + c) + load(row + c) * Lanes(repeating: scale), target + c)
                c += laneCount
            }
            while c < channels {
                target[c] += row[c] * scale
                c += 1
            }
        }
    }
}
