// OptimizerTests: every update rule and every loss against their formulas, gradients of normalised networks against
// differences of the twin.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifNetworks
import DeepMotifSequences
import DeepMotifTestSupport
import Testing

/// Where batch normalisations stand.
enum NormCase: String, CaseIterable, CustomTestStringConvertible, Sendable {
    case none, between, inside, first

    var testDescription: String { rawValue }

    var specs: [LayerSpec] {
        let norm = LayerSpec(DM_LAYER_BATCH_NORM1D)
        let tanh = LayerSpec(DM_LAYER_TANH)
        func conv(_ units: Int, width: Int = 1) -> LayerSpec {
            LayerSpec(DM_LAYER_CONV1D, units: units, width: width, padding: DM_PADDING_SAME)
        }
        let start = [LayerSpec(DM_LAYER_CONV1D, units: 4, width: 3)]
        let end = [
            tanh, LayerSpec(DM_LAYER_AVERAGE_POOL1D, width: 2, stride: 2), LayerSpec(DM_LAYER_FLATTEN),
            LayerSpec(DM_LAYER_DENSE, units: LossCase.classes),
        ]
        switch self {
        case .none: return start + end
        case .between: return start + [norm] + end.prefix(3) + [norm] + end.suffix(1)
        case .inside:
            // The inner block is an identity beside a body that begins in place; a plain block stays whole.
            let inner = LayerSpec.residual([tanh, conv(6), norm, tanh])
            let whole = LayerSpec.residual([conv(6, width: 3), tanh])
            let block = LayerSpec.residual(
                [norm, tanh, conv(6, width: 3), inner, whole, norm], shortcut: [tanh, conv(6), norm])
            return start + [block] + end
        case .first:
            let wide = LayerSpec.residual([conv(5, width: 3), norm], shortcut: [LayerSpec.residual([norm]), conv(5)])
            return [wide, .residual([tanh, norm], shortcut: [tanh])] + end
        }
    }
}

@Suite struct OptimizerTests {
    private static let length = 12

    private let codes = testCodes(LossCase.rows * length, seed: 4)

    private func trainer(
        _ loss: LossCase, norms: NormCase, level: Int32, _ change: (inout TrainerOptions) -> Void
    ) throws -> Trainer {
        var options = loss.options
        change(&options)
        let network = try Network(
            layers: norms.specs, length: Self.length, seed: 6, kernels: .table(level: level))
        return try Trainer(network: network, options: options)
    }

    private func run(_ trainer: Trainer, _ loss: LossCase, threads: Int = 1, batchSize: Int = LossCase.rows) throws
        -> TrainingSums
    {
        let inputs = Inputs()
        defer { precondition(inputs.areUnchanged) }
        var sums = TrainingSums()
        try trainer.run(
            SequenceBatch(form: .codes(inputs(codes)), count: LossCase.rows, length: Self.length),
            targets: loss.targets(inputs), rows: inputs((0..<LossCase.rows).map(Int64.init)), rowCount: LossCase.rows,
            batchSize: batchSize, classWeights: nil, threads: threads, sums: &sums, scores: nil)
        return sums
    }

    private func gradient(_ trainer: Trainer, _ loss: LossCase) throws -> [Float] {
        let inputs = Inputs()
        defer { precondition(inputs.areUnchanged) }
        var gradient = [Float](repeating: .nan, count: trainer.network.parameterCount)
        try trainer.gradient(
            SequenceBatch(form: .codes(inputs(codes)), count: LossCase.rows, length: Self.length),
            targets: loss.targets(inputs), classWeights: nil, threads: 2, gradient: &gradient)
        return gradient
    }

    /// Three steps on the engine's own gradients. A step is computed with a relative error of a few roundings, times what
    /// the root of a mean of squares (Adadelta: of a quotient of two) makes of those of its argument; the parameter is
    /// rounded once more.
    @Test(arguments: TwinRule.all, LossCase.allCases)
    func stepsEqualTheFormulas(rule: TwinRule, loss: LossCase) throws {
        let trainer = try trainer(loss, norms: .none, level: InstructionLevel.current) {
            let (output, lossKind) = ($0.output, $0.loss)
            $0 = rule.options
            ($0.output, $0.loss, $0.gradientClip) = (output, lossKind, 0.05)
        }
        var twin = rule
        twin.options = trainer.options
        let count = trainer.network.parameterCount
        var memory = [[Double]](repeating: [0, 0], count: count)
        for number in 1...3 {
            let before = trainer.network.parameterValues
            let gradient = try gradient(trainer, loss)
            let expected = (0..<count).map {
                twin.step(Double(before[$0]), Double(gradient[$0]), &memory[$0], number: number)
            }
            _ = try run(trainer, loss)
            let allowed = (0..<count).map {
                unitRoundoff * (2 * abs(expected[$0]) + 256 * abs(expected[$0] - Double(before[$0])) + 1e-4)
            }
            #expect(worstRatio(trainer.network.parameterValues, expected, allowed: allowed) <= 1)
        }
    }

