// TrainerTests: steps, determinism, dropout, weights and errors of training.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifNetworks
import DeepMotifSequences
import DeepMotifTestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// A call of `Trainer.run` on arrays.
struct TrainingCall {
    var codes: [UInt8]
    var length: Int
    var labels: [Int32]
    var rows: [Int64]
    var batchSize = 8
    var weights: [Float]?
    var threads = 1

    init(count: Int, length: Int, seed: UInt64 = 5) {
        codes = testCodes(count * length, seed: seed)
        self.length = length
        // The label depends on the sequence, so that there is something to learn.
        labels = (0..<count).map { [codes] row in
            codes[(row * length)..<((row + 1) * length)].count { $0 == 0 } * 4 > length ? 1 : 0
        }
        rows = (0..<count).map { Int64($0) }
    }

    @discardableResult
    func run(_ trainer: Trainer, sums: inout TrainingSums) throws(DeepMotifError) -> [Float] {
        let inputs = Inputs()
        defer { precondition(inputs.areUnchanged) }
        var scores = [Float](repeating: .nan, count: rows.count * trainer.network.classCount)
        try trainer.run(
            SequenceBatch(form: .codes(inputs(codes)), count: codes.count / max(length, 1), length: length),
            targets: .labels(inputs(labels)), rows: inputs(rows), rowCount: rows.count, batchSize: batchSize,
            classWeights: weights.map { inputs($0) }, threads: threads, sums: &sums, scores: &scores)
        return scores
    }

    @discardableResult
    func run(_ trainer: Trainer) throws(DeepMotifError) -> [Float] {
        var sums = TrainingSums()
        return try run(trainer, sums: &sums)
    }
}

@Suite struct TrainerTests {
    private func trainer(
        _ specs: [LayerSpec], length: Int, level: Int32 = InstructionLevel.current, options: TrainerOptions = .init()
    ) throws -> Trainer {
        try Trainer(
            network: Network(layers: specs, length: length, seed: 2, kernels: .table(level: level)), options: options)
    }

