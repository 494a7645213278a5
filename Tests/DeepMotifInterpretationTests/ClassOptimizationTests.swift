// ClassOptimizationTests: steps against the Double twin, what is held, and independence of restarts, cuts and threads.

import CDeepMotif
import DeepMotifCore
import DeepMotifInterpretation
import DeepMotifNetworks
import DeepMotifTestSupport
import Testing

/// One run: the last variables and the objective.
private struct Run: Equatable {
    var variables: [Float]
    var objective: [Float]
}

private func optimize(
    _ network: Network, _ start: [Float], restarts: Int = 1, steps: Int, calls: Int = 1, threads: Int = 1,
    fixed: [UInt8]? = nil, _ options: ClassOptimizationOptions
) throws -> Run {
    let variables = GuardedBuffer(start)
    let squares = GuardedBuffer([Float](repeating: 0, count: start.count))
    let mask = fixed.map { GuardedBuffer($0) }
    let state = ClassOptimizationState(
        restarts: restarts, length: start.count / restarts / 4, variables: variables.pointer,
        squares: squares.pointer, fixed: mask?.readOnly)
    var objective: [Float] = []
    for _ in 0..<calls {
        objective += try filled(restarts * steps) {
            try network.optimizeInputs(state, options: options, steps: steps, threads: threads, objective: $0)
        }
    }
    precondition(variables.isIntact && squares.isIntact)
    return Run(variables: variables.values, objective: objective)
}

private func options(
    _ network: Network, _ item: TargetQuantityCase = .init(quantity: DM_TARGET_LOG_PROBABILITY),
    isSoftmax: Bool = false,
    learningRate: Float = 0.05
) throws -> ClassOptimizationOptions {
    try ClassOptimizationOptions(
        quantity: try quantity(network, item), isSoftmax: isSoftmax, learningRate: learningRate)
}

/// Uniform [0, 1) starts.
private func starts(_ restarts: Int, length: Int) -> [Float] {
    filled(restarts * length * 4) { uniformStarts(seed: 5, streams: restarts, count: length * 4, values: $0) }
}

@Suite struct ClassOptimizationTests {
    /// PyTorch's RMSProp on the negative objective, in Double with central differences.
    private func twinRun(
        _ twin: TwinNetwork, _ start: [Float], steps: Int, _ item: TargetQuantityCase, isSoftmax: Bool
    ) -> (variables: [Double], objective: [Double]) {
        let objectiveOf = { (variables: [Double]) -> Double in
            let x = isSoftmax ? softmaxRows(variables) : variables
            return twin.value(item, x) - 0.009 * x.reduce(0) { $0 + $1 * $1 }
        }
        var variables = start.doubles
        var squares = [Double](repeating: 0, count: start.count)
        var objective: [Double] = []
        for _ in 0..<steps {
            objective.append(objectiveOf(variables))
            let slopes = variables.indices.map { index in
                var moved = variables
                moved[index] += 1e-6
                let above = objectiveOf(moved)
                moved[index] -= 2e-6
                return -(above - objectiveOf(moved)) / 2e-6
            }
            for i in variables.indices {
                squares[i] = 0.99 * squares[i] + 0.01 * slopes[i] * slopes[i]
                variables[i] -= 0.05 * slopes[i] / (squares[i].squareRoot() + 1e-8)
            }
        }
        return (variables, objective)
    }

    private func softmaxRows(_ logits: [Double]) -> [Double] {
        stride(from: 0, to: logits.count, by: 4).flatMap { start in
            let weights = logits[start..<(start + 4)].map(Twin.exponential)
            return weights.map { $0 / weights.reduce(0, +) }
        }
    }

    /// A step divides the gradient by its running root mean square: an element's relative error passes into the step,
    /// which the first time is half a unit long. Gradients here are exact to 2e-5 of their largest element, and the
    /// smallest ones are a hundred times smaller.
    @Test(
        arguments: [("rnn", TestNetworks.rnn), ("cnn-rnn", TestNetworks.cnnRNN), ("linear", TestNetworks.linear)],
        [true, false])
    func stepsEqualTheTwin(network item: (String, [LayerSpec]), isSoftmax: Bool) throws {
        let twin = try TwinNetwork(item.0, item.1)
        for quantity in [TargetQuantityCase(), TargetQuantityCase(quantity: DM_TARGET_LOG_PROBABILITY)] {
            let start = starts(1, length: 14)
            let run = try optimize(
                twin.network, start, steps: 6, try options(twin.network, quantity, isSoftmax: isSoftmax))
            let expected = twinRun(twin, start, steps: 6, quantity, isSoftmax: isSoftmax)
            let variablesAllowed = [Double](repeating: 2e-3, count: start.count)
            let objectiveAllowed = [Double](repeating: 2e-4, count: 6)
            #expect(worstRatio(run.variables, expected.variables, allowed: variablesAllowed) <= 1)
            #expect(worstRatio(run.objective, expected.objective, allowed: objectiveAllowed) <= 1)
        }
    }

    /// A start at rest: one step on a linear score is lr g / (sqrt(0.01 g^2) + eps), 10 lr times the sign.
    @Test func firstStepHasLengthTenLearningRates() throws {
        let twin = try TwinNetwork("linear", TestNetworks.linear)
        let run = try optimize(
            twin.network, [Float](repeating: 0, count: 56), steps: 1, try options(twin.network, .init()))
        for (value, weight) in zip(run.variables, twin.parameters["dense_0.weight"]![56...]) {
            // 1 - 0.99 in Float is 0.01 to 1e-6; its root halves that. Epsilon is 1e-8 of weights of order 0.1.
            #expect(abs(Double(value) - (weight > 0 ? 0.5 : -0.5)) < 2e-6)
        }
    }

