// GradientTests: analytic gradients in Float against central differences of the Double twin.

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

@Suite struct GradientTests {
    /// Step of the differences. Their error is (step^2 / 6) f''' + 2^-52 f / step: 1e-9 at functions of size 1.
    static let step = 0x1p-14
    static let rows = 3

    /// Mean negative log-likelihood of the twin.
    private func loss(_ twin: DoubleNetwork, _ letters: [[Double]], _ labels: [Int32]) -> Double {
        var sum = 0.0
        for (row, label) in zip(letters, labels) {
            let scores = twin.scores(row)
            let largest = scores.max() ?? 0
            sum += largest + log(scores.reduce(0) { $0 + exp($1 - largest) }) - scores[Int(label)]
        }
        return sum / Double(labels.count)
    }

    private func difference(_ x: inout Double, _ function: (Double) -> Double) -> Double {
        let kept = x
        defer { x = kept }
        return (function(kept + Self.step) - function(kept - Self.step)) / (2 * Self.step)
    }

    /// Gradients of the mean loss by parameter.
    private func parameterDifferences(_ twin: DoubleNetwork, _ letters: [[Double]], _ labels: [Int32]) -> [Double] {
        var twin = twin
        return twin.parameters.indices.map { i in
            var value = twin.parameters[i]
            return difference(&value) { changed in
                let kept = twin.parameters[i]
                defer { twin.parameters[i] = kept }
                twin.parameters[i] = changed
                return loss(twin, letters, labels)
            }
        }
    }

    /// Allowed: the rounding of the Float pass, relative to the largest element, and the differences' own error. Kinks
    /// (ReLU, maxima) within a step of the point are kept out by the choice of the seed.
    private func allowed(_ expected: [Double], _ network: Network, _ length: Int) throws -> [Double] {
        let relative = 2 * (try network.tolerance(length: length))
        return .init(repeating: relative * max(expected.largest, 0x1p-6) + 1e-8, count: expected.count)
    }

    @Test(arguments: NetworkCase.all, InstructionLevel.available)
    func parameterGradients(of tried: NetworkCase, level: Int32) throws {
        let network = try Network(layers: tried.specs, length: tried.length, seed: 11, kernels: .table(level: level))
        let codes = testCodes(Self.rows * tried.length, seed: 3)
        let soft = testFloats(Self.rows * tried.length * 4, seed: 4)
        let labels: [Int32] = [1, 0, 1]
        for form in [letters(codes), soft] {
            let sequences = (0..<Self.rows).map { row in
                form[(row * tried.length * 4)..<((row + 1) * tried.length * 4)].map(Double.init)
            }
            let expected = parameterDifferences(network.twin, sequences, labels)
            let bounds = try allowed(expected, network, tried.length)
            let actual = try network.lossGradient(letters: form, length: tried.length, labels: labels)
            #expect(worstRatio(actual, expected, allowed: bounds) <= 1)
            guard form != soft else { continue }
            let fromCodes = try network.lossGradient(codes, length: tried.length, labels: labels)
            #expect(worstRatio(fromCodes, expected, allowed: bounds) <= 1)
        }
    }

    /// On soft letters against differences. One-hot letters stand on kinks (equal windows tie for the maximum, a zero
    /// stays zero), where differences mean nothing: there the two forms of input must agree.
    @Test(arguments: NetworkCase.all, InstructionLevel.available)
    func inputGradients(of tried: NetworkCase, level: Int32) throws {
        let network = try Network(layers: tried.specs, length: tried.length, seed: 11, kernels: .table(level: level))
        let soft = testFloats(Self.rows * tried.length * 4, seed: 4)
        let twin = network.twin
        let expected = (0..<Self.rows).flatMap { row in
            var x = soft[(row * tried.length * 4)..<((row + 1) * tried.length * 4)].map(Double.init)
            return x.indices.map { i in
                var value = x[i]
                return difference(&value) { changed in
                    let kept = x[i]
                    defer { x[i] = kept }
                    x[i] = changed
                    return twin.scores(x)[1]
                }
            }
        }
        let actual = try network.scoreGradient(letters: soft, length: tried.length, target: 1)
        #expect(worstRatio(actual, expected, allowed: try allowed(expected, network, tried.length)) <= 1)

        let codes = testCodes(Self.rows * tried.length, seed: 3)
        let fromCodes = try network.scoreGradient(codes, length: tried.length, target: 1)
        let fromLetters = try network.scoreGradient(letters: letters(codes), length: tried.length, target: 1).doubles
        #expect(worstRatio(fromCodes, fromLetters, allowed: try allowed(fromLetters, network, tried.length)) <= 1)
    }

