// NetworkTests: forward passes against the Double twin, shapes, parameters and errors.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifNetworks
import DeepMotifSequences
import DeepMotifTestSupport
import Testing

@Suite struct NetworkTests {
    @Test(arguments: zip([0, 1, 2], [136_322, 9_602, 46_082]))
    func parameterCounts(index: Int, expected: Int) throws {
        let specs = [Networks.cnn(), Networks.rnn(), Networks.cnnRNN()][index]
        let network = try Network(layers: specs, length: 101, seed: 1)
        #expect(network.parameterCount == expected)
        #expect(network.parameterArrays.reduce(0) { $0 + $1.dimensions.reduce(1, *) } == expected)
        #expect(network.classCount == 2)
    }

    @Test func parameterNames() throws {
        let network = try Network(layers: Networks.cnnRNN(), length: 101, seed: 1)
        #expect(
            network.parameterArrays.map(\.name) == [
                "conv1d_0.weight", "conv1d_0.bias", "lstm_0.weight_ih", "lstm_0.weight_hh", "lstm_0.bias",
                "lstm_0.weight_ih_reverse", "lstm_0.weight_hh_reverse", "lstm_0.bias_reverse", "dense_0.weight",
                "dense_0.bias",
            ])
        #expect(
            network.parameterArrays.map(\.dimensions) == [
                [128, 4, 9], [128], [128, 128], [128, 32], [128], [128, 128], [128, 32], [128], [2, 64], [2],
            ])
        #expect(
            network.layerNames == [
                "conv1d_0", "relu_0", "lstm_0", "dropout_0", "global_average_pool1d_0", "dense_0",
            ])
    }

    @Test(arguments: [0, 1, 2], InstructionLevel.available)
    func scoresEqualTheTwin(index: Int, level: Int32) throws {
        let network = try Network(
            layers: Networks.all[index].specs, length: 101, seed: 7, kernels: .table(level: level))
        let codes = testCodes(3 * 101, seed: 5)
        let scores = try network.scores(codes, length: 101)
        let soft = try network.scores(letters: letters(codes), length: 101)
        let twin = network.twin
        let expected = (0..<3).flatMap {
            twin.scores(Twin.oneHot(Array(codes[($0 * 101)..<(($0 + 1) * 101)]), letters: 4))
        }
        let allowed = [Double](repeating: try network.tolerance(length: 101) * expected.largest, count: expected.count)
        #expect(worstRatio(scores, expected, allowed: allowed) <= 1)
        #expect(worstRatio(soft, expected, allowed: allowed) <= 1)
    }

    @Test(arguments: [0, 1, 2])
    func parametersSurviveARoundTrip(index: Int) throws {
        let network = try Network(layers: Networks.all[index].specs, length: 101, seed: 3)
        let other = try Network(layers: Networks.all[index].specs, length: 101, seed: 4)
        #expect(other.parameterValues != network.parameterValues)
        other.parameterValues = network.parameterValues
        #expect(other.parameterValues == network.parameterValues)
        let codes = testCodes(2 * 101, seed: 5)
        #expect(try other.scores(codes, length: 101) == network.scores(codes, length: 101))
    }

    @Test(arguments: [0, 1, 2], InstructionLevel.available)
    func scoresDoNotDependOnTheBatch(index: Int, level: Int32) throws {
        let network = try Network(
            layers: Networks.all[index].specs, length: 61, seed: 7, kernels: .table(level: level))
        let rows = 37
        let codes = testCodes(rows * 61, seed: 6)
        let together = try network.scores(codes, length: 61)
        for threads in [2, 3] { #expect(try network.scores(codes, length: 61, threads: threads) == together) }
        var alone: [Float] = []
        for row in 0..<rows { alone += try network.scores(Array(codes[(row * 61)..<((row + 1) * 61)]), length: 61) }
        #expect(alone == together)
    }
}
