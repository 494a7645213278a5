// Convolution: the first convolution of a network, from codes. The one-hot product is a sum of table rows.

import DeepMotifKernelTable

/// The taps of one output position whose input position lies inside the sequence, and the first tap's position.
private struct Taps {
    var first: Int
    var end: Int
    var start: Int
}

@inline(__always)
private func validTaps(_ p: Int, _ geometry: ConvolutionGeometry) -> Taps {
    let start = p * geometry.stride - geometry.padding
    let room = geometry.length - start
    if start >= 0 && (geometry.width - 1) * geometry.dilation < room {
        return Taps(first: 0, end: geometry.width, start: start)
    }
    let first = start < 0 ? (geometry.dilation - 1 - start) / geometry.dilation : 0
    let end = room <= 0 ? 0 : (room + geometry.dilation - 1) / geometry.dilation
    return Taps(first: first, end: end < geometry.width ? end : geometry.width, start: start)
}

/// One strip of one output position: bias plus the table rows of its taps.
@inline(__always)
private func convolveStrip(
    _ pairs: Int, _ codes: UnsafePointer<UInt8>, _ table: Floats, _ bias: Floats, _ y: MutableFloats, _ taps: Taps,
    _ geometry: ConvolutionGeometry
) {
    var strip = loadStrip(pairs, bias)
    var k = taps.first
    while k < taps.end {
        let code = Int(codes[taps.start &+ k &* geometry.dilation])
        addToStrip(pairs, &strip, table + (k &* 5 &+ code) &* geometry.filters)
        k &+= 1
    }
    storeStrip(pairs, strip, y)
}

/// The last vector of a row; columns that a strip has done already come out the same again.
@inline(__always)
private func convolveVector(
    _ codes: UnsafePointer<UInt8>, _ table: Floats, _ bias: Floats, _ y: MutableFloats, _ taps: Taps,
    _ geometry: ConvolutionGeometry
) {
    var sum = load(bias)
    var k = taps.first
    while k < taps.end {
        let code = Int(codes[taps.start &+ k &* geometry.dilation])
        sum += load(table + (k &* 5 &+ code) &* geometry.filters)
        k &+= 1
    }
    store(sum, y)
}

@inline(never)
private func convolveFew(
    _ codes: UnsafePointer<UInt8>, _ table: Floats, _ bias: Floats, _ y: MutableFloats, _ taps: Taps,
    _ geometry: ConvolutionGeometry
) {
    for f in 0..<geometry.filters {
        var sum = bias[f]
        var k = taps.first
        while k < taps.end {
            let code = Int(codes[taps.start &+ k &* geometry.dilation])
            sum += table[(k &* 5 &+ code) &* geometry.filters + f]
            k &+= 1
        }
        y[f] = sum
    }
}

func convolveCodes(
    _ codes: UnsafePointer<UInt8>, _ table: Floats, _ bias: Floats, _ y: MutableFloats,
    _ geometry: ConvolutionGeometry
) {
    let filters = geometry.filters
    for p in 0..<geometry.outputLength {
        let taps = validTaps(p, geometry)
        let row = y + p * filters
        if filters < laneCount {
            convolveFew(codes, table, bias, row, taps, geometry)
            continue
        }
        var f = 0
        while f + 4 * panelColumns <= filters {
            convolveStrip(4, codes, table + f, bias + f, row + f, taps, geometry)
            f += 4 * panelColumns
        }
        while f + panelColumns <= filters {
            convolveStrip(1, codes, table + f, bias + f, row + f, taps, geometry)
            f += panelColumns
        }
        while f < filters {
            let first = f + laneCount <= filters ? f : filters - laneCount
            convolveVector(codes, table + first, bias + first, row + first, taps, geometry)
            f += laneCount
        }
    }
}

/// target += source for `count` elements.
@inline(__always)
private func addRow(_ source: Floats, _ target: MutableFloats, _ count: Int) {
    var i = 0
    while i + laneCount <= count {
        store(load(target + i) + load(source + i), target + i)
        i += laneCount
    }
    while i < count {
        target[i] += source[i]
        i += 1
    }
}

func convolveListedGradient(
    _ codes: UnsafePointer<UInt8>, _ indices: UnsafePointer<Int32>, _ values: Floats, _ counts: UnsafePointer<Int32>,
    _ listStride: Int, _ tableGradient: MutableFloats, _ biasGradient: MutableFloats?, _ geometry: ConvolutionGeometry
) {
    let filters = geometry.filters
    for f in 0..<filters {
        let list = f * listStride
        for e in 0..<Int(counts[f]) {
            let value = values[list + e]
            let taps = validTaps(Int(indices[list + e]), geometry)
            if let biasGradient { biasGradient[f] += value }
            var k = taps.first
            while k < taps.end {
                let code = Int(codes[taps.start &+ k &* geometry.dilation])
                tableGradient[(k &* 5 &+ code) &* filters &+ f] += value
                k &+= 1
            }
        }
    }
}

func addRowsByCode(
    _ codes: UnsafePointer<UInt8>, _ rows: Floats, _ positions: Int, _ width: Int, _ table: MutableFloats
) {
    for p in 0..<positions { addRow(rows + p * width, table + Int(codes[p]) * width, width) }
}
