// CodeGradients: the gradient of the first convolution's weights, from codes. For each letter and tap, the rows of the
// output gradient whose tap reads that letter are added up in registers: adding each row to a table in memory instead
// would wait for its own stores, as the next position with that letter is near.

import CDeepMotifVectors
import DeepMotifKernelTable

/// Letters with weights.
private let letterCount: UInt8 = 4

/// Where the output gradient lies: rows of `columns` floats, of which `count` <= a strip's are taken. With offsets a row is
/// that of a window of a maximum pool, and belongs to the position that won.
private typealias GradientRows = (
    dy: Floats, offsets: UnsafePointer<Int32>?, columns: Int, count: Int, stride: Int, windows: PoolRun
)

@inline(__always)
private func loadSome(_ x: Floats, _ count: Int) -> Lanes {
    count == laneCount ? load(x) : loadFirst(x, count)
}

/// Row `window` of the gradient where its offset is k, else zero.
@inline(__always)
private func winners(_ source: GradientRows, _ window: Int, _ k: Int, _ first: Int, _ count: Int) -> Lanes {
    let place = window &* source.columns &+ first
    let gradient = loadSome(source.dy + place, count)
    guard let offsets = source.offsets else { return gradient }
    let floats = UnsafeRawPointer(offsets + place).assumingMemoryBound(to: Float.self)
    let offset = unsafeBitCast(loadSome(floats, count), to: IntLanes.self)
    return select(offset .== IntLanes(repeating: UInt32(truncatingIfNeeded: k)), gradient, Lanes())
}

/// Writes `rows` rows of a strip: number i is the gradient at position (first + i) / stride, zero where there is none.
@inline(__always)
private func expandRows(
    _ isWide: Bool, _ source: GradientRows, _ first: Int, _ rows: Int, _ memory: MutableFloats
) {
    let width = isWide ? panelColumns : laneCount
    let run = source.windows
    let start = first > 0 ? (first + source.stride - 1) / source.stride : 0
    let inside = start > run.start ? start - run.start : 0
    var (window, k) = (inside / run.stride, inside % run.stride)
    if k >= run.width { (window, k) = (window + 1, 0) }
    var (i, target) = (0, memory)
    while i < rows {
        let next = window < run.count ? (run.start + window * run.stride + k) * source.stride - first : rows
        let end = next < rows ? next : rows
        while i < end {
            store(Lanes(), target)
            if isWide { store(Lanes(), target + laneCount) }
            target += width
            i &+= 1
        }
        if i == rows { return }
        if isWide {
            store(winners(source, window, k, 0, laneCount), target)
            store(winners(source, window, k, laneCount, laneCount), target + laneCount)
        } else {
            store(winners(source, window, k, 0, source.count), target)
        }
        target += width
        i &+= 1
        k &+= 1
        if k == run.width { (window, k) = (window &+ 1, 0) }
    }
}

/// The positions of one letter as bits, and the row of the first position for the first tap; that of the next tap lies
/// `step` floats before it.
private typealias TapRows = (low: UInt64, high: UInt64, base: Floats, step: Int)

@inline(__always)
private func addTap(_ sum: inout TileRow, _ row: Floats, _ isWide: Bool) {
    sum.low += load(row)
    if isWide { sum.high += load(row + laneCount) }
}

@inline(__always)
private func addTaps(
    _ taps: Int, _ isWide: Bool, _ positions: UInt64, _ base: Floats, _ step: Int, _ strip: inout Strip
) {
    let width = isWide ? panelColumns : laneCount
    var bits = positions
    while bits != 0 {
        let row = base + bits.trailingZeroBitCount &* width
        bits &= bits &- 1
        addTap(&strip.p0, row, isWide)
        if taps > 1 { addTap(&strip.p1, row - step, isWide) }
        if taps > 2 { addTap(&strip.p2, row - 2 &* step, isWide) }
        if taps > 3 { addTap(&strip.p3, row - 3 &* step, isWide) }
        if taps > 4 { addTap(&strip.p4, row - 4 &* step, isWide) }
        if taps > 5 { addTap(&strip.p5, row - 5 &* step, isWide) }
        if taps > 6 { addTap(&strip.p6, row - 6 &* step, isWide) }
        if taps > 7 { addTap(&strip.p7, row - 7 &* step, isWide) }
    }
}

/// Adds a sum to `count` columns of a row of the table.
@inline(__always)
private func addToRow(_ sum: TileRow, _ row: MutableFloats, _ isWide: Bool, _ count: Int) {
    if isWide {
        store(load(row) + sum.low, row)
        store(load(row + laneCount) + sum.high, row + laneCount)
    } else if count == laneCount {
        store(load(row) + sum.low, row)
    } else {
        storeFirst(loadFirst(row, count) + sum.low, row, count)
    }
}

@inline(__always)
private func sumTaps(
    _ taps: Int, _ isWide: Bool, _ rows: TapRows, _ table: MutableFloats, _ tableStep: Int, _ count: Int
) {
    let zero: TileRow = (Lanes(), Lanes())
    var strip: Strip = (zero, zero, zero, zero, zero, zero, zero, zero)
    addTaps(taps, isWide, rows.low, rows.base, rows.step, &strip)
    addTaps(taps, isWide, rows.high, rows.base + 64 * (isWide ? panelColumns : laneCount), rows.step, &strip)
    addToRow(strip.p0, table, isWide, count)
    if taps > 1 { addToRow(strip.p1, table + tableStep, isWide, count) }
    if taps > 2 { addToRow(strip.p2, table + 2 &* tableStep, isWide, count) }
    if taps > 3 { addToRow(strip.p3, table + 3 &* tableStep, isWide, count) }
    if taps > 4 { addToRow(strip.p4, table + 4 &* tableStep, isWide, count) }
    if taps > 5 { addToRow(strip.p5, table + 5 &* tableStep, isWide, count) }
    if taps > 6 { addToRow(strip.p6, table + 6 &* tableStep, isWide, count) }
    if taps > 7 { addToRow(strip.p7, table + 7 &* tableStep, isWide, count) }
}