    @Test(arguments: [0, 1, 2], InstructionLevel.available)
    func bytesDoNotDependOnThreads(index: Int, level: Int32) throws {
        var results: [[Float]] = []
        for threads in [1, 2, 3, 1] {
            let trainer = try trainer(Networks.all[index].specs, length: 61, level: level)
            var call = TrainingCall(count: 75, length: 61)
            call.batchSize = 32
            call.threads = threads
            let scores = try call.run(trainer)
            results.append(trainer.network.parameterValues + scores)
        }
        for other in results.dropFirst() { #expect(other == results[0]) }
    }

    /// A second trainer that resumes from the first one's state goes on as the first one does.
    @Test func stateResumes() throws {
        let specs = Networks.cnnRNN(filters: 8, units: 5)
        let first = try trainer(specs, length: 30)
        let call = TrainingCall(count: 40, length: 30)
        try call.run(first)
        let second = try trainer(specs, length: 30)
        second.network.parameterValues = first.network.parameterValues
        var state = [Double](repeating: 0, count: first.stateValueCount)
        try first.getState(&state)
        #expect(state[0] == 5)
        try second.setState(state)
        try call.run(first)
        try call.run(second)
        #expect(first.network.parameterValues == second.network.parameterValues)
    }

    /// Ten steps against Adam in Double on the engine's own gradients (dropout off). A step moves a parameter by about
    /// the learning rate and is computed with a relative error of a few roundings; the parameter is rounded once more.
    @Test(arguments: InstructionLevel.available)
    func adamEqualsTheTwin(level: Int32) throws {
        let options = TrainerOptions(learningRate: 0.01, gradientClip: 0.02)
        let trainer = try trainer(Networks.cnn(filters: 6, dropout: 0), length: 40, level: level, options: options)
        let network = trainer.network
        let count = network.parameterCount
        var (first, second) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
        let call = TrainingCall(count: 8, length: 40)
        for number in 1...10 {
            let before = network.parameterValues
            let gradient = try network.lossGradient(call.codes, length: 40, labels: call.labels)
            #expect(number > 1 || gradient.contains { abs($0) > 0.02 })
            var expected = before.doubles
            // The betas are the Floats that the options hold, in the moments and in their corrections.
            let corrections = [options.beta1, options.beta2].map { 1 - pow(Double($0), Double(number)) }
            let step = AdamStep(
                beta1: 0.9, beta2: 0.999, stepSize: Float(Double(options.learningRate) / corrections[0]),
                secondMomentRoot: Float(corrections[1].squareRoot()), epsilon: 1e-8, clip: 0.02)
            for i in 0..<count {
                (expected[i], first[i], second[i]) = Twin.adam(
                    parameter: expected[i], gradient: Double(gradient[i]), first: first[i], second: second[i],
                    step: step)
            }
            try call.run(trainer)
            let allowed = (0..<count).map { i in
                unitRoundoff * (abs(expected[i]) + 32 * Double(number) * abs(expected[i] - Double(before[i])) + 1e-4)
            }
            #expect(worstRatio(network.parameterValues, expected, allowed: allowed) <= 1)
        }
    }

    @Test func trainingLearns() throws {
        let trainer = try trainer(Networks.cnn(filters: 16, dropout: 0.1), length: 30)
        let call = TrainingCall(count: 64, length: 30)
        var losses: [Double] = []
        for _ in 0..<30 {
            var sums = TrainingSums()
            try call.run(trainer, sums: &sums)
            #expect(sums.weight == 64)
            losses.append(sums.loss / sums.weight)
        }
        #expect(losses[29] < 0.5 * losses[0])
    }

    /// A class of weight w counts as w copies of its sequences.
    @Test func classWeightsCountAsCopies() throws {
        let network = try Network(layers: Networks.cnn(filters: 6), length: 40, seed: 3)
        let call = TrainingCall(count: 12, length: 40)
        let weighted = try network.lossGradient(call.codes, length: 40, labels: call.labels, weights: [1, 3])
        var (codes, labels): ([UInt8], [Int32]) = ([], [])
        for (row, label) in call.labels.enumerated() {
            for _ in 0..<(label == 1 ? 3 : 1) {
                codes += call.codes[(row * 40)..<((row + 1) * 40)]
                labels.append(label)
            }
        }
        let copied = try network.lossGradient(codes, length: 40, labels: labels).doubles
        let allowed = [Double](repeating: 8 * 36.0.squareRoot() * unitRoundoff * copied.largest, count: copied.count)
        #expect(worstRatio(weighted, copied, allowed: allowed) <= 1)
    }

    @Test func sumsAreThoseOfTheLabels() throws {
        let trainer = try trainer(Networks.cnn(filters: 6, dropout: 0), length: 40, options: .init(learningRate: 0))
        var call = TrainingCall(count: 21, length: 40)
        call.weights = [0.5, 2]
        var sums = TrainingSums()
        let scores = try call.run(trainer, sums: &sums)
        var (loss, weight) = (0.0, 0.0)
        for (row, label) in call.labels.enumerated() {
            let pair = scores[(2 * row)..<(2 * row + 2)].map(Double.init)
            let w = label == 1 ? 2.0 : 0.5
            weight += w
            loss += w * (log(exp(pair[0]) + exp(pair[1])) - pair[Int(label)])
        }
        #expect(sums.weight == weight)
        #expect(abs(sums.loss - loss) <= 1e-12 * loss)
        #expect(scores == (try trainer.network.scores(call.codes, length: 40)))
    }

    /// Rows are taken in the given order, repeated ones too.
    @Test func rowsSelectSequences() throws {
        let (one, other) = (
            try trainer(Networks.rnn(units: 4), length: 20), try trainer(Networks.rnn(units: 4), length: 20)
        )
        var call = TrainingCall(count: 10, length: 20)
        call.rows = [7, 1, 1, 9]
        try call.run(one)
        var gathered = call
        gathered.codes = call.rows.flatMap { call.codes[(Int($0) * 20)..<((Int($0) + 1) * 20)] }
        gathered.labels = call.rows.map { call.labels[Int($0)] }
        gathered.rows = [0, 1, 2, 3]
        try gathered.run(other)
        #expect(one.network.parameterValues == other.network.parameterValues)
    }

    /// The network is letters -> dropout -> mean -> identity, so scores show the share of kept letters.
    @Test func dropoutKeepsTheMean() throws {
        let rate: Float = 0.3
        let specs = [
            LayerSpec(DM_LAYER_DROPOUT, rate: rate), LayerSpec(DM_LAYER_GLOBAL_AVERAGE_POOL1D),
            LayerSpec(DM_LAYER_DENSE, units: 4),
        ]
        let trainer = try trainer(specs, length: 100, options: .init(learningRate: 0))
        trainer.network.parameterValues = (0..<16).map { $0 % 5 == 0 ? 1 : 0 } + [0, 0, 0, 0]
        var call = TrainingCall(count: 200, length: 100)
        call.codes = .init(repeating: 2, count: 20_000)
        let scores = try call.run(trainer)
        let third = stride(from: 2, to: scores.count, by: 4).map { Double(scores[$0]) }
        let mean: Double = third.reduce(0, +) / 200
        // 20,000 Bernoulli draws scaled by 1/0.7: the standard error of the mean is sqrt(0.3 / 0.7 / 20000) = 0.0046.
        #expect(abs(mean - 1) < 0.023)
        #expect(Set(third).count > 10)
        #expect(stride(from: 0, to: scores.count, by: 4).allSatisfy { scores[$0] == 0 })
        // Another step and another seed draw other masks.
        #expect(try call.run(trainer) != scores)
        let reseeded = try self.trainer(specs, length: 100, options: .init(learningRate: 0, seed: 1))
        reseeded.network.parameterValues = trainer.network.parameterValues
        #expect(try call.run(reseeded) != scores)
    }

    @Test func aLossThatIsNotFiniteChangesNothing() throws {
        let trainer = try trainer(Networks.cnn(filters: 6), length: 40)
        var values = trainer.network.parameterValues
        values[values.count - 1] = .infinity
        trainer.network.parameterValues = values
        var sums = TrainingSums()
        #expect {
            try TrainingCall(count: 16, length: 40).run(trainer, sums: &sums)
        } throws: { ($0 as? DeepMotifError)?.message.contains("the loss of the batch at row 0 is") == true }
        #expect(trainer.network.parameterValues == values)
        #expect(trainer.stepCount == 0 && sums == TrainingSums())
    }

