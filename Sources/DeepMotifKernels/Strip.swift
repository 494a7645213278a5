// Strip: a run of columns whose sums stay in registers while rows of other memory are added to them.

import DeepMotifKernelTable

/// Columns of the longest strip: sixteen vectors where there are 32 registers, else eight.
#if DM_AVX512
    let stripPairs = 8
#else
    let stripPairs = 4
#endif

/// Up to eight pairs of vectors. `pairs` is a literal at every call of its functions, as a tile's height is.
typealias Strip = (
    p0: TileRow, p1: TileRow, p2: TileRow, p3: TileRow, p4: TileRow, p5: TileRow, p6: TileRow, p7: TileRow
)

@inline(__always)
private func loadPair(_ x: Floats) -> TileRow {
    (load(x), load(x + laneCount))
}

/// The first `columns` <= panelColumns elements, zero behind them.
func loadFirstPair(_ x: Floats, _ columns: Int) -> TileRow {
    if columns == panelColumns { return loadPair(x) }
    if columns < laneCount { return (loadFirst(x, columns), Lanes()) }
    return (load(x), loadFirst(x + laneCount, columns - laneCount))
}

@inline(__always)
private func storePair(_ pair: TileRow, _ x: MutableFloats) {
    store(pair.low, x)
    store(pair.high, x + laneCount)
}

@inline(__always)
func addPair(_ pair: inout TileRow, _ x: Floats, _ factor: Lanes) {
    pair.low = accumulate(pair.low, factor, load(x))
    pair.high = accumulate(pair.high, factor, load(x + laneCount))
}

@inline(__always)
private func addPair(_ pair: inout TileRow, _ x: Floats) {
    pair.low += load(x)
    pair.high += load(x + laneCount)
}

/// x += factor * pair.
@inline(__always)
private func scatterPair(_ pair: TileRow, _ x: MutableFloats, _ factor: Lanes) {
    store(accumulate(load(x), factor, pair.low), x)
    store(accumulate(load(x + laneCount), factor, pair.high), x + laneCount)
}

@inline(__always)
func loadStrip(_ pairs: Int, _ x: Floats) -> Strip {
    let zero: TileRow = (Lanes(), Lanes())
    var strip: Strip = (loadPair(x), zero, zero, zero, zero, zero, zero, zero)
    if pairs > 1 { strip.p1 = loadPair(x + 1 * panelColumns) }
    if pairs > 2 { strip.p2 = loadPair(x + 2 * panelColumns) }
    if pairs > 3 { strip.p3 = loadPair(x + 3 * panelColumns) }
    if pairs > 4 { strip.p4 = loadPair(x + 4 * panelColumns) }
    if pairs > 5 { strip.p5 = loadPair(x + 5 * panelColumns) }
    if pairs > 6 { strip.p6 = loadPair(x + 6 * panelColumns) }
    if pairs > 7 { strip.p7 = loadPair(x + 7 * panelColumns) }
    return strip
}

@inline(__always)
func storeStrip(_ pairs: Int, _ strip: Strip, _ x: MutableFloats) {
    storePair(strip.p0, x)
    if pairs > 1 { storePair(strip.p1, x + 1 * panelColumns) }
    if pairs > 2 { storePair(strip.p2, x + 2 * panelColumns) }
    if pairs > 3 { storePair(strip.p3, x + 3 * panelColumns) }
    if pairs > 4 { storePair(strip.p4, x + 4 * panelColumns) }
    if pairs > 5 { storePair(strip.p5, x + 5 * panelColumns) }
    if pairs > 6 { storePair(strip.p6, x + 6 * panelColumns) }
    if pairs > 7 { storePair(strip.p7, x + 7 * panelColumns) }
}

/// strip += factor * x.
@inline(__always)
func addToStrip(_ pairs: Int, _ strip: inout Strip, _ x: Floats, _ factor: Lanes) {
    addPair(&strip.p0, x, factor)
    if pairs > 1 { addPair(&strip.p1, x + 1 * panelColumns, factor) }
    if pairs > 2 { addPair(&strip.p2, x + 2 * panelColumns, factor) }
    if pairs > 3 { addPair(&strip.p3, x + 3 * panelColumns, factor) }
    if pairs > 4 { addPair(&strip.p4, x + 4 * panelColumns, factor) }
    if pairs > 5 { addPair(&strip.p5, x + 5 * panelColumns, factor) }
    if pairs > 6 { addPair(&strip.p6, x + 6 * panelColumns, factor) }
    if pairs > 7 { addPair(&strip.p7, x + 7 * panelColumns, factor) }
}

/// strip += x.
@inline(__always)
func addToStrip(_ pairs: Int, _ strip: inout Strip, _ x: Floats) {
    addPair(&strip.p0, x)
    if pairs > 1 { addPair(&strip.p1, x + 1 * panelColumns) }
    if pairs > 2 { addPair(&strip.p2, x + 2 * panelColumns) }
    if pairs > 3 { addPair(&strip.p3, x + 3 * panelColumns) }
    if pairs > 4 { addPair(&strip.p4, x + 4 * panelColumns) }
    if pairs > 5 { addPair(&strip.p5, x + 5 * panelColumns) }
    if pairs > 6 { addPair(&strip.p6, x + 6 * panelColumns) }
    if pairs > 7 { addPair(&strip.p7, x + 7 * panelColumns) }
}

/// x += factor * strip.
@inline(__always)
func scatterStrip(_ pairs: Int, _ strip: Strip, _ x: MutableFloats, _ factor: Lanes) {
    scatterPair(strip.p0, x, factor)
    if pairs > 1 { scatterPair(strip.p1, x + 1 * panelColumns, factor) }
    if pairs > 2 { scatterPair(strip.p2, x + 2 * panelColumns, factor) }
    if pairs > 3 { scatterPair(strip.p3, x + 3 * panelColumns, factor) }
    if pairs > 4 { scatterPair(strip.p4, x + 4 * panelColumns, factor) }
    if pairs > 5 { scatterPair(strip.p5, x + 5 * panelColumns, factor) }
    if pairs > 6 { scatterPair(strip.p6, x + 6 * panelColumns, factor) }
    if pairs > 7 { scatterPair(strip.p7, x + 7 * panelColumns, factor) }
}