    @Test(arguments: [true, false])
    func ascends(isSoftmax: Bool) throws {
        for (name, specs) in TestNetworks.all {
            let network = try TwinNetwork(name, specs).network
            let run = try optimize(
                network, starts(3, length: 14), restarts: 3, steps: 300,
                try options(network, isSoftmax: isSoftmax, learningRate: 0.01))
            for restart in 0..<3 {
                #expect(run.objective[restart * 300 + 299] > run.objective[restart * 300])
            }
        }
    }

    @Test func restartsDoNotKnowOfEachOther() throws {
        for (name, specs) in TestNetworks.all {
            let network = try TwinNetwork(name, specs).network
            let start = starts(5, length: 14)
            let together = try optimize(network, start, restarts: 5, steps: 8, try options(network))
            let alone = try optimize(network, Array(start[112..<168]), steps: 8, try options(network))
            #expect(Array(together.variables[112..<168]) == alone.variables)
            #expect(Array(together.objective[16..<24]) == alone.objective)
        }
    }

    @Test func sameBytesForAnyThreadsAndCalls() throws {
        for (name, specs) in TestNetworks.all {
            let network = try TwinNetwork(name, specs).network
            let start = starts(9, length: 14)
            let whole = try optimize(network, start, restarts: 9, steps: 8, try options(network))
            #expect(try optimize(network, start, restarts: 9, steps: 8, threads: 2, try options(network)) == whole)
            let cut = try optimize(network, start, restarts: 9, steps: 2, calls: 4, try options(network))
            #expect(cut.variables == whole.variables)
        }
    }

    @Test(arguments: [true, false])
    func heldPositionsStay(isSoftmax: Bool) throws {
        let network = try TwinNetwork("rnn", TestNetworks.rnn).network
        let start = starts(2, length: 14)
        var fixed = [UInt8](repeating: 0, count: 14)
        fixed[3] = 1
        fixed[13] = 255
        let run = try optimize(
            network, start, restarts: 2, steps: 5, fixed: fixed, try options(network, isSoftmax: isSoftmax))
        for i in start.indices {
            let isFixed = fixed[i / 4 % 14] != 0
            #expect((run.variables[i] == start[i]) == isFixed)
        }
    }

    @Test func noStepsChangeNothing() throws {
        let network = try TwinNetwork("rnn", TestNetworks.rnn).network
        let start = starts(1, length: 14)
        #expect(try optimize(network, start, steps: 0, try options(network)) == Run(variables: start, objective: []))
    }

    @Test func divergenceIsAnError() throws {
        let network = try TwinNetwork("linear", TestNetworks.linear).network
        let large = try options(network, .init(), learningRate: 1e30)
        let error = #expect(throws: DeepMotifError.self) {
            try optimize(network, starts(1, length: 14), steps: 50, large)
        }
        #expect(error?.message.contains("learning_rate") == true)
    }

    @Test func refusesNumbersOutOfRange() throws {
        let of = try TargetQuantity(target: 0, quantity: DM_TARGET_SCORE, output: DM_OUTPUT_SOFTMAX, classes: 2)
        #expect(throws: DeepMotifError.self) { try ClassOptimizationOptions(quantity: of, l2: -1) }
        #expect(throws: DeepMotifError.self) { try ClassOptimizationOptions(quantity: of, l2: .nan) }
        #expect(throws: DeepMotifError.self) { try ClassOptimizationOptions(quantity: of, learningRate: 0) }
        #expect(throws: DeepMotifError.self) { try ClassOptimizationOptions(quantity: of, alpha: 1) }
        #expect(throws: DeepMotifError.self) { try ClassOptimizationOptions(quantity: of, alpha: .nan) }
        #expect(throws: DeepMotifError.self) { try ClassOptimizationOptions(quantity: of, epsilon: 0) }
    }
}

@Suite struct ClassOptimizationMatrixTests {
    @Test func byDefinition() {
        let inputs = testFloats(2 * 6 * 4, seed: 8, bound: 1.4)
        let matrices = filled(inputs.count) { classOptimizationMatrices(inputs, restarts: 2, length: 6, matrices: $0) }
        for restart in 0..<2 {
            let clamped = inputs[(restart * 24)..<((restart + 1) * 24)].map { min(max(Double($0), 0), 1) }
            let scaled = clamped.map { $0 / clamped.largest + 0.01 }
            for i in 0..<24 {
                let first = i / 4 * 4
                let expected = scaled[i] / scaled[first..<(first + 4)].reduce(0, +)
                // A dozen operations on numbers of at most 4.04.
                #expect(abs(Double(matrices[restart * 24 + i]) - expected) < 12 * unitRoundoff)
            }
        }
    }

    @Test func nothingPositiveIsUniform() {
        let matrices = filled(8) {
            classOptimizationMatrices([-1, -2, 0, -3, 0, 0, 0, 0], restarts: 1, length: 2, matrices: $0)
        }
        #expect(matrices == [Float](repeating: 0.25, count: 8))
    }

    @Test func startsAreUniformStreams() {
        let many = filled(2000) { uniformStarts(seed: 1, streams: 2, count: 1000, values: $0) }
        let one = filled(1000) { uniformStarts(seed: 1, streams: 1, count: 1000, values: $0) }
        #expect(Array(many[..<1000]) == one)
        #expect(Array(many[1000...]) != one)
        #expect(many.allSatisfy { $0 >= 0 && $0 < 1 })
        // The mean of 2,000 uniform numbers has standard deviation 0.0065; 5 of them are allowed.
        #expect(abs(many.doubles.reduce(0, +) / 2000 - 0.5) < 0.033)
    }
}
