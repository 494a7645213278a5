// LSTM+Backward: backpropagation through time. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

extension LSTM {
    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let saved = pass.cache else { preconditionFailure("backward without a cache") }
        let length = pass.input.length
        let scratch = Scratch(layer: self, length: length, rows: pass.rows, kernels: pass.kernels)
        let cache = Cache(layer: self, length: length, rows: pass.rows, kernels: pass.kernels)
        let layout = preparedLayout(kernels: pass.kernels)
        var states = output
        var stateGradient = Floats(outputGradient)
        if !returnsSequences {
            states = Floats(saved + cache.hidden)
            stateGradient = spreadLastGradients(outputGradient, pass.scratch + scratch.hiddenGradient, pass)
        }
        for direction in 0..<directions {
            let prepared = pass.prepared + direction * layout.count
            let gates = saved + direction * cache.direction + cache.gates
            let cells = saved + direction * cache.direction + cache.cells
            pass.kernels.lstmBackward(
                stateGradient + direction * units, Floats(gates), Floats(cells), prepared + layout.recurrentTransposed,
                gates, pass.scratch + scratch.kernel, geometry(pass, direction: direction))
            if let parameterGradient {
                let gradient = parameterGradient + direction * directionCount
                let work = pass.scratch + scratch.weights
                addInputWeightGradient(
                    input, gates, gradient, work, lists: pass.scratch + scratch.lists, direction, pass)
                addRecurrentGradient(states + direction * units, gates, gradient, work, direction, pass)
            }
            if let inputGradient {
                writeInputGradient(input, gates, inputGradient, prepared, layout, direction, pass)
            }
        }
    }

    /// The gradient of all states where only the last of each direction are the output.
    private func spreadLastGradients(_ dy: Floats, _ gradient: MutableFloats, _ pass: LayerPass) -> Floats {
        let length = pass.input.length
        gradient.update(repeating: 0, count: pass.rows * length * outputWidth)
        for row in 0..<pass.rows {
            for direction in 0..<directions {
                let position = direction == 0 ? length - 1 : 0
                (gradient + (row * length + position) * outputWidth + direction * units).update(
                    from: dy + row * outputWidth + direction * units, count: units)
            }
        }
        return Floats(gradient)
    }

    /// Input weights and bias: sums in the kernels' order of gates, then added to PyTorch's.
    private func addInputWeightGradient(
        _ input: LayerInput, _ gates: Floats, _ gradient: MutableFloats, _ work: MutableFloats,
        lists: MutableFloats, _ direction: Int, _ pass: LayerPass
    ) {
        let gateWidth = 4 * pass.kernels.paddedUnits(units)
        let positions = pass.rows * pass.input.length
        let bias = gradient + 4 * units * (inputWidth + units)
        switch input {
        case .codes(let codes):
            work.update(repeating: 0, count: 5 * gateWidth)
            pass.kernels.addRowsByCode(codes, gates, positions, gateWidth, work)
            forEachGate(pass.kernels) { row, place in
                var sum = work[letterCount * gateWidth + place]
                for code in 0..<letterCount {
                    let value = work[code * gateWidth + place]
                    gradient[row * inputWidth + code] += value
                    sum += value
                }
                bias[row] += sum
            }
        case .dense(let x):
            let own = splitsInput ? x + direction * inputWidth : x
            work.update(repeating: 0, count: gateWidth * inputWidth)
            addInputProducts(own, gates, lists: lists, to: work, pass)
            forEachGate(pass.kernels) { row, place in
                let target = gradient + row * inputWidth
                for i in 0..<inputWidth { target[i] += work[i * gateWidth + place] }
            }
            work.update(repeating: 0, count: gateWidth)
            pass.kernels.addColumnSums(gates, positions, gateWidth, work)
            forEachGate(pass.kernels) { row, place in bias[row] += work[place] }
        }
    }

    /// Recurrent weights: each step's gates met the state of the step before; the first step met zeros.
    private func addRecurrentGradient(
        _ states: Floats, _ gates: Floats, _ gradient: MutableFloats, _ work: MutableFloats, _ direction: Int,
        _ pass: LayerPass
    ) {
        let length = pass.input.length
        let gateWidth = 4 * pass.kernels.paddedUnits(units)
        work.update(repeating: 0, count: gateWidth * units)
        let gateStart = direction == 0 ? 1 : 0
        for row in 0..<pass.rows {
            pass.kernels.multiplyTransposed(
                gates + (row * length + gateStart) * gateWidth, gateWidth,
                states + (row * length + 1 - gateStart) * outputWidth, outputWidth, work, units, gateWidth, units,
                length - 1)
        }
        let weights = gradient + 4 * units * inputWidth
        forEachGate(pass.kernels) { row, place in
            let target = weights + row * units
            let source = work + place * units
            for i in 0..<units { target[i] += source[i] }
        }
    }

    /// Gates x input weights, sequence by sequence: dot products where few elements are wanted.
    private func writeInputGradient(
        _ input: LayerInput, _ gates: Floats, _ inputGradient: MutableFloats, _ prepared: Floats, _ layout: Prepared,
        _ direction: Int, _ pass: LayerPass
    ) {
        let kernels = pass.table
        let gateWidth = 4 * pass.kernels.paddedUnits(units)
        let length = pass.input.length
        let start = splitsInput ? direction * inputWidth : 0
        let adds = direction == 1 && !splitsInput
        var masks: Floats?
        if case .dense(let x) = input, pass.zerosBlockGradient { masks = x }
        for row in 0..<pass.rows {
            let own = gates + row * length * gateWidth
            let target = inputGradient + row * length * channels + start
            let mask = masks.map { $0 + row * length * channels }
            if inputWidth <= LSTM.fewColumns || isMostlyZero(mask, pass) {
                kernels.pointee.multiplyMasked(
                    own, gateWidth, prepared + layout.transposed, mask.map { $0 + start }, target, channels, length,
                    inputWidth,
                    gateWidth, adds)
            } else {
                kernels.pointee.multiply(
                    own, gateWidth, prepared + layout.backward, nil, target, channels, length, inputWidth, gateWidth,
                    adds)
            }
        }
    }

    /// Calls with each row of PyTorch's order and its place in the kernels' order.
    @inline(__always)
    private func forEachGate(_ kernels: KernelTable, _ body: (_ row: Int, _ place: Int) -> Void) {
        for gate in 0..<4 {
            for unit in 0..<units { body(gate * units + unit, gateIndex(gate, unit, kernels: kernels)) }
        }
    }
}
