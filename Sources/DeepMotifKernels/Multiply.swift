// Multiply: C = A B with B packed into panels.

import CDeepMotifVectors
import DeepMotifKernelTable

/// Rows of A whose tiles go over all panels before the next rows are touched: 128 KB of A.
private let blockFloats = 32768
/// Rows of a panel that are written column by column: they stay in the first-level cache.
private let packedDepth = 64

/// Rows start ..< stop of a panel, of whose columns the first `columns` are real.
private func packColumns(
    _ source: Floats, _ rowStride: Int, _ columnStride: Int, _ panel: MutableFloats, _ columns: Int, _ start: Int,
    _ stop: Int
) {
    var j = 0
    // Where the rows of a column are neighbours, four columns at a time.
    while rowStride == 1 && j + 4 <= columns {
        let first = source + j * columnStride
        var i = start
        while i + 4 <= stop {
            let target = panel + i * panelColumns + j
            dmv_transpose4(first + i, Int64(columnStride), target, Int64(panelColumns))
            i += 4
        }
        while i < stop {
            for c in 0..<4 { panel[i * panelColumns + j + c] = first[c * columnStride + i] }
            i += 1
        }
        j += 4
    }
    while j < panelColumns {
        let column = source + j * columnStride
        for i in start..<stop { panel[i * panelColumns + j] = j < columns ? column[i * rowStride] : 0 }
        j += 1
    }
}

func packMatrix(
    _ b: Floats, _ rowStride: Int, _ columnStride: Int, _ k: Int, _ n: Int, _ packed: MutableFloats
) {
    var first = 0
    while first < n {
        let panel = packed + first * k
        let source = b + first * columnStride
        let columns = n - first < panelColumns ? n - first : panelColumns
        if columnStride == 1 && columns == panelColumns {
            for i in 0..<k {
                store(load(source + i * rowStride), panel + i * panelColumns)
                store(load(source + i * rowStride + laneCount), panel + i * panelColumns + laneCount)
            }
        } else {
            var start = 0
            while start < k {
                let end = start + packedDepth < k ? start + packedDepth : k
                packColumns(source, rowStride, columnStride, panel, columns, start, end)
                start = end
            }
        }
        first += panelColumns
    }
}

func multiply(
    _ a: Floats, _ lda: Int, _ packed: Floats, _ bias: Floats?, _ c: MutableFloats, _ ldc: Int, _ m: Int, _ n: Int,
    _ k: Int, _ accumulates: Bool
) {
    guard m > 0, n > 0 else { return }
    let rowsWanted = blockFloats / (k > 0 ? k : 1)
    let blockRows = rowsWanted > 4 * tileRows ? rowsWanted : 4 * tileRows
    let blocks = (m + blockRows - 1) / blockRows
    for block in 0..<blocks {
        let start = block * m / blocks
        let rows = (block + 1) * m / blocks - start
        // Tiles of nearly equal heights: a last tile of one row would waste most of the registers.
        let tiles = (rows + tileRows - 1) / tileRows
        var column = 0
        while column < n {
            let left = n - column
            var target = tileTarget(
                c + start * ldc + column, stride: ldc, columns: left < panelColumns ? left : panelColumns,
                accumulates: accumulates)
            if let bias {
                target.hasBias = true
                let pair = loadFirstPair(bias + column, target.columns)
                (target.biasLow, target.biasHigh) = (pair.low, pair.high)
            }
            let first = target.c
            var source: TileSource = (
                a: a, rowStride: lda, step: 1, b: packed + column * k, bStride: panelColumns, k: k
            )
            for tile in 0..<tiles {
                let row = tile * rows / tiles
                target.c = first + row * ldc
                source.a = a + (start + row) * lda
                let height = (tile + 1) * rows / tiles - row
                if left > laneCount { wideTile(height, source, target) } else { narrowTile(height, source, target) }
            }
            column += panelColumns
        }
    }
}
