// ClassOptimization: gradient ascent to the input that a class likes best. Interpretation room.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifNetworks
import DeepMotifSequences

/// What is maximised and how.
package struct ClassOptimizationOptions: Sendable {
    package var quantity: TargetQuantity
    /// The input is the softmax of free variables, a distribution at every position; otherwise it is the variables.
    package var isSoftmax: Bool
    /// Lambda of the penalty lambda ||X||^2.
    package var l2: Float
    package var learningRate: Float
    /// Smoothing constant of RMSProp.
    package var alpha: Float
    /// Keeps RMSProp's divisor from zero, outside of the root.
    package var epsilon: Float

    /// Throws where a number is out of its range.
    package init(
        quantity: TargetQuantity, isSoftmax: Bool = false, l2: Float = 0.009, learningRate: Float = 0.05,
        alpha: Float = 0.99, epsilon: Float = 1e-8
    ) throws(DeepMotifError) {
        guard l2.isFinite, l2 >= 0 else { throw .invalidArgument("l2 must be finite and at least 0; got \(l2)") }
        guard learningRate.isFinite, learningRate > 0 else {
            throw .invalidArgument("learning_rate must be finite and above 0; got \(learningRate)")
        }
        guard alpha >= 0, alpha < 1 else { throw .invalidArgument("alpha must be in 0 ..< 1; got \(alpha)") }
        guard epsilon.isFinite, epsilon > 0 else {
            throw .invalidArgument("epsilon must be finite and above 0; got \(epsilon)")
        }
        self.quantity = quantity
        self.isSoftmax = isSoftmax
        self.l2 = l2
        self.learningRate = learningRate
        self.alpha = alpha
        self.epsilon = epsilon
    }
}

/// The free inputs of one run: R restarts of (L, 4), with the optimizer's state. Borrowed for one call.
package struct ClassOptimizationState {
    package var restarts: Int
    package var length: Int
    /// (R, L, 4): the inputs, or the logits of their distributions.
    package var variables: MutableFloats
    /// (R, L, 4): running means of squared gradients, zeros at first.
    package var squares: MutableFloats
    /// (L,) or nil: not 0 where the position is held.
    package var fixed: UnsafePointer<UInt8>?

    package init(
        restarts: Int, length: Int, variables: MutableFloats, squares: MutableFloats, fixed: UnsafePointer<UInt8>?
    ) {
        self.restarts = restarts
        self.length = length
        self.variables = variables
        self.squares = squares
        self.fixed = fixed
    }
}

extension Network {
    /// `steps` steps of RMSProp (PyTorch's) up the quantity minus lambda ||X||^2, all restarts in one batch (Lanchantin,
    /// Singh, Wang and Qi 2017, the third view). objective (R, steps): its value before each update. Throws where it is
    /// not finite any more; the variables then are those of the last finite step.
    package func optimizeInputs(
        _ state: ClassOptimizationState, options: ClassOptimizationOptions, steps: Int, threads: Int,
        objective: MutableFloats
    ) throws(DeepMotifError) {
        guard state.restarts > 0, steps > 0 else { return }
        let quantity = options.quantity
        let rowCount = state.length * letterCount
        let gradient = try Buffer<Float>(count: state.restarts * rowCount)
        let scores = try Buffer<Float>(count: state.restarts * quantity.classes)
        let distributions = try Buffer<Float>(count: options.isSoftmax ? state.restarts * rowCount : 0)
        let inputs = options.isSoftmax ? distributions.pointer : state.variables
        let batch = SequenceBatch(form: .letters(Floats(inputs)), count: state.restarts, length: state.length)
        for step in 0..<steps {
            if options.isSoftmax {
                softmaxLetters(Floats(state.variables), positions: state.restarts * state.length, to: inputs)
            }
            try inputGradient(batch, threads: threads, inputGradient: gradient.pointer, scores: scores.pointer) {
                _, scores, seed in quantity.writeGradient(scores, to: seed)
            }
            for restart in 0..<state.restarts {
                let input = Floats(inputs + restart * rowCount)
                let value = quantity.value(scores.readOnly + restart * quantity.classes)
                let penalised = Float(value - Double(options.l2) * sumOfSquares(input, count: rowCount))
                guard penalised.isFinite else {
                    throw .invalidArgument(
                        "the objective of restart \(restart) is \(penalised) at step \(step): "
                            + "lower learning_rate or check the start")
                }
                objective[restart * steps + step] = penalised
            }
            for restart in 0..<state.restarts {
                update(state, restart: restart, inputs: Floats(inputs), gradient: gradient.pointer, options: options)
            }
        }
    }
}

