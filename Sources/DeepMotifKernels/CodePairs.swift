// CodePairs: the first convolution of a network, from pairs of codes. A row for every pair of letters of two neighbouring
// taps halves the rows to sum up; positions outside of the sequence read as unknown letters, whose weights are zero.

import DeepMotifKernelTable

/// Rows of one group of two taps.
private let pairRows = 25

/// Where the groups of all positions stand: a group's pair is `offsets[position * stride + group * step]`.
private struct PairGroups {
    var offsets: UnsafePointer<Int32>
    var count: Int
    var step: Int
    /// Floats of one group's rows.
    var tableStride: Int
}

@inline(__always)
private func code(_ codes: UnsafePointer<UInt8>, _ i: Int, _ length: Int) -> Int32 {
    i >= 0 && i < length ? Int32(codes[i]) : 4
}

/// For every position, padding included, the start of the row of the pair that begins there.
@inline(__always)
private func pairGroups(
    _ codes: UnsafePointer<UInt8>, _ memory: UnsafeMutablePointer<Int32>, _ geometry: ConvolutionGeometry
) -> PairGroups {
    let (filters, length, dilation) = (Int32(truncatingIfNeeded: geometry.filters), geometry.length, geometry.dilation)
    let groups = (geometry.width + 1) / 2
    let count = (geometry.outputLength - 1) * geometry.stride + (groups - 1) * 2 * dilation + 1
    let left = geometry.padding < count ? geometry.padding : count
    let inner = geometry.padding + length - dilation
    let right = inner < left ? left : inner < count ? inner : count
    func writeEdge(_ first: Int, _ end: Int) {
        var i = first
        while i < end {
            let start = i &- geometry.padding
            memory[i] = (code(codes, start, length) &* 5 &+ code(codes, start &+ dilation, length)) &* filters
            i &+= 1
        }
    }
    writeEdge(0, left)
    // No branches here, so that the compiler makes vectors of it.
    let source = codes - geometry.padding
    for i in left..<right { memory[i] = (Int32(source[i]) &* 5 &+ Int32(source[i &+ dilation])) &* filters }
    writeEdge(right, count)
    return PairGroups(
        offsets: UnsafePointer(memory), count: groups, step: 2 * dilation, tableStride: pairRows * geometry.filters)
}

@inline(__always)
private func sumPairs(
    _ pairs: Int, _ groups: PairGroups, _ first: Int, _ table: Floats, _ bias: Floats, _ y: MutableFloats
) {
    var strip = loadStrip(pairs, bias)
    var (offset, rows, left) = (groups.offsets + first, table, groups.count)
    while left > 0 {
        addToStrip(pairs, &strip, rows + Int(offset.pointee))
        offset += groups.step
        rows += groups.tableStride
        left &-= 1
    }
    storeStrip(pairs, strip, y)
}

@inline(__always)
private func sumVector(_ groups: PairGroups, _ first: Int, _ table: Floats, _ bias: Floats, _ y: MutableFloats) {
    var sum = load(bias)
    var (offset, rows, left) = (groups.offsets + first, table, groups.count)
    while left > 0 {
        sum += load(rows + Int(offset.pointee))
        offset += groups.step
        rows += groups.tableStride
        left &-= 1
    }
    store(sum, y)
}

func convolveCodePairs(
    _ codes: UnsafePointer<UInt8>, _ table: Floats, _ bias: Floats, _ y: MutableFloats,
    _ scratch: UnsafeMutablePointer<Int32>, _ geometry: ConvolutionGeometry
) {
    guard geometry.outputLength > 0 else { return }
    let filters = geometry.filters
    let groups = pairGroups(codes, scratch, geometry)
    for p in 0..<geometry.outputLength {
        let (row, first) = (y + p * filters, p * geometry.stride)
        var f = 0
        while f + 2 * panelColumns <= filters {
            sumPairs(2, groups, first, table + f, bias + f, row + f)
            f += 2 * panelColumns
        }
        while f + panelColumns <= filters {
            sumPairs(1, groups, first, table + f, bias + f, row + f)
            f += panelColumns
        }
        // The last vector reads columns again that are done; they come out the same.
        while f < filters {
            let start = f + laneCount <= filters ? f : filters - laneCount
            sumVector(groups, first, table + start, bias + start, row + start)
            f += laneCount
        }
    }
}

/// Adds a strip of one row of the gradient to the rows of all groups.
@inline(__always)
private func scatterPairs(
    _ pairs: Int, _ groups: PairGroups, _ first: Int, _ dy: Floats, _ table: MutableFloats
) {
    let strip = loadStrip(pairs, dy)
    var (offset, rows, left) = (groups.offsets + first, table, groups.count)
    while left > 0 {
        let entry = rows + Int(offset.pointee)
        var sum = strip
        addToStrip(pairs, &sum, entry)
        storeStrip(pairs, sum, entry)
        offset += groups.step
        rows += groups.tableStride
        left &-= 1
    }
}

/// The same for the last `count` columns, at most a vector's.
@inline(__always)
private func scatterColumns(
    _ groups: PairGroups, _ first: Int, _ dy: Floats, _ table: MutableFloats, _ count: Int
) {
    var (offset, rows, left) = (groups.offsets + first, table, groups.count)
    while left > 0 {
        let entry = rows + Int(offset.pointee)
        if count == laneCount {
            store(load(entry) + load(dy), entry)
        } else {
            for i in 0..<count { entry[i] += dy[i] }
        }
        offset += groups.step
        rows += groups.tableStride
        left &-= 1
    }
}

func convolveCodePairsGradient(
    _ codes: UnsafePointer<UInt8>, _ outputGradient: Floats, _ tableGradient: MutableFloats,
    _ scratch: UnsafeMutablePointer<Int32>, _ geometry: ConvolutionGeometry
) {
    guard geometry.outputLength > 0 else { return }
    let filters = geometry.filters
    let groups = pairGroups(codes, scratch, geometry)
    for p in 0..<geometry.outputLength {
        let (row, first) = (outputGradient + p * filters, p * geometry.stride)
        var f = 0
        while f + 2 * panelColumns <= filters {
            scatterPairs(2, groups, first, row + f, tableGradient + f)
            f += 2 * panelColumns
        }
        while f + panelColumns <= filters {
            scatterPairs(1, groups, first, row + f, tableGradient + f)
            f += panelColumns
        }
        while f < filters {
            let count = filters - f < laneCount ? filters - f : laneCount
            scatterColumns(groups, first, row + f, tableGradient + f, count)
            f += laneCount
        }
    }
}
