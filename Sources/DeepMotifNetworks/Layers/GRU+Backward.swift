// GRU+Backward: backpropagation through time. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

extension GRU {
    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let cache = pass.cache else { preconditionFailure("backward without a cache") }
        let scratch = Scratch(layer: self, length: pass.input.length, rows: pass.rows)
        (pass.scratch + scratch.zeros).update(repeating: 0, count: units)
        var states = output
        var stateGradient = Floats(outputGradient)
        if !returnsSequences {
            states = Floats(cachedStates(cache, pass))
            stateGradient = spreadLastGradients(outputGradient, pass.scratch + scratch.products, pass)
        }
        let positions = pass.rows * pass.input.length
        let layout = Prepared(layer: self, kernels: pass.kernels)
        for direction in 0..<directions {
            let gates = cache + direction * cachedGates(pass)
            let own = states + direction * units
            differentiate(direction, own, stateGradient + direction * units, gates, scratch, layout, pass)
            if let parameterGradient {
                addParameterGradient(
                    input.floats, own, Floats(gates), parameterGradient + direction * directionCount, direction,
                    columns: pass.scratch + scratch.columns, pass)
            }
            if let inputGradient {
                let weights = pass.prepared + direction * layout.count + layout.inputBackward
                pass.kernels.multiply(
                    Floats(gates), 4 * units, weights, nil, inputGradient, channels, positions, channels, 3 * units,
                    direction == 1)
            }
        }
    }

    /// The gradient of all states where only the last of each direction are the output.
    private func spreadLastGradients(_ dy: MutableFloats, _ gradient: MutableFloats, _ pass: LayerPass) -> Floats {
        gradient.update(repeating: 0, count: pass.rows * pass.input.length * outputWidth)
        forEachLastState(pass) { state, place in (gradient + state).update(from: dy + place, count: units) }
        return Floats(gradient)
    }

    /// All steps from the last to the first: the gates become the gradients of their sums.
    private func differentiate(
        _ direction: Int, _ states: Floats, _ dy: Floats, _ gates: MutableFloats, _ scratch: Scratch,
        _ layout: Prepared, _ pass: LayerPass
    ) {
        let table = pass.table
        let length = pass.input.length
        let prepared = pass.prepared + direction * layout.count
        let (carry, reset) = (pass.scratch + scratch.carry, pass.scratch + scratch.reset)
        let stride = length * 4 * units
        carry.update(repeating: 0, count: pass.rows * units)
        for number in (0..<length).reversed() {
            let position = direction == 0 ? number : length - 1 - number
            let before = direction == 0 ? position - 1 : position + 1
            let own = gates + position * 4 * units
            let step = step(
                at: position, previous: number > 0 ? before : nil, states: states, gates: own, gateStride: stride,
                scratch: scratch, pass)
            table.pointee.layers.gruStateGradient(step, dy + position * outputWidth, length * outputWidth, carry)
            let candidate = prepared + layout.candidateBackward
            if resetsAfter {
                table.pointee.multiply(
                    Floats(own + 3 * units), stride, candidate, nil, carry, units, pass.rows, units, units, true)
            } else {
                table.pointee.multiply(
                    Floats(own + 2 * units), stride, candidate, nil, reset, units, pass.rows, units, units, false)
                table.pointee.layers.gruResetGradient(step, Floats(reset), carry)
            }
            table.pointee.multiply(
                Floats(own), stride, prepared + layout.gatesBackward, nil, carry, units, pass.rows, units, 2 * units,
                true)
        }
    }

    private func addParameterGradient(
        _ x: Floats, _ states: Floats, _ gates: Floats, _ gradient: MutableFloats, _ direction: Int,
        columns: MutableFloats, _ pass: LayerPass
    ) {
        let table = pass.table
        let length = pass.input.length
        let positions = pass.rows * length
        let width = 4 * units
        table.pointee.multiplyTransposed(
            gates, width, x, channels, gradient, channels, 3 * units, channels, positions)
        let recurrent = gradient + recurrentStart
        let candidate = recurrent + 2 * units * units
        // Each step's gates met the state of the step before; the first step met zeros.
        let first = direction == 0 ? 1 : 0
        for row in 0..<pass.rows {
            let own = gates + (row * length + first) * width
            let before = states + (row * length + 1 - first) * outputWidth
            table.pointee.multiplyTransposed(
                own, width, before, outputWidth, recurrent, units, 2 * units, units, length - 1)
            guard resetsAfter else { continue }
            table.pointee.multiplyTransposed(
                own + 3 * units, width, before, outputWidth, candidate, units, units, units, length - 1)
        }
        if !resetsAfter {
            // The fourth quantity still holds r times the state that the candidate's product read.
            table.pointee.multiplyTransposed(
                gates + 2 * units, width, gates + 3 * units, width, candidate, units, units, units, positions)
        }
        columns.update(repeating: 0, count: width)
        table.pointee.addColumnSums(gates, positions, width, columns)
        let bias = gradient + biasStart
        for i in 0..<(3 * units) { bias[i] += columns[i] }
        guard resetsAfter else { return }
        for i in 0..<(3 * units) { bias[3 * units + i] += columns[i < 2 * units ? i : units + i] }
    }
}
