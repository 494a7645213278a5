// Sparse: products with lists of the elements of a gradient that are not zero.

import DeepMotifKernelTable

/// The list of one column: rows `indices` of x, `stride` apart, and what to multiply them by.
private struct SparseColumn {
    var indices: UnsafePointer<Int32>
    var values: Floats
    var count: Int
    var stride: Int
}

// MARK: Weight gradients

@inline(__always)
private func accumulateStrip(_ pairs: Int, _ x: Floats, _ column: SparseColumn, _ w: MutableFloats) {
    var strip = loadStrip(pairs, w)
    var e = 0
    while e < column.count {
        let source = x + Int(column.indices[e]) &* column.stride
        addToStrip(pairs, &strip, source, Lanes(repeating: column.values[e]))
        e &+= 1
    }
    storeStrip(pairs, strip, w)
}

@inline(never)
private func accumulateLongStrip(_ x: Floats, _ column: SparseColumn, _ w: MutableFloats) {
    accumulateStrip(stripPairs, x, column, w)
}

@inline(never)
private func accumulateMiddleStrip(_ x: Floats, _ column: SparseColumn, _ w: MutableFloats) {
    accumulateStrip(stripPairs / 2, x, column, w)
}

@inline(never)
private func accumulatePair(_ x: Floats, _ column: SparseColumn, _ w: MutableFloats) {
    accumulateStrip(1, x, column, w)
}

/// The last `count` <= laneCount columns of a span of at least a vector: the sums of a whole vector, of which the last
/// ones count.
@inline(never)
private func accumulateLast(_ x: Floats, _ column: SparseColumn, _ w: MutableFloats, _ count: Int) {
    let back = laneCount - count
    var sum = Lanes()
    var e = 0
    while e < column.count {
        let source = x + Int(column.indices[e]) &* column.stride - back
        sum = accumulate(sum, Lanes(repeating: column.values[e]), load(source))
        e &+= 1
    }
    storeLast(load(w - back) + sum, w, count)
}

/// Spans shorter than a vector.
private func accumulateFew(_ x: Floats, _ column: SparseColumn, _ w: MutableFloats, _ span: Int) {
    for e in 0..<column.count {
        let source = x + Int(column.indices[e]) &* column.stride
        for s in 0..<span { w[s] = accumulate1(w[s], column.values[e], source[s]) }
    }
}

/// Columns of the next strip, where `left` of `span` are left.
@inline(__always)
private func sparseStripColumns(_ left: Int, _ span: Int) -> Int {
    if span < laneCount { return span }
    if left >= stripPairs * panelColumns { return stripPairs * panelColumns }
    if left >= stripPairs / 2 * panelColumns { return stripPairs / 2 * panelColumns }
    if left >= panelColumns { return panelColumns }
    return left < laneCount ? left : laneCount
}

/// A strip goes over all lists before the next one: its part of x stays in the first-level cache.
func accumulateSparseRows(
    _ x: Floats, _ xStride: Int, _ span: Int, _ indices: UnsafePointer<Int32>, _ values: Floats,
    _ counts: UnsafePointer<Int32>, _ listStride: Int, _ columns: Int, _ w: MutableFloats
) {
    var s = 0
    while s < span {
        let left = span - s
        let count = sparseStripColumns(left, span)
        for j in 0..<columns where counts[j] > 0 {
            let column = SparseColumn(
                indices: indices + j * listStride, values: values + j * listStride, count: Int(counts[j]),
                stride: xStride)
            let target = w + (j * span + s)
            if span < laneCount {
                accumulateFew(x, column, target, span)
            } else if count == stripPairs * panelColumns {
                accumulateLongStrip(x + s, column, target)
            } else if count == stripPairs / 2 * panelColumns {
                accumulateMiddleStrip(x + s, column, target)
            } else if count == panelColumns {
                accumulatePair(x + s, column, target)
            } else {
                accumulateLast(x + s, column, target, count)
            }
        }
        s += count
    }
}

// MARK: Input gradients

@inline(__always)
private func scatterColumn(_ pairs: Int, _ w: Floats, _ column: SparseColumn, _ x: MutableFloats) {
    let strip = loadStrip(pairs, w)
    var e = 0
    while e < column.count {
        let target = x + Int(column.indices[e]) &* column.stride
        scatterStrip(pairs, strip, target, Lanes(repeating: column.values[e]))
        e &+= 1
    }
}

@inline(never)
private func scatterLongStrip(_ w: Floats, _ column: SparseColumn, _ x: MutableFloats) {
    scatterColumn(stripPairs, w, column, x)
}

@inline(never)
private func scatterMiddleStrip(_ w: Floats, _ column: SparseColumn, _ x: MutableFloats) {
    scatterColumn(stripPairs / 2, w, column, x)
}

@inline(never)
private func scatterPairs(_ w: Floats, _ column: SparseColumn, _ x: MutableFloats) {
    scatterColumn(1, w, column, x)
}

/// The last `count` columns of a span of at least a vector: weights of a whole vector, zero but for the last ones.
@inline(never)
private func scatterLast(_ w: Floats, _ column: SparseColumn, _ x: MutableFloats, _ count: Int) {
    let weights = loadLast(w, count)
    for e in 0..<column.count {
        let target = x + (Int(column.indices[e]) &* column.stride - (laneCount - count))
        store(accumulate(load(target), Lanes(repeating: column.values[e]), weights), target)
    }
}

private func scatterFew(_ w: Floats, _ column: SparseColumn, _ x: MutableFloats, _ span: Int) {
    for e in 0..<column.count {
        let target = x + Int(column.indices[e]) &* column.stride
        for s in 0..<span { target[s] = accumulate1(target[s], column.values[e], w[s]) }
    }
}

func scatterSparseRows(
    _ w: Floats, _ span: Int, _ x: MutableFloats, _ xStride: Int, _ indices: UnsafePointer<Int32>,
    _ values: Floats, _ counts: UnsafePointer<Int32>, _ listStride: Int, _ columns: Int
) {
    for j in 0..<columns where counts[j] > 0 {
        let column = SparseColumn(
            indices: indices + j * listStride, values: values + j * listStride, count: Int(counts[j]), stride: xStride)
        let source = w + j * span
        if span < laneCount {
            scatterFew(source, column, x, span)
            continue
        }
        var s = 0
        while s < span {
            let left = span - s
            if left >= stripPairs * panelColumns {
                scatterLongStrip(source + s, column, x + s)
                s += stripPairs * panelColumns
            } else if left >= stripPairs / 2 * panelColumns {
                scatterMiddleStrip(source + s, column, x + s)
                s += stripPairs / 2 * panelColumns
            } else if left >= panelColumns {
                scatterPairs(source + s, column, x + s)
                s += panelColumns
            } else {
                let count = left < laneCount ? left : laneCount
                scatterLast(source + s, column, x + s, count)
                s += count
            }
        }
    }
}
