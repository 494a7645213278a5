// MultiplyTransposed: C += A^T B, the product of weight gradients.

import DeepMotifKernelTable

/// Rows of A and B that a tile sums up before it goes to memory: both stay in the second-level cache.
private let blockDepth = 256

/// Fewer columns than a vector has: four at a time, then one by one.
private func fewColumns(
    _ a: Floats, _ lda: Int, _ b: Floats, _ ldb: Int, _ c: MutableFloats, _ ldc: Int, _ m: Int, _ n: Int, _ k: Int
) {
    for row in 0..<m {
        var column = 0
        while column + 4 <= n {
            var sum = SIMD4<Float>()
            for i in 0..<k {
                let values = UnsafeRawPointer(b + i * ldb + column).loadUnaligned(as: SIMD4<Float>.self)
                sum = accumulate4(sum, SIMD4(repeating: a[i * lda + row]), values)
            }
            let target = UnsafeMutableRawPointer(c + row * ldc + column)
            target.storeBytes(of: target.loadUnaligned(as: SIMD4<Float>.self) + sum, as: SIMD4<Float>.self)
            column += 4
        }
        while column < n {
            var sum: Float = 0
            for i in 0..<k { sum = accumulate1(sum, a[i * lda + row], b[i * ldb + column]) }
            c[row * ldc + column] += sum
            column += 1
        }
    }
}

/// Floats of B that all rows of C are multiplied with before the next ones: they stay in the second-level cache, and C,
/// where it is larger than the caches, is read from memory in long runs.
private let blockFloats = 65536

/// Goes over the columns in wide tiles, then in narrow ones; the last narrow one reads columns again that are done
/// already, and adds its last ones only.
private func multiplyBlock(
    _ a: Floats, _ lda: Int, _ b: Floats, _ ldb: Int, _ c: MutableFloats, _ ldc: Int, _ m: Int, _ n: Int, _ k: Int
) {
    let tiles = (m + tileRows - 1) / tileRows
    let blockColumns = blockFloats / k / panelColumns * panelColumns
    var start = 0
    while start < n {
        let end = n - start < blockColumns ? n : start + blockColumns
        for tile in 0..<tiles {
            let row = tile * m / tiles
            let height = (tile + 1) * m / tiles - row
            multiplyRows(a + row, lda, b, ldb, c + row * ldc, ldc, height, start, end, n, k)
        }
        start = end
    }
}

/// Columns start ..< end of n, of `height` rows.
@inline(__always)
private func multiplyRows(
    _ a: Floats, _ lda: Int, _ b: Floats, _ ldb: Int, _ c: MutableFloats, _ ldc: Int, _ height: Int, _ start: Int,
    _ end: Int, _ n: Int, _ k: Int
) {
    var column = start
    while column < end {
        let left = n - column
        let isWide = left >= panelColumns
        let first = isWide || left >= laneCount ? column : n - laneCount
        var target = tileTarget(
            c + first, stride: ldc, columns: isWide ? panelColumns : left < laneCount ? left : laneCount,
            accumulates: true)
        target.takesLast = left < laneCount
        let source: TileSource = (a: a, rowStride: 1, step: lda, b: b + first, bStride: ldb, k: k)
        if isWide { wideTile(height, source, target) } else { narrowTile(height, source, target) }
        column += isWide ? panelColumns : laneCount
    }
}

func multiplyTransposed(
    _ a: Floats, _ lda: Int, _ b: Floats, _ ldb: Int, _ c: MutableFloats, _ ldc: Int, _ m: Int, _ n: Int, _ k: Int
) {
    guard m > 0, n > 0 else { return }
    var start = 0
    while start < k {
        let depth = k - start < blockDepth ? k - start : blockDepth
        if n < laneCount {
            fewColumns(a + start * lda, lda, b + start * ldb, ldb, c, ldc, m, n, depth)
        } else {
            multiplyBlock(a + start * lda, lda, b + start * ldb, ldb, c, ldc, m, n, depth)
        }
        start += blockDepth
    }
}
