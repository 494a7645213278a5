// CodePools: the first convolution, from codes, and the maxima of its windows in one go: no position but the winning ones
// is ever written.

import DeepMotifKernelTable

/// Sums of up to four positions.
private typealias PositionSums = (p0: TileRow, p1: TileRow, p2: TileRow, p3: TileRow)

/// Maxima so far and the positions within the window where they were first met.
private typealias Winners = (best: TileRow, low: IntLanes, high: IntLanes)

/// Where the rows of one strip of the table lie.
private typealias StripRows = (table: Floats, bias: TileRow, stride: Int)

@inline(__always)
private func addRow(_ sum: inout TileRow, _ row: Floats, _ isWide: Bool) {
    sum.low += load(row)
    if isWide { sum.high += load(row + laneCount) }
}

/// The convolution at `count` neighbouring positions, of which the first reads the rows from `first` on.
@inline(__always)
private func sumPositions(
    _ count: Int, _ isWide: Bool, _ groups: CodeGroups, _ first: Int, _ rows: StripRows
) -> PositionSums {
    var sums: PositionSums = (rows.bias, rows.bias, rows.bias, rows.bias)
    var (offset, group, left) = (groups.offsets + first, rows.table, groups.count)
    while left > 0 {
        addRow(&sums.p0, group + Int(offset[0]), isWide)
        if count > 1 { addRow(&sums.p1, group + Int(offset[rows.stride]), isWide) }
        if count > 2 { addRow(&sums.p2, group + Int(offset[2 &* rows.stride]), isWide) }
        if count > 3 { addRow(&sums.p3, group + Int(offset[3 &* rows.stride]), isWide) }
        offset += groups.step
        group += groups.tableStride
        left &-= 1
    }
    return sums
}

@inline(__always)
private func takeLanes(_ best: inout Lanes, _ offset: inout IntLanes, _ value: Lanes, _ k: Int) {
    // Unordered comparisons are false: only "value <= best" and "best is a number" keep the old one, so a NaN stays.
    let isOlder = (value .<= best) .| (best .!= best)
    best = select(isOlder, best, value)
    let place = IntLanes(repeating: UInt32(truncatingIfNeeded: k))
    let chosen = select(isOlder, unsafeBitCast(offset, to: Lanes.self), unsafeBitCast(place, to: Lanes.self))
    offset = unsafeBitCast(chosen, to: IntLanes.self)
}

@inline(__always)
private func take(_ winners: inout Winners, _ value: TileRow, _ k: Int, _ isWide: Bool) {
    takeLanes(&winners.best.low, &winners.low, value.low, k)
    if isWide { takeLanes(&winners.best.high, &winners.high, value.high, k) }
}

@inline(__always)
private func takePositions(
    _ count: Int, _ isWide: Bool, _ winners: inout Winners, _ k: Int, _ groups: CodeGroups, _ first: Int,
    _ rows: StripRows
) {
    let sums = sumPositions(count, isWide, groups, first, rows)
    take(&winners, sums.p0, k, isWide)
    if count > 1 { take(&winners, sums.p1, k &+ 1, isWide) }
    if count > 2 { take(&winners, sums.p2, k &+ 2, isWide) }
    if count > 3 { take(&winners, sums.p3, k &+ 3, isWide) }
}

/// One window of `width` positions from `position` on.
@inline(__always)
private func windowWinners(
    _ isWide: Bool, _ groups: CodeGroups, _ position: Int, _ width: Int, _ rows: StripRows
) -> Winners {
    let least = Lanes(repeating: -Float.infinity)
    var winners: Winners = (best: (least, least), low: IntLanes(), high: IntLanes())
    var (k, first) = (0, position &* rows.stride)
    while k &+ 4 <= width {
        takePositions(4, isWide, &winners, k, groups, first, rows)
        k &+= 4
        first &+= 4 &* rows.stride
    }
    switch width &- k {
    case 3: takePositions(3, isWide, &winners, k, groups, first, rows)
    case 2: takePositions(2, isWide, &winners, k, groups, first, rows)
    case 1: takePositions(1, isWide, &winners, k, groups, first, rows)
    default: break
    }
    return winners
}

@inline(__always)
private func storeOffsets(_ offsets: IntLanes, _ target: UnsafeMutablePointer<Int32>) {
    UnsafeMutableRawPointer(target).storeBytes(of: offsets, as: IntLanes.self)
}

@inline(__always)
private func rectified(_ x: Lanes, _ isRectified: Bool) -> Lanes {
    isRectified ? select(x .< Lanes(), Lanes(), x) : x
}

/// All windows of one strip.
@inline(__always)
private func poolStrip(
    _ isWide: Bool, _ groups: CodeGroups, _ rows: StripRows, _ y: MutableFloats,
    _ offsets: UnsafeMutablePointer<Int32>?, _ filters: Int, _ windows: PoolRun, _ isRectified: Bool
) {
    var (position, place, window) = (windows.start, 0, 0)
    while window < windows.count {
        let winners = windowWinners(isWide, groups, position, windows.width, rows)
        store(rectified(winners.best.low, isRectified), y + place)
        if isWide { store(rectified(winners.best.high, isRectified), y + place + laneCount) }
        if let offsets {
            storeOffsets(winners.low, offsets + place)
            if isWide { storeOffsets(winners.high, offsets + place + laneCount) }
        }
        position &+= windows.stride
        place &+= filters
        window &+= 1
    }
}

func convolveCodePools(
    _ codes: UnsafePointer<UInt8>, _ taps: Int, _ table: Floats, _ bias: Floats, _ y: MutableFloats,
    _ offsets: UnsafeMutablePointer<Int32>?, _ scratch: UnsafeMutablePointer<Int32>, _ geometry: ConvolutionGeometry,
    _ windows: PoolRun, _ isRectified: Bool
) {
    guard geometry.outputLength > 0 else { return }
    let filters = geometry.filters
    let groups = codeGroups(codes, taps, scratch, geometry)
    var f = 0
    while f < filters {
        // The last vector reads columns again that are done; they come out the same.
        let isWide = f + panelColumns <= filters
        let start = isWide || f + laneCount <= filters ? f : filters - laneCount
        var rows: StripRows = (table: table + start, bias: (load(bias + start), Lanes()), stride: geometry.stride)
        var places: UnsafeMutablePointer<Int32>?
        if let offsets { places = offsets + start }
        if isWide {
            rows.bias.high = load(bias + start + laneCount)
            poolStrip(true, groups, rows, y + start, places, filters, windows, isRectified)
            f += panelColumns
        } else {
            poolStrip(false, groups, rows, y + start, places, filters, windows, isRectified)
            f += laneCount
        }
    }
}
