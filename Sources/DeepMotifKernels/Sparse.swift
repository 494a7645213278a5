// Sparse: products with gradients of which most elements are exactly zero.

import DeepMotifKernelTable

func listNonzeros(
    _ g: Floats, _ rows: Int, _ columns: Int, _ indices: UnsafeMutablePointer<Int32>, _ values: MutableFloats,
    _ counts: UnsafeMutablePointer<Int32>
) -> Int {
    var total = 0
    for j in 0..<columns {
        var count = 0
        for row in 0..<rows {
            let value = g[row * columns + j]
            if value == 0 { continue }
            indices[j * rows + count] = Int32(truncatingIfNeeded: row)
            values[j * rows + count] = value
            count += 1
        }
        counts[j] = Int32(truncatingIfNeeded: count)
        total += count
    }
    return total
}

func accumulateSparseRows(
    _ x: Floats, _ xStride: Int, _ span: Int, _ indices: UnsafePointer<Int32>, _ values: Floats,
    _ counts: UnsafePointer<Int32>, _ listStride: Int, _ columns: Int, _ w: MutableFloats
) {
    for j in 0..<columns {
        let row = w + j * span
        for e in 0..<Int(counts[j]) {
            let value = values[j * listStride + e]
            let source = x + Int(indices[j * listStride + e]) * xStride
            for s in 0..<span { row[s] = accumulate1(row[s], value, source[s]) }
        }
    }
}

func scatterSparseRows(
    _ w: Floats, _ span: Int, _ x: MutableFloats, _ xStride: Int, _ indices: UnsafePointer<Int32>,
    _ values: Floats, _ counts: UnsafePointer<Int32>, _ listStride: Int, _ columns: Int
) {
    for j in 0..<columns {
        let row = w + j * span
        for e in 0..<Int(counts[j]) {
            let value = values[j * listStride + e]
            let target = x + Int(indices[j * listStride + e]) * xStride
            for s in 0..<span { target[s] = accumulate1(target[s], value, row[s]) }
        }
    }
}