// MARK: One function for each number of taps

@inline(never)
private func mostTaps(_ isWide: Bool, _ rows: TapRows, _ table: MutableFloats, _ tableStep: Int, _ count: Int) {
    if isWide {
        sumTaps(stripPairs, true, rows, table, tableStep, count)
    } else {
        sumTaps(stripPairs, false, rows, table, tableStep, count)
    }
}

@inline(never)
private func fourTaps(_ isWide: Bool, _ rows: TapRows, _ table: MutableFloats, _ tableStep: Int, _ count: Int) {
    if isWide {
        sumTaps(4, true, rows, table, tableStep, count)
    } else {
        sumTaps(4, false, rows, table, tableStep, count)
    }
}

@inline(never)
private func twoTaps(_ isWide: Bool, _ rows: TapRows, _ table: MutableFloats, _ tableStep: Int, _ count: Int) {
    if isWide {
        sumTaps(2, true, rows, table, tableStep, count)
    } else {
        sumTaps(2, false, rows, table, tableStep, count)
    }
}

@inline(never)
private func oneTap(_ isWide: Bool, _ rows: TapRows, _ table: MutableFloats, _ tableStep: Int, _ count: Int) {
    if isWide {
        sumTaps(1, true, rows, table, tableStep, count)
    } else {
        sumTaps(1, false, rows, table, tableStep, count)
    }
}

/// A block of codes, filled up with what is no letter where there are fewer.
@inline(__always)
private func paddedBlock(_ codes: UnsafePointer<UInt8>, _ count: Int, _ memory: MutableFloats) -> UnsafePointer<UInt8> {
    let size = ConvolutionGeometry.codesAtOnce
    if count == size { return codes }
    let bytes = UnsafeMutableRawPointer(memory).assumingMemoryBound(to: UInt8.self)
    bytes.update(from: codes, count: count)
    (bytes + count).update(repeating: 255, count: size - count)
    return UnsafePointer(bytes)
}

/// One strip of a block of codes; `table` is that of the strip's first column.
@inline(__always)
private func addStrip(
    _ isWide: Bool, _ codes: UnsafePointer<UInt8>, _ memory: MutableFloats, _ source: GradientRows,
    _ table: MutableFloats, _ geometry: ConvolutionGeometry
) {
    let width = isWide ? panelColumns : laneCount
    let step = geometry.dilation * width
    let last = memory + (geometry.width - 1) * step
    var letter: UInt8 = 0
    while letter < letterCount {
        var rows: TapRows = (
            low: dmv_equal64(codes, letter), high: dmv_equal64(codes + 64, letter), base: Floats(last), step: step
        )
        var k = 0
        while k < geometry.width && (rows.low | rows.high) != 0 {
            let left = geometry.width - k
            let taps = left >= stripPairs ? stripPairs : left >= 4 ? 4 : left >= 2 ? 2 : 1
            let target = table + (k &* 5 &+ Int(letter)) &* geometry.filters
            switch taps {
            case stripPairs: mostTaps(isWide, rows, target, 5 &* geometry.filters, source.count)
            case 4: fourTaps(isWide, rows, target, 5 &* geometry.filters, source.count)
            case 2: twoTaps(isWide, rows, target, 5 &* geometry.filters, source.count)
            default: oneTap(isWide, rows, target, 5 &* geometry.filters, source.count)
            }
            rows.base -= taps &* step
            k &+= taps
        }
        letter &+= 1
    }
}

func convolveCodesGradient(
    _ codes: UnsafePointer<UInt8>, _ outputGradient: Floats, _ offsets: UnsafePointer<Int32>?,
    _ tableGradient: MutableFloats, _ scratch: MutableFloats, _ geometry: ConvolutionGeometry, _ windows: PoolRun
) {
    guard windows.count > 0 else { return }
    let filters = geometry.filters
    let rows = scratch + ConvolutionGeometry.codesAtOnce / 4
    let reach = (geometry.width - 1) * geometry.dilation
    // Codes that any of the windows reads.
    let low = windows.start * geometry.stride - geometry.padding
    let high = (windows.start + (windows.count - 1) * windows.stride + windows.width - 1) * geometry.stride
    let end = high - geometry.padding + reach + 1
    let length = end < geometry.length ? end : geometry.length
    let codesAtOnce = ConvolutionGeometry.codesAtOnce
    var start = low > 0 ? low : 0
    while start < length {
        let block = length - start < codesAtOnce ? length - start : codesAtOnce
        let first = start + geometry.padding - reach
        let letters = paddedBlock(codes + start, block, scratch)
        var f = 0
        while f < filters {
            let left = filters - f
            var source: GradientRows = (
                dy: outputGradient + f, offsets: nil, columns: filters, count: left < laneCount ? left : laneCount,
                stride: geometry.stride, windows: windows
            )
            if let offsets { source.offsets = offsets + f }
            if left >= panelColumns {
                expandRows(true, source, first, block + reach, rows)
                addStrip(true, letters, rows, source, tableGradient + f, geometry)
                f += panelColumns
            } else {
                expandRows(false, source, first, block + reach, rows)
                addStrip(false, letters, rows, source, tableGradient + f, geometry)
                f += laneCount
            }
        }
        start += block
    }
}
