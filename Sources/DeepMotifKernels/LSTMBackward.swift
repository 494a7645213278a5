// LSTMBackward: backpropagation through all steps of one direction, in the two phases of the forward pass: gates and
// cells, then the product with the recurrent weights that carries the gradient to the step before.

import DeepMotifKernelTable

/// Where one block of sequences reads and writes.
private struct BackwardPass {
    var outputGradient: Floats
    var gates: Floats
    var cells: Floats
    var gateGradients: MutableFloats
    /// Gradient of the hidden state that later steps have sent back.
    var hidden: MutableFloats
    var cell: MutableFloats
    var units: Int
    var padded: Int
    var outputStride: Int
}

/// Gradients of the gates of one sequence at position p; `previous` is the position of the step before, if any.
@inline(__always)
private func differentiateSequence(_ pass: BackwardPass, _ row: Int, _ p: Int, _ previous: Int?) {
    let padded = pass.padded
    let hidden = pass.hidden + row * padded
    let cell = pass.cell + row * padded
    let dy = pass.outputGradient + p * pass.outputStride
    let one = Lanes(repeating: 1)
    var u = 0
    while u < padded {
        let source = pass.gates + (p * padded + u) * 4
        let target = pass.gateGradients + (p * padded + u) * 4
        let (i, f) = (load(source), load(source + gateLanes))
        let (g, o) = (load(source + 2 * gateLanes), load(source + 3 * gateLanes))
        let before = if let previous { load(pass.cells + previous * padded + u) } else { Lanes() }
        let squashed = tanhLanes(load(pass.cells + p * padded + u))
        let fromOutput = u + gateLanes <= pass.units ? load(dy + u) : loadFirst(dy + u, pass.units - u)
        let dh = load(hidden + u) + fromOutput
        let dc = accumulate(load(cell + u), dh * o, one - squashed * squashed)
        store((dc * g) * (i * (one - i)), target)
        store((dc * before) * (f * (one - f)), target + gateLanes)
        store((dc * i) * (one - g * g), target + 2 * gateLanes)
        store((dh * squashed) * (o * (one - o)), target + 3 * gateLanes)
        store(dc * f, cell + u)
        u += gateLanes
    }
}

/// One panel of the product below for a sequence alone: both halves of the sum at a time keep the processor busy.
private func multiplyGradient(_ gates: Floats, _ panel: Floats, _ hidden: MutableFloats, _ half: Int) {
    var (low, high) = (Lanes(), Lanes())
    var (secondLow, secondHigh) = (Lanes(), Lanes())
    let second = panel + half * panelColumns
    var k = 0
    while k < half {
        let factor = Lanes(repeating: gates[k])
        let secondFactor = Lanes(repeating: gates[half &+ k])
        low = accumulate(low, factor, load(panel + k &* panelColumns))
        high = accumulate(high, factor, load(panel + k &* panelColumns + laneCount))
        secondLow = accumulate(secondLow, secondFactor, load(second + k &* panelColumns))
        secondHigh = accumulate(secondHigh, secondFactor, load(second + k &* panelColumns + laneCount))
        k &+= 1
    }
    store(low + secondLow, hidden)
    store(high + secondHigh, hidden + laneCount)
}

/// hidden = gate gradients at `position` x recurrent weights for `rows` sequences from `first` on. Panels are summed up
/// in two halves, each in the order of the gates, so that a sequence alone gets the same bytes.
private func multiplyGradients(
    _ pass: BackwardPass, _ recurrent: Floats, _ first: Int, _ rows: Int, _ position: Int, _ length: Int
) {
    let padded = pass.padded
    let width = 4 * padded
    let tiles = (rows + tileRows - 1) / tileRows
    for tile in 0..<tiles {
        let row = tile * rows / tiles
        let height = (tile + 1) * rows / tiles - row
        var source: TileSource = (
            a: Floats(pass.gateGradients) + ((first + row) * length + position) * width, rowStride: length * width,
            step: 1, b: recurrent, bStride: panelColumns, k: width
        )
        var target = tileTarget(pass.hidden, stride: padded, columns: panelColumns, accumulates: false)
        var column = 0
        while column + panelColumns <= padded {
            let panel = recurrent + column * width
            target.c = pass.hidden + row * padded + column
            if rows == 1 {
                multiplyGradient(source.a, panel, target.c, width / 2)
            } else {
                (source.b, source.k) = (panel, width / 2)
                target.accumulates = false
                wideTile(height, source, target)
                source.a += width / 2
                source.b += width / 2 * panelColumns
                target.accumulates = true
                wideTile(height, source, target)
                source.a -= width / 2
            }
            column += panelColumns
        }
        if column < padded {
            (source.b, source.k) = (recurrent + column * width, width)
            source.bStride = gateLanes
            target.c = pass.hidden + row * padded + column
            target.columns = gateLanes
            for r in 0..<height { store(Lanes(), target.c + r * padded) }
            narrowTile(height, source, target)
        }
    }
}

func lstmBackward(
    _ outputGradient: Floats, _ gates: Floats, _ cells: Floats, _ recurrent: Floats, _ gateGradients: MutableFloats,
    _ scratch: MutableFloats, _ geometry: LSTMGeometry
) {
    let padded = geometry.paddedUnits
    let length = geometry.length
    let pass = BackwardPass(
        outputGradient: outputGradient, gates: gates, cells: cells, gateGradients: gateGradients, hidden: scratch,
        cell: scratch + sequencesAtOnce * padded, units: geometry.units, padded: padded,
        outputStride: geometry.outputStride)
    let blocks = (geometry.rows + sequencesAtOnce - 1) / sequencesAtOnce
    for block in 0..<blocks {
        let first = block * geometry.rows / blocks
        let rows = (block + 1) * geometry.rows / blocks - first
        for u in 0..<2 * sequencesAtOnce * padded { scratch[u] = 0 }
        var step = length - 1
        while step >= 0 {
            let position = geometry.isReversed ? length - 1 - step : step
            let before = geometry.isReversed ? position + 1 : position - 1
            for row in 0..<rows {
                let start = (first + row) * length
                differentiateSequence(pass, row, start + position, step > 0 ? start + before : nil)
            }
            if step > 0 { multiplyGradients(pass, recurrent, first, rows, position, length) }
            step -= 1
        }
    }
}
