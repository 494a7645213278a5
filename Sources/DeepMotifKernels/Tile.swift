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

/// Two neighbouring vectors of one row of a tile; narrow tiles use the first.
struct TileRow {
    var low = Lanes()
    var high = Lanes()

    @inline(__always)
    mutating func add(_ value: Float, _ bLow: Lanes, _ bHigh: Lanes, _ isWide: Bool) {
        let factor = Lanes(repeating: value)
        low = accumulate(low, factor, bLow)
        if isWide { high = accumulate(high, factor, bHigh) }
    }
}

/// The sums of a tile. Rows beyond its height are never touched and take no register.
struct Tile {
    var r0 = TileRow()
    var r1 = TileRow()
    var r2 = TileRow()
    var r3 = TileRow()
    var r4 = TileRow()
    var r5 = TileRow()
    var r6 = TileRow()
    var r7 = TileRow()
}

/// What a tile sums up: a(row, k) stands at a[row * rowStride + k * step], row k of B at b + k * bStride.
struct TileSource {
    var a: Floats
    var rowStride: Int
    var step: Int
    var b: Floats
    var bStride: Int
    var k: Int
}

/// Sums over k of a(row, k) b(k, columns). `height` and `isWide` are literals at every call, so that each size becomes
/// straight code of its own.
@inline(__always)
func productTile(_ height: Int, _ isWide: Bool, _ source: TileSource) -> Tile {
    let rowStride = source.rowStride
    var tile = Tile()
    var (a, b, left) = (source.a, source.b, source.k)
    while left > 0 {
        let low = load(b)
        let high = isWide ? load(b + laneCount) : low
        tile.r0.add(a[0], low, high, isWide)
        if height > 1 { tile.r1.add(a[rowStride], low, high, isWide) }
        if height > 2 { tile.r2.add(a[2 &* rowStride], low, high, isWide) }
        if height > 3 { tile.r3.add(a[3 &* rowStride], low, high, isWide) }
        if height > 4 { tile.r4.add(a[4 &* rowStride], low, high, isWide) }
        if height > 5 { tile.r5.add(a[5 &* rowStride], low, high, isWide) }
        if height > 6 { tile.r6.add(a[6 &* rowStride], low, high, isWide) }
        if height > 7 { tile.r7.add(a[7 &* rowStride], low, high, isWide) }
        a += source.step
        b += source.bStride
        left &-= 1
    }
    return tile
}
