// GRU: gated recurrent units, one or two directions. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// h = (1 - z) n + z h', with r, z = sigmoid(W x + b + R h' + c) and n = tanh(W x + b + r (R h' + c)) where the reset comes
/// behind the product, as in PyTorch; n = tanh(W x + b + R (r h')) without c where it comes before it (Cho et al. 2014).
///
/// Each direction has weight_ih (3H, D), weight_hh (3H, H), bias_ih (3H) and, with reset behind the product, bias_hh (3H),
/// gates r z n, in both layouts; the second direction reads from the last position to the first and its arrays are named
/// `_reverse`. The output holds the forward H channels, then the backward ones. Without `returnsSequences` it is each
/// direction's last state.
package struct GRU: Layer {
    package let kind = "gru"
    package let units: Int
    package let channels: Int
    package let isBidirectional: Bool
    package let returnsSequences: Bool
    package let resetsAfter: Bool

    var directions: Int { isBidirectional ? 2 : 1 }
    var outputWidth: Int { units * directions }
    /// Scalars of one direction, and where its parts start.
    var recurrentStart: Int { 3 * units * channels }
    var biasStart: Int { 3 * units * (channels + units) }
    var directionCount: Int { biasStart + 3 * units * (resetsAfter ? 2 : 1) }

    package var needsOutput: Bool { returnsSequences }

    package var parameterArrays: [ParameterArray] {
        var arrays: [ParameterArray] = []
        for suffix in ["", "_reverse"].prefix(directions) {
            arrays.append(ParameterArray("weight_ih" + suffix, [3 * units, channels]))
            arrays.append(ParameterArray("weight_hh" + suffix, [3 * units, units]))
            arrays.append(ParameterArray("bias_ih" + suffix, [3 * units]))
            if resetsAfter { arrays.append(ParameterArray("bias_hh" + suffix, [3 * units])) }
        }
        return arrays
    }

    package func outputShape(for input: Shape) throws(DeepMotifError) -> Shape {
        guard input.channels == channels else {
            throw .shape("gru was made for \(channels) channels; got \(input.channels)")
        }
        return Shape(length: returnsSequences ? input.length : 1, channels: outputWidth)
    }

    package func initialize(_ parameters: MutableFloats, random: inout RandomSource) {
        drawUniform(parameters, count: parameterCount, bound: 1 / Float(units).squareRoot(), random: &random)
    }

    // MARK: Prepared weights

    /// Where the packed forms of one direction start: input weights forward and backward, recurrent weights forward,
    /// whole or without the candidate and of the candidate alone, and backward, without the candidate and alone.
    struct Prepared {
        var inputBackward: Int
        var recurrent: Int
        var candidate: Int
        var gatesBackward: Int
        var candidateBackward: Int
        var count: Int

        init(layer: GRU, kernels: KernelTable) {
            let (h, d) = (layer.units, layer.channels)
            inputBackward = aligned(kernels.packedCount(k: d, n: 3 * h))
            recurrent = inputBackward + aligned(kernels.packedCount(k: 3 * h, n: d))
            candidate = recurrent + aligned(kernels.packedCount(k: h, n: layer.resetsAfter ? 3 * h : 2 * h))
            gatesBackward = candidate + (layer.resetsAfter ? 0 : aligned(kernels.packedCount(k: h, n: h)))
            candidateBackward = gatesBackward + aligned(kernels.packedCount(k: 2 * h, n: h))
            count = candidateBackward + aligned(kernels.packedCount(k: h, n: h))
        }
    }

    package func preparedCount(kernels: KernelTable) -> Int {
        directions * Prepared(layer: self, kernels: kernels).count
    }

    package func prepare(_ parameters: Floats, to prepared: MutableFloats, kernels: KernelTable) {
        let layout = Prepared(layer: self, kernels: kernels)
        for direction in 0..<directions {
            let input = parameters + direction * directionCount
            let recurrent = input + recurrentStart
            let candidate = recurrent + 2 * units * units
            let target = prepared + direction * layout.count
            kernels.packMatrix(input, 1, channels, channels, 3 * units, target)
            kernels.packMatrix(input, channels, 1, 3 * units, channels, target + layout.inputBackward)
            let columns = resetsAfter ? 3 * units : 2 * units
            kernels.packMatrix(recurrent, 1, units, units, columns, target + layout.recurrent)
            if !resetsAfter { kernels.packMatrix(candidate, 1, units, units, units, target + layout.candidate) }
            kernels.packMatrix(recurrent, units, 1, 2 * units, units, target + layout.gatesBackward)
            kernels.packMatrix(candidate, units, 1, units, units, target + layout.candidateBackward)
        }
    }

    // MARK: Memory

    /// Where the parts of the scratch memory start.
    struct Scratch {
        /// Input products (rows, L, 3H); in the backward pass the gradient of all states where only the last are the
        /// output.
        var products = 0
        /// Recurrent products (rows, 3H).
        var sums: Int
        /// Gates (rows, 4H) where there is no cache.
        var gates: Int
        /// A state of zeros (H).
        var zeros: Int
        /// Gradients of the state (rows, H) and of r times the state; sums of columns (4H).
        var carry: Int
        var reset: Int
        var columns: Int
        /// Hidden states (rows, L, directions H) where the output does not hold them.
        var hidden: Int
        var count: Int

        init(layer: GRU, length: Int, rows: Int) {
            let h = layer.units
            sums = aligned(rows * length * max(3 * h, layer.outputWidth))
            gates = sums + aligned(rows * 3 * h)
            zeros = gates + aligned(rows * 4 * h)
            carry = zeros + aligned(h)
            reset = carry + aligned(rows * h)
            columns = reset + aligned(rows * h)
            hidden = columns + aligned(4 * h)
            count = hidden + (layer.returnsSequences ? 0 : rows * length * layer.outputWidth)
        }
    }

    package func scratchCount(for input: Shape, rows: Int, kernels: KernelTable) -> Int {
        Scratch(layer: self, length: input.length, rows: rows).count
    }

    /// Gates (rows, L, 4H) of each direction, then the states where the output does not hold them.
    package func cacheCount(for input: Shape, kernels: KernelTable) -> Int {
        input.length * (directions * 4 * units + (returnsSequences ? 0 : outputWidth))
    }

    func cachedStates(_ cache: MutableFloats, _ pass: LayerPass) -> MutableFloats {
        cache + directions * cachedGates(pass)
    }

    /// Floats of one direction's gates.
    func cachedGates(_ pass: LayerPass) -> Int { pass.rows * pass.input.length * 4 * units }

    /// The step at `position`; `previous` is the position of the step before, if any. `states` and `gates` start at the
    /// direction's first float.
    func step(
        at position: Int, previous: Int?, states: Floats, gates: MutableFloats, gateStride: Int, scratch: Scratch,
        _ pass: LayerPass
    ) -> GRUStep {
        let length = pass.input.length
        return GRUStep(
            rows: pass.rows, units: units, resetsAfter: resetsAfter,
            inputs: Floats(pass.scratch + scratch.products + position * 3 * units), inputStride: length * 3 * units,
            sums: Floats(pass.scratch + scratch.sums),
            previous: previous.map { states + $0 * outputWidth } ?? Floats(pass.scratch + scratch.zeros),
            previousStride: previous == nil ? 0 : length * outputWidth, gates: gates, gateStride: gateStride)
    }

    // MARK: Forward

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        let scratch = Scratch(layer: self, length: pass.input.length, rows: pass.rows)
        (pass.scratch + scratch.zeros).update(repeating: 0, count: units)
        var states = output
        if !returnsSequences { states = pass.cache.map { cachedStates($0, pass) } ?? pass.scratch + scratch.hidden }
        for direction in 0..<directions { run(direction, input.floats, states + direction * units, scratch, pass) }
        if !returnsSequences { copyLastStates(states, output, pass) }
    }

    private func run(
        _ direction: Int, _ x: Floats, _ states: MutableFloats, _ scratch: Scratch, _ pass: LayerPass
    ) {
        let table = pass.table
        let length = pass.input.length
        let layout = Prepared(layer: self, kernels: pass.kernels)
        let prepared = pass.prepared + direction * layout.count
        let parameters = pass.parameters + direction * directionCount
        let recurrentBias = resetsAfter ? parameters + biasStart + 3 * units : nil
        table.pointee.multiply(
            x, channels, prepared, parameters + biasStart, pass.scratch + scratch.products, 3 * units,
            pass.rows * length, 3 * units, channels, false)
        let sums = pass.scratch + scratch.sums
        let cached = pass.cache.map { $0 + direction * cachedGates(pass) }
        for number in 0..<length {
            let position = direction == 0 ? number : length - 1 - number
            let before = direction == 0 ? position - 1 : position + 1
            let gates = cached.map { $0 + position * 4 * units } ?? pass.scratch + scratch.gates
            let step = step(
                at: position, previous: number > 0 ? before : nil, states: Floats(states), gates: gates,
                gateStride: cached == nil ? 4 * units : length * 4 * units, scratch: scratch, pass)
            table.pointee.multiply(
                step.previous, step.previousStride, prepared + layout.recurrent, recurrentBias, sums, 3 * units,
                pass.rows, resetsAfter ? 3 * units : 2 * units, units, false)
            table.pointee.layers.gruGates(step)
            if !resetsAfter {
                table.pointee.multiply(
                    Floats(gates + 3 * units), step.gateStride, prepared + layout.candidate, nil, sums + 2 * units,
                    3 * units, pass.rows, units, units, false)
            }
            table.pointee.layers.gruState(step, states + position * outputWidth, length * outputWidth)
        }
    }

    /// The forward direction ends at the last position, the backward one at the first.
    private func copyLastStates(_ states: MutableFloats, _ output: MutableFloats, _ pass: LayerPass) {
        forEachLastState(pass) { state, place in (output + place).update(from: states + state, count: units) }
    }

    /// Calls with the place of each last state among all states and in the output.
    @inline(__always)
    func forEachLastState(_ pass: LayerPass, _ body: (_ state: Int, _ place: Int) -> Void) {
        for row in 0..<pass.rows {
            for direction in 0..<directions {
                let position = direction == 0 ? pass.input.length - 1 : 0
                body(
                    (row * pass.input.length + position) * outputWidth + direction * units,
                    row * outputWidth + direction * units)
            }
        }
    }
}
