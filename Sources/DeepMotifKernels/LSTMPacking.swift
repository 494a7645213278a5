// LSTMPacking: recurrent weights in the order in which the passes read them.

import DeepMotifKernelTable

/// Units of one block of gates: one vector.
let gateLanes = laneCount

/// Sequences that one pass carries through all positions together: their states stay in the first-level cache.
let sequencesAtOnce = 2 * tileRows

/// Floats of scratch memory of either pass: hidden states, cells and gate sums of the sequences at once.
func lstmScratchCount(_ paddedUnits: Int) -> Int { 6 * sequencesAtOnce * paddedUnits }

/// Unit and gate of column `column` of a row of gates.
@inline(__always)
private func gateOfColumn(_ column: Int) -> (unit: Int, gate: Int) {
    (column / (4 * gateLanes) * gateLanes + column % gateLanes, column / gateLanes % 4)
}

/// The transpose in panels of two vectors of gates, as `packMatrix` makes them.
func packRecurrent(_ weights: Floats, _ units: Int, _ paddedUnits: Int, _ packed: MutableFloats) {
    for column in 0..<4 * paddedUnits {
        let (unit, gate) = gateOfColumn(column)
        let target = packed + column / panelColumns * panelColumns * units + column % panelColumns
        for k in 0..<units {
            target[k * panelColumns] = unit < units ? weights[(gate * units + unit) * units + k] : 0
        }
    }
}

/// Rows in the order of a row of gates, columns in panels of two vectors; the last panel has one where the number of
/// blocks is odd.
func packRecurrentTransposed(_ weights: Floats, _ units: Int, _ paddedUnits: Int, _ packed: MutableFloats) {
    let rows = 4 * paddedUnits
    for row in 0..<rows {
        let (unit, gate) = gateOfColumn(row)
        for k in 0..<paddedUnits {
            let first = k / panelColumns * panelColumns
            let width = paddedUnits - first < panelColumns ? gateLanes : panelColumns
            let isReal = unit < units && k < units
            packed[first * rows + row * width + k - first] =
                isReal ? weights[(gate * units + unit) * units + k] : 0
        }
    }
}