/// One RMSProp step of one restart. `gradient` is that of the quantity; it is overwritten.
private func update(
    _ state: ClassOptimizationState, restart: Int, inputs: Floats, gradient: MutableFloats,
    options: ClassOptimizationOptions
) {
    let first = restart * state.length * letterCount
    for position in 0..<state.length {
        if let fixed = state.fixed, fixed[position] != 0 { continue }
        let start = first + position * letterCount
        let slope = gradient + start
        let input = inputs + start
        for letter in 0..<letterCount { slope[letter] -= 2 * options.l2 * input[letter] }
        if options.isSoftmax { multiplyBySoftmaxJacobian(input, slope) }
        for letter in 0..<letterCount {
            let square =
                options.alpha * state.squares[start + letter] + (1 - options.alpha) * slope[letter] * slope[letter]
            state.squares[start + letter] = square
            state.variables[start + letter] +=
                options.learningRate * slope[letter] / (square.squareRoot() + options.epsilon)
        }
    }
}

/// From the gradient with respect to a distribution (4,) to that with respect to its logits, in place.
private func multiplyBySoftmaxJacobian(_ distribution: Floats, _ gradient: MutableFloats) {
    var mean: Float = 0
    for letter in 0..<letterCount { mean += distribution[letter] * gradient[letter] }
    for letter in 0..<letterCount { gradient[letter] = distribution[letter] * (gradient[letter] - mean) }
}

/// The softmax over the letters of each position.
private func softmaxLetters(_ logits: Floats, positions: Int, to distributions: MutableFloats) {
    applyOutput(DM_OUTPUT_SOFTMAX, scores: logits, count: positions, classes: letterCount, values: distributions)
}

private func sumOfSquares(_ values: Floats, count: Int) -> Double {
    var sum = 0.0
    for i in 0..<count { sum += Double(values[i]) * Double(values[i]) }
    return sum
}

/// The original's way from optimised inputs (R, L, 4) to matrices: clamp to [0, 1], divide by the restart's maximum, add
/// 0.01, normalise each position. A restart without a positive value becomes uniform.
package func classOptimizationMatrices(_ inputs: Floats, restarts: Int, length: Int, matrices: MutableFloats) {
    let rowCount = length * letterCount
    for restart in 0..<restarts {
        let input = inputs + restart * rowCount
        let matrix = matrices + restart * rowCount
        var highest: Float = 0
        for i in 0..<rowCount {
            matrix[i] = min(max(input[i], 0), 1)
            highest = max(highest, matrix[i])
        }
        let scale: Float = highest > 0 ? 1 / highest : 0
        for position in 0..<length {
            let letters = matrix + position * letterCount
            var sum: Float = 0
            for letter in 0..<letterCount {
                letters[letter] = letters[letter] * scale + 0.01
                sum += letters[letter]
            }
            for letter in 0..<letterCount { letters[letter] /= sum }
        }
    }
}

/// Uniform [0, 1) values (streams, count), one stream of random numbers a row.
package func uniformStarts(seed: UInt64, streams: Int, count: Int, values: MutableFloats) {
    for stream in 0..<streams {
        var random = RandomSource(seed: seed, purpose: .classOptimization, stream: UInt64(stream))
        for i in 0..<count { values[stream * count + i] = random.uniformFloat() }
    }
}
