// LSTM: long short-term memory, one or two directions. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// Hochreiter and Schmidhuber 1997 with forget gates (Gers et al. 2000), no peepholes, zero initial state:
/// c = f c + i g, h = o tanh(c), with i, f, o = sigmoid and g = tanh of W x + R h + b.
///
/// Each direction has weight_ih (4H, D), weight_hh (4H, H), bias (4H), gates i f g o, in both layouts; the second
/// direction reads from the last position to the first and its arrays are named `_reverse`. The output holds the forward
/// H channels, then the backward ones. Without `returnsSequences` it is each direction's last state.
package struct LSTM: Layer {
    package let kind = "lstm"
    package let units: Int
    package let channels: Int
    package let isBidirectional: Bool
    package let returnsSequences: Bool
    /// Each direction reads its own half of the channels.
    package let splitsInput: Bool

    var directions: Int { isBidirectional ? 2 : 1 }
    /// Channels that one direction reads (D).
    var inputWidth: Int { splitsInput ? channels / 2 : channels }
    var outputWidth: Int { units * directions }
    /// Scalars of one direction.
    var directionCount: Int { 4 * units * (inputWidth + units + 1) }

    package var acceptsCodes: Bool { channels == letterCount && !splitsInput }
    package var needsOutput: Bool { returnsSequences }

    package var parameterArrays: [ParameterArray] {
        ["", "_reverse"].prefix(directions).flatMap { suffix in
            [
                ParameterArray("weight_ih" + suffix, [4 * units, inputWidth]),
                ParameterArray("weight_hh" + suffix, [4 * units, units]),
                ParameterArray("bias" + suffix, [4 * units]),
            ]
        }
    }

    package func outputShape(for input: Shape) throws(DeepMotifError) -> Shape {
        guard input.channels == channels else {
            throw .shape("lstm was made for \(channels) channels; got \(input.channels)")
        }
        return Shape(length: returnsSequences ? input.length : 1, channels: outputWidth)
    }

    package func initialize(_ parameters: MutableFloats, random: inout RandomSource) {
        let weights = 4 * units * (inputWidth + units)
        let deviation = 1 / Double(inputWidth + units).squareRoot()
        for direction in 0..<directions {
            let values = parameters + direction * directionCount
            for i in 0..<weights { values[i] = Float(deviation * random.normal()) }
            for i in 0..<(4 * units) { values[weights + i] = i / units == 1 ? 1 : 0 }
        }
    }

    // MARK: Prepared weights

    /// Where the prepared forms of one direction start. P is the number of padded units, and rows of gates are in the
    /// kernels' order (LSTMGeometry).
    struct Prepared {
        /// Input weights (4P, D) and bias (4P).
        var weights: Int
        var bias: Int
        /// Table (5, 4P) of input product and bias by code.
        var table: Int
        var forward: Int
        var backward: Int
        /// Input weights, transposed: (D, 4P).
        var transposed: Int
        var recurrent: Int
        var recurrentTransposed: Int
        var count: Int
    }

    func preparedLayout(kernels: KernelTable) -> Prepared {
        let padded = kernels.paddedUnits(units)
        let bias = aligned(4 * padded * inputWidth)
        let table = bias + aligned(4 * padded)
        let forward = table + (acceptsCodes ? aligned(5 * 4 * padded) : 0)
        let backward = forward + aligned(kernels.packedCount(k: inputWidth, n: 4 * padded))
        let transposed = backward + aligned(kernels.packedCount(k: 4 * padded, n: inputWidth))
        let recurrent = transposed + aligned(4 * padded * inputWidth)
        let recurrentTransposed = recurrent + aligned(units * 4 * padded)
        return Prepared(
            weights: 0, bias: bias, table: table, forward: forward, backward: backward, transposed: transposed,
            recurrent: recurrent, recurrentTransposed: recurrentTransposed,
            count: recurrentTransposed + aligned(4 * padded * padded))
    }

    /// Place of gate `gate` of unit `unit` in a row of gates.
    func gateIndex(_ gate: Int, _ unit: Int, kernels: KernelTable) -> Int {
        (unit / kernels.lstmLanes * 4 + gate) * kernels.lstmLanes + unit % kernels.lstmLanes
    }

    package func preparedCount(kernels: KernelTable) -> Int { directions * preparedLayout(kernels: kernels).count }

    package func prepare(_ parameters: Floats, to prepared: MutableFloats, kernels: KernelTable) {
        let layout = preparedLayout(kernels: kernels)
        let padded = kernels.paddedUnits(units)
        for direction in 0..<directions {
            let source = parameters + direction * directionCount
            let target = prepared + direction * layout.count
            orderGates(source, target, layout, kernels)
            if acceptsCodes { fillTable(target, layout, padded) }
            kernels.packMatrix(
                target + layout.weights, 1, inputWidth, inputWidth, 4 * padded, target + layout.forward)
            kernels.packMatrix(
                target + layout.weights, inputWidth, 1, 4 * padded, inputWidth, target + layout.backward)
            for i in 0..<inputWidth {
                for place in 0..<(4 * padded) {
                    target[layout.transposed + i * 4 * padded + place] = target[layout.weights + place * inputWidth + i]
                }
            }
            let recurrent = source + 4 * units * inputWidth
            kernels.packRecurrent(recurrent, units, padded, target + layout.recurrent)
            kernels.packRecurrentTransposed(recurrent, units, padded, target + layout.recurrentTransposed)
        }
    }

    /// Input weights and bias in the kernels' order of gates, padding units zero.
    private func orderGates(_ source: Floats, _ target: MutableFloats, _ layout: Prepared, _ kernels: KernelTable) {
        let bias = source + 4 * units * (inputWidth + units)
        target.update(repeating: 0, count: layout.table)
        for gate in 0..<4 {
            for unit in 0..<units {
                let row = gate * units + unit
                let place = gateIndex(gate, unit, kernels: kernels)
                (target + layout.weights + place * inputWidth).update(
                    from: source + row * inputWidth, count: inputWidth)
                target[layout.bias + place] = bias[row]
            }
        }
    }

    private func fillTable(_ target: MutableFloats, _ layout: Prepared, _ padded: Int) {
        let bias = target + layout.bias
        for code in 0..<5 {
            let row = target + layout.table + code * 4 * padded
            for i in 0..<(4 * padded) {
                row[i] = bias[i] + (code < letterCount ? target[layout.weights + i * inputWidth + code] : 0)
            }
        }
    }

    // MARK: Forward

    /// Where the parts of the scratch memory start.
    struct Scratch {
        /// Input products (rows, L, 4P) of each direction, in the backward pass the gradient of the table or of the
        /// ordered weights.
        var gates: Int
        var direction: Int
        /// The kernels' own.
        var kernel: Int
        /// Hidden states (rows, L, directions H) where the output does not hold them, and their gradient.
        var hidden: Int
        var hiddenGradient: Int
        var weights: Int
        /// Non-zeros of one sequence of the input.
        var lists: Int
        var count: Int

        init(layer: LSTM, length: Int, rows: Int, kernels: KernelTable) {
            let padded = kernels.paddedUnits(layer.units)
            let states = layer.returnsSequences ? 0 : aligned(rows * length * layer.outputWidth)
            gates = 0
            direction = aligned(rows * length * 4 * padded)
            kernel = layer.directions * direction
            hidden = kernel + aligned(kernels.lstmScratchCount(padded))
            hiddenGradient = hidden + states
            weights = hiddenGradient + states
            lists = weights + aligned(4 * padded * max(layer.inputWidth, 5)) + aligned(4 * padded * layer.units)
            count = lists + layer.listCount(length: length)
        }
    }

    /// Where the parts of the cache start, for all rows of a pass: gates and cells of each direction, then the hidden
    /// states where the output does not hold them.
    struct Cache {
        var gates: Int
        var cells: Int
        var direction: Int
        var hidden: Int

        init(layer: LSTM, length: Int, rows: Int, kernels: KernelTable) {
            let padded = kernels.paddedUnits(layer.units)
            gates = 0
            cells = rows * length * 4 * padded
            direction = rows * length * 5 * padded
            hidden = layer.directions * direction
        }
    }

    package func scratchCount(for input: Shape, rows: Int, kernels: KernelTable) -> Int {
        Scratch(layer: self, length: input.length, rows: rows, kernels: kernels).count
    }

    package func cacheCount(for input: Shape, kernels: KernelTable) -> Int {
        let states = returnsSequences ? 0 : outputWidth
        return input.length * (directions * 5 * kernels.paddedUnits(units) + states)
    }

    func geometry(_ pass: LayerPass, direction: Int) -> LSTMGeometry {
        LSTMGeometry(
            rows: pass.rows, length: pass.input.length, units: units, paddedUnits: pass.kernels.paddedUnits(units),
            isReversed: direction == 1, outputStride: outputWidth)
    }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        let length = pass.input.length
        let scratch = Scratch(layer: self, length: length, rows: pass.rows, kernels: pass.kernels)
        let cache = Cache(layer: self, length: length, rows: pass.rows, kernels: pass.kernels)
        var states = output
        if !returnsSequences { states = pass.cache.map { $0 + cache.hidden } ?? pass.scratch + scratch.hidden }
        if case .dense(let x) = input { writeInputProducts(x, scratch, pass) }
        for direction in 0..<directions {
            let saved = pass.cache.map { $0 + direction * cache.direction }
            runDirection(direction, input, states + direction * units, saved, cache, scratch, pass)
        }
        if !returnsSequences { copyLastStates(states, output, length: length, rows: pass.rows) }
    }

    private func runDirection(
        _ direction: Int, _ input: LayerInput, _ states: MutableFloats, _ saved: MutableFloats?, _ cache: Cache,
        _ scratch: Scratch, _ pass: LayerPass
    ) {
        let layout = preparedLayout(kernels: pass.kernels)
        let prepared = pass.prepared + direction * layout.count
        var codes: UnsafePointer<UInt8>?
        var gateInputs = prepared + layout.table
        switch input {
        case .codes(let letters): codes = letters
        case .dense: gateInputs = Floats(pass.scratch + scratch.gates + direction * scratch.direction)
        }
        pass.kernels.lstmForward(
            codes, gateInputs, prepared + layout.recurrent, states, saved.map { $0 + cache.gates },
            saved.map { $0 + cache.cells }, pass.scratch + scratch.kernel, geometry(pass, direction: direction))
    }

    /// The forward direction ends at the last position, the backward one at the first.
    private func copyLastStates(_ states: Floats, _ output: MutableFloats, length: Int, rows: Int) {
        for row in 0..<rows {
            for direction in 0..<directions {
                let position = direction == 0 ? length - 1 : 0
                let state = states + (row * length + position) * outputWidth + direction * units
                (output + row * outputWidth + direction * units).update(from: state, count: units)
            }
        }
    }
}
