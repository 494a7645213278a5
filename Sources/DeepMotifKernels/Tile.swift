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

/// Sums over k of a(row, k) b(k, columns): a(row, k) stands at a[row * rowStride + k * step], b's row k at b + k *
/// bStride. `height` and `isWide` are literals at every call, so that each size becomes straight code of its own.
@inline(__always)
func productTile(
    _ height: Int, _ isWide: Bool, _ a: Floats, _ rowStride: Int, _ step: Int, _ b: Floats, _ bStride: Int, _ k: Int
) -> Tile {
    var tile = Tile()
    var (a, b) = (a, b)
    var left = k
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
        a += step
        b += bStride
        left &-= 1
    }
    return tile
}

/// Where a tile goes: c + row * stride, the first or the last `columns` of its columns.
struct TileTarget {
    var c: MutableFloats
    var stride: Int
    var columns: Int
    var biasLow = Lanes()
    var biasHigh = Lanes()
    var hasBias = false
    var accumulates: Bool
}

/// Writes one wide row, or its first `columns` columns.
@inline(__always)
private func writeRow(_ row: TileRow, _ index: Int, _ target: TileTarget) {
    let c = target.c + index &* target.stride
    var (low, high) = (row.low, row.high)
    if target.hasBias {
        low += target.biasLow
        high += target.biasHigh
    }
    if target.columns == panelColumns {
        if target.accumulates {
            low += load(c)
            high += load(c + laneCount)
        }
        store(low, c)
        store(high, c + laneCount)
    } else {
        writePartialRow(low, high, c, target.columns, target.accumulates)
    }
}

@inline(never)
private func writePartialRow(_ low: Lanes, _ high: Lanes, _ c: MutableFloats, _ columns: Int, _ accumulates: Bool) {
    var (sum, c, columns) = (low, c, columns)
    if columns >= laneCount {
        store(accumulates ? low + load(c) : low, c)
        (sum, c, columns) = (high, c + laneCount, columns - laneCount)
    }
    if accumulates { sum += loadFirst(c, columns) }
    storeFirst(sum, c, columns)
}

@inline(__always)
func writeTile(_ height: Int, _ tile: Tile, _ target: TileTarget) {
    writeRow(tile.r0, 0, target)
    if height > 1 { writeRow(tile.r1, 1, target) }
    if height > 2 { writeRow(tile.r2, 2, target) }
    if height > 3 { writeRow(tile.r3, 3, target) }
    if height > 4 { writeRow(tile.r4, 4, target) }
    if height > 5 { writeRow(tile.r5, 5, target) }
    if height > 6 { writeRow(tile.r6, 6, target) }
    if height > 7 { writeRow(tile.r7, 7, target) }
}

/// Adds the first vector of each row to c, or only its last `columns` columns.
@inline(__always)
private func addNarrowRow(_ row: TileRow, _ index: Int, _ target: TileTarget) {
    let c = target.c + index &* target.stride
    if target.columns == laneCount {
        store(row.low + load(c), c)
    } else {
        addLast(row.low, c, target.columns)
    }
}

/// c + laneCount - columns ... += the last `columns` elements.
@inline(never)
private func addLast(_ value: Lanes, _ c: MutableFloats, _ columns: Int) {
    storeLast(value + load(c), c + (laneCount - columns), columns)
}

@inline(__always)
func addNarrowTile(_ height: Int, _ tile: Tile, _ target: TileTarget) {
    addNarrowRow(tile.r0, 0, target)
    if height > 1 { addNarrowRow(tile.r1, 1, target) }
    if height > 2 { addNarrowRow(tile.r2, 2, target) }
    if height > 3 { addNarrowRow(tile.r3, 3, target) }
    if height > 4 { addNarrowRow(tile.r4, 4, target) }
    if height > 5 { addNarrowRow(tile.r5, 5, target) }
    if height > 6 { addNarrowRow(tile.r6, 6, target) }
    if height > 7 { addNarrowRow(tile.r7, 7, target) }
}
