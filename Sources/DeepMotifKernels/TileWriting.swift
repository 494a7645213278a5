// TileWriting: from the registers of a tile to memory, one function for every height. One function for all would exceed
// what the compiler is willing to inline, and an unspecialised tile lives in memory.

import DeepMotifKernelTable

/// Where a tile goes: c + row * stride, the first `columns` of its columns, or where `takesLast` is set the last ones of a
/// vector that is added.
typealias TileTarget = (
    c: MutableFloats, stride: Int, columns: Int, biasLow: Lanes, biasHigh: Lanes, hasBias: Bool, accumulates: Bool,
    takesLast: Bool
)

/// A target with no bias, for the first columns.
@inline(__always)
func tileTarget(_ c: MutableFloats, stride: Int, columns: Int, accumulates: Bool) -> TileTarget {
    (c, stride, columns, Lanes(), Lanes(), false, accumulates, false)
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

/// Writes or adds the first `columns` < panelColumns columns.
@inline(never)
func writePartialRow(_ low: Lanes, _ high: Lanes, _ c: MutableFloats, _ columns: Int, _ accumulates: Bool) {
    var (sum, c, columns) = (low, c, columns)
    if columns >= laneCount {
        store(accumulates ? low + load(c) : low, c)
        (sum, c, columns) = (high, c + laneCount, columns - laneCount)
    }
    if accumulates { sum += loadFirst(c, columns) }
    storeFirst(sum, c, columns)
}

@inline(__always)
private func writeTile(_ height: Int, _ tile: Tile, _ target: TileTarget) {
    writeRow(tile.r0, 0, target)
    if height > 1 { writeRow(tile.r1, 1, target) }
    if height > 2 { writeRow(tile.r2, 2, target) }
    if height > 3 { writeRow(tile.r3, 3, target) }
    if height > 4 { writeRow(tile.r4, 4, target) }
    if height > 5 { writeRow(tile.r5, 5, target) }
    if height > 6 { writeRow(tile.r6, 6, target) }
    if height > 7 { writeRow(tile.r7, 7, target) }
}

/// Writes the first vector of a row, or some of its columns.
@inline(__always)
private func writeNarrowRow(_ row: TileRow, _ index: Int, _ target: TileTarget) {
    let c = target.c + index &* target.stride
    let low = target.hasBias ? row.low + target.biasLow : row.low
    if target.columns == laneCount {
        store(target.accumulates ? low + load(c) : low, c)
    } else if target.takesLast {
        addLast(low, c, target.columns)
    } else {
        writePartialRow(low, low, c, target.columns, target.accumulates)
    }
}

/// c + laneCount - columns ... += the last `columns` elements.
@inline(never)
private func addLast(_ value: Lanes, _ c: MutableFloats, _ columns: Int) {
    storeLast(value + load(c), c + (laneCount - columns), columns)
}

@inline(__always)
private func writeNarrowTile(_ height: Int, _ tile: Tile, _ target: TileTarget) {
    writeNarrowRow(tile.r0, 0, target)
    if height > 1 { writeNarrowRow(tile.r1, 1, target) }
    if height > 2 { writeNarrowRow(tile.r2, 2, target) }
    if height > 3 { writeNarrowRow(tile.r3, 3, target) }
    if height > 4 { writeNarrowRow(tile.r4, 4, target) }
    if height > 5 { writeNarrowRow(tile.r5, 5, target) }
    if height > 6 { writeNarrowRow(tile.r6, 6, target) }
    if height > 7 { writeNarrowRow(tile.r7, 7, target) }
}

// MARK: One function for each height

@inline(never) private func wide1(_ source: TileSource, _ target: TileTarget) {
    writeTile(1, productTile(1, true, source), target)
}
@inline(never) private func wide2(_ source: TileSource, _ target: TileTarget) {
    writeTile(2, productTile(2, true, source), target)
}
@inline(never) private func wide3(_ source: TileSource, _ target: TileTarget) {
    writeTile(3, productTile(3, true, source), target)
}
@inline(never) private func wide4(_ source: TileSource, _ target: TileTarget) {
    writeTile(4, productTile(4, true, source), target)
}
#if DM_AVX2 || DM_AVX512
    @inline(never) private func wide5(_ source: TileSource, _ target: TileTarget) {
        writeTile(5, productTile(5, true, source), target)
    }
    @inline(never) private func wide6(_ source: TileSource, _ target: TileTarget) {
        writeTile(6, productTile(6, true, source), target)
    }
#endif
#if DM_AVX512
    @inline(never) private func wide7(_ source: TileSource, _ target: TileTarget) {
        writeTile(7, productTile(7, true, source), target)
    }
    @inline(never) private func wide8(_ source: TileSource, _ target: TileTarget) {
        writeTile(8, productTile(8, true, source), target)
    }
#endif
@inline(never) private func narrow1(_ source: TileSource, _ target: TileTarget) {
    writeNarrowTile(1, productTile(1, false, source), target)
}
@inline(never) private func narrow2(_ source: TileSource, _ target: TileTarget) {
    writeNarrowTile(2, productTile(2, false, source), target)
}
@inline(never) private func narrow3(_ source: TileSource, _ target: TileTarget) {
    writeNarrowTile(3, productTile(3, false, source), target)
}
@inline(never) private func narrow4(_ source: TileSource, _ target: TileTarget) {
    writeNarrowTile(4, productTile(4, false, source), target)
}
#if DM_AVX2 || DM_AVX512
    @inline(never) private func narrow5(_ source: TileSource, _ target: TileTarget) {
        writeNarrowTile(5, productTile(5, false, source), target)
    }
    @inline(never) private func narrow6(_ source: TileSource, _ target: TileTarget) {
        writeNarrowTile(6, productTile(6, false, source), target)
    }
#endif
#if DM_AVX512
    @inline(never) private func narrow7(_ source: TileSource, _ target: TileTarget) {
        writeNarrowTile(7, productTile(7, false, source), target)
    }
    @inline(never) private func narrow8(_ source: TileSource, _ target: TileTarget) {
        writeNarrowTile(8, productTile(8, false, source), target)
    }
#endif

/// C = or += A B (+ bias) for one tile of `height` <= tileRows rows and up to two vectors of columns.
func wideTile(_ height: Int, _ source: TileSource, _ target: TileTarget) {
    switch height {
    case 1: wide1(source, target)
    case 2: wide2(source, target)
    case 3: wide3(source, target)
    #if DM_AVX512
        case 4: wide4(source, target)
        case 5: wide5(source, target)
        case 6: wide6(source, target)
        case 7: wide7(source, target)
        default: wide8(source, target)
    #elseif DM_AVX2
        case 4: wide4(source, target)
        case 5: wide5(source, target)
        default: wide6(source, target)
    #else
        default: wide4(source, target)
    #endif
    }
}

/// C = or += A B (+ bias) for one tile of `height` <= tileRows rows and one vector of columns.
func narrowTile(_ height: Int, _ source: TileSource, _ target: TileTarget) {
    switch height {
    case 1: narrow1(source, target)
    case 2: narrow2(source, target)
    case 3: narrow3(source, target)
    #if DM_AVX512
        case 4: narrow4(source, target)
        case 5: narrow5(source, target)
        case 6: narrow6(source, target)
        case 7: narrow7(source, target)
        default: narrow8(source, target)
    #elseif DM_AVX2
        case 4: narrow4(source, target)
        case 5: narrow5(source, target)
        default: narrow6(source, target)
    #else
        default: narrow4(source, target)
    #endif
    }
}