    /// A step of plain descent with rate 1 is the gradient, but for the rounding of the parameters.
    @Test(arguments: LossCase.allCases, NormCase.allCases)
    func gradientsEqualDifferences(of loss: LossCase, norms: NormCase) throws {
        for level in InstructionLevel.available {
            let trainer = try trainer(loss, norms: norms, level: level) {
                ($0.optimizer, $0.weightDecay) = (DM_OPTIMIZER_SGD, 0)
            }
            let before = trainer.network.parameterValues
            var twin = trainer.network.twin
            let sequences = (0..<LossCase.rows).map { row in
                letters(Array(codes[(row * Self.length)..<((row + 1) * Self.length)])).doubles
            }
            let expected = twin.parameters.indices.map { i in
                let kept = twin.parameters[i]
                defer { twin.parameters[i] = kept }
                var values: [Double] = []
                for sign in [1.0, -1.0] {
                    twin.parameters[i] = kept + sign * GradientTests.step
                    values.append(loss.loss(twin.trainingScores(sequences)).value)
                }
                return (values[0] - values[1]) / (2 * GradientTests.step)
            }
            let start = loss.loss(twin.trainingScores(sequences))
            let sums = try run(trainer, loss)
            #expect(sums.weight == start.weight)
            #expect(abs(sums.loss / sums.weight - start.value) <= 1e-5 * abs(start.value))
            let after = trainer.network.parameterValues
            let actual = zip(before, after).map { $0 - $1 }
            // Running statistics have no gradient and move by other rules.
            let isTrained = trainedPlaces(trainer.network)
            let chosen = isTrained.indices.filter { isTrained[$0] }
            let bound = 4 * (try trainer.network.tolerance(length: Self.length)) * expected.largest
            let allowed = chosen.map { bound + 1e-8 + 2 * unitRoundoff * abs(Double(before[$0])) }
            #expect(worstRatio(chosen.map { actual[$0] }, chosen.map { expected[$0] }, allowed: allowed) <= 1)
        }
    }

    private func trainedPlaces(_ network: Network) -> [Bool] {
        network.parameterArrays.flatMap { array in
            [Bool](repeating: !array.name.contains("running"), count: array.dimensions.reduce(1, *))
        }
    }

    /// After one step: 0.9 of the start and 0.1 of the batch's mean and unbiased variance.
    @Test func runningStatisticsFollowTheBatch() throws {
        let trainer = try trainer(.softmax, norms: .between, level: InstructionLevel.current) { $0.learningRate = 0 }
        let outputs = try trainer.network.activations(codes, length: Self.length, layer: 0).doubles
        _ = try run(trainer, .softmax)
        let values = trainer.network.parameterValues.doubles
        let first = 4 * 4 * 3 + 4
        for c in 0..<4 {
            let channel = stride(from: c, to: outputs.count, by: 4).map { outputs[$0] }
            let mean = channel.reduce(0, +) / Double(channel.count)
            let squares = channel.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            #expect(abs(values[first + 8 + c] - 0.1 * mean) <= 1e-6)
            #expect(abs(values[first + 12 + c] - (0.9 + 0.1 * squares / Double(channel.count - 1))) <= 1e-6)
        }
    }

    @Test(arguments: LossCase.allCases, NormCase.allCases)
    func bytesDoNotDependOnThreads(loss: LossCase, norms: NormCase) throws {
        var results: [[Float]] = []
        for threads in [1, 2, 3] {
            let trainer = try trainer(loss, norms: norms, level: InstructionLevel.current) { $0.learningRate = 0.1 }
            for _ in 0..<3 { _ = try run(trainer, loss, threads: threads, batchSize: 4) }
            results.append(trainer.network.parameterValues)
        }
        #expect(results[1] == results[0] && results[2] == results[0])
    }

    /// The layers of a block that must stop for the batch drop the same elements as those of a block that is run whole.
    /// Parameters of zeros leave nothing but what dropout lets through.
    @Test func dropoutInsideABlockKeepsItsStreams() throws {
        let dropout = LayerSpec(DM_LAYER_DROPOUT, rate: 0.5)
        let results = try [DM_LAYER_BATCH_NORM1D, DM_LAYER_LAYER_NORM].map { kind in
            let zero = LayerSpec(kind)
            let block = LayerSpec.residual(
                [LayerSpec(DM_LAYER_DENSE, units: 4), zero],
                shortcut: [.residual([dropout], shortcut: [zero]), .residual([dropout])])
            let network = try Network(layers: [block, LayerSpec(DM_LAYER_FLATTEN)], length: 10, seed: 1)
            network.parameterValues = .init(repeating: 0, count: network.parameterCount)
            return try TrainingCall(count: 20, length: 10).run(
                Trainer(network: network, options: .init(learningRate: 0)))
        }
        #expect(results[0] == results[1])
        #expect(Set(results[0]) == [0, 2, 6])
    }
}