    @Test func wrongArgumentsAreErrors() throws {
        let trainer = try trainer(Networks.cnn(filters: 6), length: 40)
        let before = trainer.network.parameterValues
        let call = TrainingCall(count: 10, length: 40)
        let attempts: [(words: String, change: (inout TrainingCall) -> Void)] = [
            ("rows to train on must be at least 1; got 0", { $0.rows = [] }),
            ("rows must be in 0 ..< 10; got 10 at 1", { $0.rows = [0, 10] }),
            ("rows must be in 0 ..< 10; got -1 at 0", { $0.rows = [-1] }),
            ("labels must be in 0 ..< 2; got 2 in row 3", { $0.labels[3] = 2 }),
            ("labels must be in 0 ..< 2; got -1 in row 0", { $0.labels[0] = -1 }),
            ("codes must be 0-4; got 5 in sequence 2, position 1", { $0.codes[81] = 5 }),
            ("batch_size must be at least 1; got 0", { $0.batchSize = 0 }),
            ("threads must be at least 1; got 0", { $0.threads = 0 }),
            ("class weights must be finite and not negative; got -1.0 at 1", { $0.weights = [1, -1] }),
            ("conv1d needs at least", { $0.length = 4 }),
        ]
        for (words, change) in attempts {
            var wrong = call
            change(&wrong)
            let message = #expect(throws: DeepMotifError.self) { try wrong.run(trainer) }?.message ?? ""
            #expect(message.contains(words), "\(message)")
        }
        // Batches before the wrong one count, so only the network of the first attempt's errors stays as it was.
        #expect(trainer.stepCount == 0 && trainer.network.parameterValues == before)
    }

    @Test func wrongOptionsAreErrors() throws {
        let network = try Network(layers: Networks.cnn(filters: 6), length: 40, seed: 1)
        let wrong: [TrainerOptions] = [
            .init(output: 9), .init(optimizer: 9), .init(learningRate: -1), .init(learningRate: .nan), .init(beta1: 1),
            .init(beta2: -0.1), .init(epsilon: -1), .init(gradientClip: -1), .init(gradientClip: .nan),
        ]
        for options in wrong {
            #expect(throws: DeepMotifError.self, "\(options)") { try Trainer(network: network, options: options) }
        }
    }
}
