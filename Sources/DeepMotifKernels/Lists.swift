// Lists: where a matrix is not zero, and the product of such a list with a dense matrix.

import CDeepMotifVectors
import DeepMotifKernelTable

#if DM_AVX512
    /// Elements that one bit mask covers.
    let maskLanes = 16
#else
    /// Elements that one bit mask covers.
    let maskLanes = 8
#endif

/// Bit i is set where x[i] is not zero.
@inline(__always)
func nonzeroBits(_ x: Floats) -> UInt32 {
    #if DM_AVX512
        return dmv_nonzero16(UnsafeRawPointer(x).loadUnaligned(as: SIMD16<Float>.self))
    #else
        return dmv_nonzero8(UnsafeRawPointer(x).loadUnaligned(as: SIMD8<Float>.self))
    #endif
}

func countNonzeros(_ x: Floats, _ count: Int) -> Int {
    var (total, i) = (0, 0)
    while i &+ maskLanes <= count {
        total &+= nonzeroBits(x + i).nonzeroBitCount
        i &+= maskLanes
    }
    while i < count {
        if x[i] != 0 { total &+= 1 }
        i &+= 1
    }
    return total
}

/// One column, or all elements of a matrix in their order.
private func listColumn(
    _ g: Floats, _ rows: Int, _ indices: UnsafeMutablePointer<Int32>, _ values: MutableFloats
) -> Int {
    var (count, row) = (0, 0)
    while row + maskLanes <= rows {
        var bits = nonzeroBits(g + row)
        while bits != 0 {
            let place = row &+ bits.trailingZeroBitCount
            indices[count] = Int32(truncatingIfNeeded: place)
            values[count] = g[place]
            count &+= 1
            bits &= bits &- 1
        }
        row += maskLanes
    }
    while row < rows {
        if g[row] != 0 {
            indices[count] = Int32(truncatingIfNeeded: row)
            values[count] = g[row]
            count &+= 1
        }
        row += 1
    }
    return count
}

/// Reads the matrix row by row; a column's count is the place of its next element.
func listNonzeros(
    _ g: Floats, _ rows: Int, _ columns: Int, _ indices: UnsafeMutablePointer<Int32>, _ values: MutableFloats,
    _ counts: UnsafeMutablePointer<Int32>
) -> Int {
    if columns == 1 {
        let count = listColumn(g, rows, indices, values)
        counts[0] = Int32(truncatingIfNeeded: count)
        return count
    }
    for j in 0..<columns { counts[j] = 0 }
    for row in 0..<rows {
        let source = g + row * columns
        var first = 0
        while first < columns {
            // The last mask of a row reads columns again, and drops those that are done.
            var (start, bits): (Int, UInt32) = (first, 0)
            if columns >= maskLanes {
                start = first + maskLanes <= columns ? first : columns - maskLanes
                bits = nonzeroBits(source + start) &>> UInt32(truncatingIfNeeded: first - start)
            } else {
                for j in 0..<columns where source[j] != 0 { bits |= 1 &<< UInt32(truncatingIfNeeded: j) }
            }
            while bits != 0 {
                let j = first &+ bits.trailingZeroBitCount
                let place = j &* rows &+ Int(counts[j])
                indices[place] = Int32(truncatingIfNeeded: row)
                values[place] = source[j]
                counts[j] &+= 1
                bits &= bits &- 1
            }
            first = columns >= maskLanes ? start + maskLanes : columns
        }
    }
    var total = 0
    for j in 0..<columns { total &+= Int(counts[j]) }
    return total
}

// MARK: Product of a list

/// Elements first ..< end of a list; element `shift` of the listed memory meets row 0 of the packed matrix.
private struct ListedRow {
    var indices: UnsafePointer<Int32>
    var values: Floats
    var first: Int
    var end: Int
    var shift: Int
}