    @Test(arguments: [0, 1, 2], InstructionLevel.available)
    func inputGradientsDoNotDependOnTheBatch(index: Int, level: Int32) throws {
        let network = try Network(
            layers: Networks.all[index].specs, length: 61, seed: 7, kernels: .table(level: level))
        let rows = 19
        let codes = testCodes(rows * 61, seed: 6)
        let together = try network.scoreGradient(codes, length: 61, target: 1)
        for threads in [2, 3] {
            #expect(try network.scoreGradient(codes, length: 61, target: 1, threads: threads) == together)
        }
        var alone: [Float] = []
        for row in 0..<rows {
            alone += try network.scoreGradient(Array(codes[(row * 61)..<((row + 1) * 61)]), length: 61, target: 1)
        }
        #expect(alone == together)
    }

    @Test func inputGradientReturnsTheScores() throws {
        let network = try Network(layers: Networks.cnn(), length: 101, seed: 11)
        let codes = testCodes(5 * 101, seed: 3)
        var scores = [Float](repeating: .nan, count: 10)
        _ = try network.scoreGradient(codes, length: 101, target: 0, scores: &scores)
        #expect(scores == (try network.scores(codes, length: 101)))
    }
}

extension Network {
    private func scoreGradient(
        _ batch: SequenceBatch, target: Int, threads: Int, scores: UnsafeMutablePointer<Float>?
    ) throws(DeepMotifError) -> [Float] {
        var gradient = [Float](repeating: .nan, count: batch.count * batch.length * 4)
        let classes = classCount
        try inputGradient(batch, threads: threads, inputGradient: &gradient, scores: scores) { _, _, seed in
            for c in 0..<classes { seed[c] = c == target ? 1 : 0 }
        }
        return gradient
    }

    /// Gradient (N, L, 4) of one score.
    func scoreGradient(
        _ codes: [UInt8], length: Int, target: Int, threads: Int = 1, scores: UnsafeMutablePointer<Float>? = nil
    ) throws(DeepMotifError) -> [Float] {
        let inputs = Inputs()
        defer { precondition(inputs.areUnchanged) }
        let batch = SequenceBatch(form: .codes(inputs(codes)), count: codes.count / length, length: length)
        return try scoreGradient(batch, target: target, threads: threads, scores: scores)
    }

    func scoreGradient(letters: [Float], length: Int, target: Int) throws(DeepMotifError) -> [Float] {
        let inputs = Inputs()
        defer { precondition(inputs.areUnchanged) }
        let batch = SequenceBatch(form: .letters(inputs(letters)), count: letters.count / (4 * length), length: length)
        return try scoreGradient(batch, target: target, threads: 1, scores: nil)
    }

    private func lossGradient(
        _ batch: SequenceBatch, labels: [Int32], weights: [Float]?, threads: Int
    ) throws(DeepMotifError) -> [Float] {
        let trainer = try Trainer(network: self, options: TrainerOptions())
        let inputs = Inputs()
        var gradient = [Float](repeating: .nan, count: parameterCount)
        try trainer.gradient(
            batch, targets: .labels(inputs(labels)), classWeights: weights.map { inputs($0) }, threads: threads,
            gradient: &gradient)
        precondition(inputs.areUnchanged)
        return gradient
    }

    /// Gradient of the mean loss in the order of the parameters.
    func lossGradient(
        _ codes: [UInt8], length: Int, labels: [Int32], weights: [Float]? = nil, threads: Int = 1
    ) throws(DeepMotifError) -> [Float] {
        let inputs = Inputs()
        defer { precondition(inputs.areUnchanged) }
        let batch = SequenceBatch(form: .codes(inputs(codes)), count: labels.count, length: length)
        return try lossGradient(batch, labels: labels, weights: weights, threads: threads)
    }

    func lossGradient(letters: [Float], length: Int, labels: [Int32]) throws(DeepMotifError) -> [Float] {
        let inputs = Inputs()
        defer { precondition(inputs.areUnchanged) }
        let batch = SequenceBatch(form: .letters(inputs(letters)), count: labels.count, length: length)
        return try lossGradient(batch, labels: labels, weights: nil, threads: 1)
    }
}
