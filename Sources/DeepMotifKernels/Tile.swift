// Tile: the register tile that every dense product is made of. Each element of a tile is one chain of additions in the
// order of k, so its value depends neither on the tile's size nor on its place in it.

import DeepMotifKernelTable

/// Columns of one panel of a packed matrix, and of a wide tile: two vectors.
let panelColumns = 2 * laneCount

#if DM_AVX512
    /// Rows of the largest tile: 16 of 32 registers hold sums.
    let tileRows = 8
#elseif DM_AVX2
    /// Rows of the largest tile: 12 of 16 registers hold sums.
    let tileRows = 6
#else
    /// Rows of the largest tile: 8 of 16 registers hold sums, products need more than fused ones do.
    let tileRows = 4
#endif

// Tuples, not structures: a structure's copy functions are weak symbols that every instruction level would define.

/// Two neighbouring vectors of one row of a tile; narrow tiles use the first.
typealias TileRow = (low: Lanes, high: Lanes)

/// The sums of a tile. Rows beyond its height are never touched and take no register.
typealias Tile = (
    r0: TileRow, r1: TileRow, r2: TileRow, r3: TileRow, r4: TileRow, r5: TileRow, r6: TileRow, r7: TileRow
)

@inline(__always)
private func addProduct(_ row: inout TileRow, _ value: Float, _ bLow: Lanes, _ bHigh: Lanes, _ isWide: Bool) {
    let factor = Lanes(repeating: value)
    row.low = accumulate(row.low, factor, bLow)
    if isWide { row.high = accumulate(row.high, factor, bHigh) }
}

/// What a tile sums up: a(row, k) stands at a[row * rowStride + k * step], row k of B at b + k * bStride.
typealias TileSource = (a: Floats, rowStride: Int, step: Int, b: Floats, bStride: Int, k: Int)

/// Sums over k of a(row, k) b(k, columns). `height` and `isWide` are literals at every call, so that each size becomes
/// straight code of its own.
@inline(__always)
func productTile(_ height: Int, _ isWide: Bool, _ source: TileSource) -> Tile {
    let rowStride = source.rowStride
    let zero: TileRow = (Lanes(), Lanes())
    var tile: Tile = (zero, zero, zero, zero, zero, zero, zero, zero)
    var (a, b, left) = (source.a, source.b, source.k)
    while left > 0 {
        let low = load(b)
        let high = isWide ? load(b + laneCount) : low
        addProduct(&tile.r0, a[0], low, high, isWide)
        if height > 1 { addProduct(&tile.r1, a[rowStride], low, high, isWide) }
        if height > 2 { addProduct(&tile.r2, a[2 &* rowStride], low, high, isWide) }
        if height > 3 { addProduct(&tile.r3, a[3 &* rowStride], low, high, isWide) }
        if height > 4 { addProduct(&tile.r4, a[4 &* rowStride], low, high, isWide) }
        if height > 5 { addProduct(&tile.r5, a[5 &* rowStride], low, high, isWide) }
        if height > 6 { addProduct(&tile.r6, a[6 &* rowStride], low, high, isWide) }
        if height > 7 { addProduct(&tile.r7, a[7 &* rowStride], low, high, isWide) }
        a += source.step
        b += source.bStride
        left &-= 1
    }
    return tile
}
