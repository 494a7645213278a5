// CodePairs: the first convolution of a network, from pairs of codes. A row for every pair of letters of two neighbouring
// taps halves the rows to sum up; positions outside of the sequence read as unknown letters, whose weights are zero.

import DeepMotifKernelTable

/// Where the rows of a table that belong to a position stand: those of its group g of one or two taps at
/// `offsets[position * stride + g * step]`, in the g-th part of the table.
typealias CodeGroups = (offsets: UnsafePointer<Int32>, count: Int, step: Int, tableStride: Int)

@inline(__always)
private func code(_ codes: UnsafePointer<UInt8>, _ i: Int, _ length: Int) -> Int32 {
    i >= 0 && i < length ? Int32(codes[i]) : 4
}

/// For every position, padding included, the start of the row of the letter or pair that begins there. `taps` is that of a
/// group, 1 or 2.
@inline(__always)
func codeGroups(
    _ codes: UnsafePointer<UInt8>, _ taps: Int, _ memory: UnsafeMutablePointer<Int32>, _ geometry: ConvolutionGeometry
) -> CodeGroups {
    let (filters, length) = (Int32(truncatingIfNeeded: geometry.filters), geometry.length)
    let groups = (geometry.width + taps - 1) / taps
    let count = (geometry.outputLength - 1) * geometry.stride + (groups - 1) * taps * geometry.dilation + 1
    let (beside, scale): (Int, Int32) = taps == 2 ? (geometry.dilation, 5) : (0, 1)
    let left = geometry.padding < count ? geometry.padding : count
    let inner = geometry.padding + length - beside
    let right = inner < left ? left : inner < count ? inner : count
    func writeEdge(_ first: Int, _ end: Int) {
        var i = first
        while i < end {
            let start = i &- geometry.padding
            let second = taps == 2 ? code(codes, start &+ beside, length) : 0
            memory[i] = (code(codes, start, length) &* scale &+ second) &* filters
            i &+= 1
        }
    }
    writeEdge(0, left)
    // No branches here, so that the compiler makes vectors of it.
    let source = codes - geometry.padding
    if taps == 2 {
        for i in left..<right { memory[i] = (Int32(source[i]) &* 5 &+ Int32(source[i &+ beside])) &* filters }
    } else {
        for i in left..<right { memory[i] = Int32(source[i]) &* filters }
    }
    writeEdge(right, count)
    let rows = taps == 2 ? 25 : 5
    return (
        offsets: UnsafePointer(memory), count: groups, step: taps * geometry.dilation,
        tableStride: rows * geometry.filters
    )
}

@inline(__always)
private func sumPairs(
    _ pairs: Int, _ groups: CodeGroups, _ first: Int, _ table: Floats, _ bias: Floats, _ y: MutableFloats
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
private func sumVector(_ groups: CodeGroups, _ first: Int, _ table: Floats, _ bias: Floats, _ y: MutableFloats) {
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
    let groups = codeGroups(codes, 2, scratch, geometry)
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
