// LSTMForward: all steps of one direction. A step is three phases for some sequences at once: the recurrent product by
// the tiles of the dense product, gates and cells, hidden states; the vectors of a phase are independent of each other.

import DeepMotifKernelTable

/// Where one block of sequences reads and writes.
private struct ForwardPass {
    var codes: UnsafePointer<UInt8>?
    var gateInputs: Floats
    var output: MutableFloats
    var gates: MutableFloats?
    var cells: MutableFloats?
    var hidden: MutableFloats
    var cell: MutableFloats
    var sums: MutableFloats
    var units: Int
    var padded: Int
    var outputStride: Int
    var length: Int
}

/// The second phase for one sequence: gates, which replace their sums, and cell. `inputs` are the input product's gates,
/// `gates` and `cells` where the backward pass finds them.
@inline(__always)
private func updateCells(
    _ pass: ForwardPass, _ sums: MutableFloats, _ inputs: Floats, _ cell: MutableFloats, _ gates: MutableFloats?,
    _ cells: MutableFloats?
) {
    var u = 0
    while u < pass.padded {
        let (sum, input) = (sums + 4 * u, inputs + 4 * u)
        let i = sigmoidLanes(load(sum) + load(input))
        let f = sigmoidLanes(load(sum + gateLanes) + load(input + gateLanes))
        let g = tanhLanes(load(sum + 2 * gateLanes) + load(input + 2 * gateLanes))
        let o = sigmoidLanes(load(sum + 3 * gateLanes) + load(input + 3 * gateLanes))
        let c = accumulate(i * g, f, load(cell + u))
        store(c, cell + u)
        store(o, sum + 3 * gateLanes)
        if let gates {
            let target = gates + 4 * u
            store(i, target)
            store(f, target + gateLanes)
            store(g, target + 2 * gateLanes)
            store(o, target + 3 * gateLanes)
        }
        if let cells { store(c, cells + u) }
        u += gateLanes
    }
}

/// The third phase for one sequence: hidden = o tanh(cell). A loop of its own, because the chain from the sums through
/// both activation functions is longer than what a processor keeps in flight.
@inline(__always)
private func updateHidden(
    _ pass: ForwardPass, _ sums: Floats, _ cell: Floats, _ hidden: MutableFloats, _ output: MutableFloats
) {
    var u = 0
    while u < pass.padded {
        let h = load(sums + 4 * u + 3 * gateLanes) * tanhLanes(load(cell + u))
        store(h, hidden + u)
        if u + gateLanes <= pass.units { store(h, output + u) } else { storeFirst(h, output + u, pass.units - u) }
        u += gateLanes
    }
}

/// Second and third phase at `position` for `rows` sequences from `first` on.
private func updateStates(_ pass: ForwardPass, _ first: Int, _ rows: Int, _ position: Int) {
    let padded = pass.padded
    for row in 0..<rows {
        let p = (first + row) * pass.length + position
        let entry = if let codes = pass.codes { Int(codes[p]) } else { p }
        updateCells(
            pass, pass.sums + row * 4 * padded, pass.gateInputs + entry * 4 * padded, pass.cell + row * padded,
            pass.gates.map { $0 + p * 4 * padded }, pass.cells.map { $0 + p * padded })
    }
    for row in 0..<rows {
        let p = (first + row) * pass.length + position
        updateHidden(
            pass, pass.sums + row * 4 * padded, pass.cell + row * padded, pass.hidden + row * padded,
            pass.output + p * pass.outputStride)
    }
}

/// The first phase for a sequence alone, two panels at a time: the sums of one are too few to keep the processor busy.
private func multiplyState(_ pass: ForwardPass, _ recurrent: Floats) {
    var column = 0
    while column < 4 * pass.padded {
        let first = recurrent + column * pass.units
        let second = first + panelColumns * pass.units
        var (a, b, c, d) = (Lanes(), Lanes(), Lanes(), Lanes())
        var k = 0
        while k < pass.units {
            let factor = Lanes(repeating: pass.hidden[k])
            a = accumulate(a, factor, load(first + k &* panelColumns))
            b = accumulate(b, factor, load(first + k &* panelColumns + laneCount))
            c = accumulate(c, factor, load(second + k &* panelColumns))
            d = accumulate(d, factor, load(second + k &* panelColumns + laneCount))
            k &+= 1
        }
        let target = pass.sums + column
        store(a, target)
        store(b, target + laneCount)
        store(c, target + panelColumns)
        store(d, target + panelColumns + laneCount)
        column += 2 * panelColumns
    }
}

/// The first phase: sums = hidden x recurrent weights for `rows` sequences.
private func multiplyStates(_ pass: ForwardPass, _ recurrent: Floats, _ rows: Int) {
    if rows == 1 { return multiplyState(pass, recurrent) }
    let width = 4 * pass.padded
    let tiles = (rows + tileRows - 1) / tileRows
    var source: TileSource = (
        a: Floats(pass.hidden), rowStride: pass.padded, step: 1, b: recurrent, bStride: panelColumns, k: pass.units
    )
    var target = tileTarget(pass.sums, stride: width, columns: panelColumns, accumulates: false)
    for tile in 0..<tiles {
        let row = tile * rows / tiles
        let height = (tile + 1) * rows / tiles - row
        source.a = Floats(pass.hidden) + row * pass.padded
        var column = 0
        while column < width {
            source.b = recurrent + column * pass.units
            target.c = pass.sums + row * width + column
            wideTile(height, source, target)
            column += panelColumns
        }
    }
}

func lstmForward(
    _ codes: UnsafePointer<UInt8>?, _ gateInputs: Floats, _ recurrent: Floats, _ output: MutableFloats,
    _ gates: MutableFloats?, _ cells: MutableFloats?, _ scratch: MutableFloats, _ geometry: LSTMGeometry
) {
    let padded = geometry.paddedUnits
    let length = geometry.length
    let pass = ForwardPass(
        codes: codes, gateInputs: gateInputs, output: output, gates: gates, cells: cells, hidden: scratch,
        cell: scratch + sequencesAtOnce * padded, sums: scratch + 2 * sequencesAtOnce * padded, units: geometry.units,
        padded: padded, outputStride: geometry.outputStride, length: length)
    let blocks = (geometry.rows + sequencesAtOnce - 1) / sequencesAtOnce
    for block in 0..<blocks {
        let first = block * geometry.rows / blocks
        let rows = (block + 1) * geometry.rows / blocks - first
        for u in 0..<6 * sequencesAtOnce * padded { scratch[u] = 0 }
        for step in 0..<length {
            let position = geometry.isReversed ? length - 1 - step : step
            if step > 0 { multiplyStates(pass, recurrent, rows) }
            updateStates(pass, first, rows, position)
        }
    }
}