/// `panels` (1 ... 4, a literal) neighbouring panels, each `panelStride` floats behind the one before.
@inline(__always)
private func addListedRows(
    _ panels: Int, _ row: ListedRow, _ packed: Floats, _ panelStride: Int, _ strip: inout Strip
) {
    var e = row.first
    while e < row.end {
        let source = packed + (Int(row.indices[e]) &- row.shift) &* panelColumns
        let factor = Lanes(repeating: row.values[e])
        addPair(&strip.p0, source, factor)
        if panels > 1 { addPair(&strip.p1, source + panelStride, factor) }
        if panels > 2 { addPair(&strip.p2, source + 2 &* panelStride, factor) }
        if panels > 3 { addPair(&strip.p3, source + 3 &* panelStride, factor) }
        e &+= 1
    }
}

/// `panels` (1 ... 4, a literal) whole panels of one row.
@inline(__always)
private func multiplyPanels(
    _ panels: Int, _ row: ListedRow, _ packed: Floats, _ panelStride: Int, _ bias: Floats?, _ c: MutableFloats
) {
    let zero: TileRow = (Lanes(), Lanes())
    var strip: Strip = (zero, zero, zero, zero, zero, zero, zero, zero)
    if let bias { strip = loadStrip(panels, bias) }
    addListedRows(panels, row, packed, panelStride, &strip)
    storeStrip(panels, strip, c)
}

@inline(never)
private func multiplyFourPanels(
    _ row: ListedRow, _ packed: Floats, _ panelStride: Int, _ bias: Floats?, _ c: MutableFloats
) {
    multiplyPanels(4, row, packed, panelStride, bias, c)
}

@inline(never)
private func multiplyTwoPanels(
    _ row: ListedRow, _ packed: Floats, _ panelStride: Int, _ bias: Floats?, _ c: MutableFloats
) {
    multiplyPanels(2, row, packed, panelStride, bias, c)
}

/// One panel, of which `columns` columns are real.
@inline(never)
private func multiplyPanel(_ row: ListedRow, _ packed: Floats, _ bias: Floats?, _ c: MutableFloats, _ columns: Int) {
    let zero: TileRow = (Lanes(), Lanes())
    var strip: Strip = (zero, zero, zero, zero, zero, zero, zero, zero)
    if let bias { strip.p0 = loadFirstPair(bias, columns) }
    addListedRows(1, row, packed, 0, &strip)
    if columns == panelColumns {
        storeStrip(1, strip, c)
    } else {
        writePartialRow(strip.p0.low, strip.p0.high, c, columns, false)
    }
}

@inline(__always)
private func shifted(_ bias: Floats?, _ count: Int) -> Floats? {
    if let bias { bias + count } else { nil }
}

/// Panels of a few columns go over all rows before the next ones: they stay in the caches.
func multiplyListed(
    _ indices: UnsafePointer<Int32>, _ values: Floats, _ count: Int, _ lda: Int, _ packed: Floats, _ bias: Floats?,
    _ c: MutableFloats, _ ldc: Int, _ m: Int, _ n: Int, _ k: Int
) {
    var j = 0
    while j < n {
        let panels = n - j >= 4 * panelColumns ? 4 : n - j >= 2 * panelColumns ? 2 : 1
        let columns = n - j < panels * panelColumns ? n - j : panels * panelColumns
        var (first, end) = (0, 0)
        for r in 0..<m {
            while first < count && Int(indices[first]) < r * lda { first += 1 }
            end = end > first ? end : first
            while end < count && Int(indices[end]) < r * lda + k { end += 1 }
            let row = ListedRow(indices: indices, values: values, first: first, end: end, shift: r * lda)
            let target = c + r * ldc + j
            switch panels {
            case 4: multiplyFourPanels(row, packed + j * k, panelColumns * k, shifted(bias, j), target)
            case 2: multiplyTwoPanels(row, packed + j * k, panelColumns * k, shifted(bias, j), target)
            default: multiplyPanel(row, packed + j * k, shifted(bias, j), target, columns)
            }
        }
        j += columns
    }
}
