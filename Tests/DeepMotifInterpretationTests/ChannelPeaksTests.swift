// ChannelPeaksTests: against the activations themselves, and against the twin with a channel silenced.

import CDeepMotif
import DeepMotifCore
import DeepMotifInterpretation
import DeepMotifNetworks
import DeepMotifTestSupport
import Testing

@Suite struct ChannelPeaksTests {
    @Test(arguments: TestNetworks.all, [1, 3])
    func equalsTheActivations(network item: (String, [LayerSpec]), threads: Int) throws {
        let network = try Network(layers: item.1, length: 17, seed: 3)
        let sequences = TestSequences.drawn(70, length: 17)
        for layer in network.layers.indices {
            let shape = try network.shape(ofLayer: layer, length: 17)
            let maps = try filled(70 * shape.count) {
                try network.activations(sequences.batch, layer: layer, threads: 1, output: $0)
            }
            var positions = [Int32](repeating: -1, count: 70 * shape.channels)
            let values = try filled(70 * shape.channels) {
                try network.channelPeaks(
                    sequences.batch, layer: layer, threads: threads, positions: &positions, values: $0)
            }
            for row in 0..<70 {
                for k in 0..<shape.channels {
                    let column = (0..<shape.length).map { maps[(row * shape.length + $0) * shape.channels + k] }
                    let best = column.max() ?? .nan
                    #expect(values[row * shape.channels + k] == best)
                    #expect(Int(positions[row * shape.channels + k]) == column.firstIndex(of: best))
                }
            }
        }
    }

    /// The first layer's channel k is silent where its weights and its bias are zero.
    @Test(arguments: [("cnn", TestNetworks.cnn), ("cnn-rnn", TestNetworks.cnnRNN)], [true, false])
    func silencedChannelsAreThoseOfZeroWeights(network item: (String, [LayerSpec]), isCodes: Bool) throws {
        let network = try Network(layers: item.1, length: 17, seed: 3)
        let sequences = TestSequences.drawn(5, length: 17, isCodes: isCodes)
        let (channels, classes) = (item.1[0].units, network.classCount)
        let scores = try filled(5 * channels * classes) {
            try network.ablatedScores(sequences.batch, layer: 0, threads: 2, scores: $0)
        }
        let parameters = filled(network.parameterCount) { network.getParameters($0) }
        let window = 4 * item.1[0].width
        for k in 0..<channels {
            var silent = parameters
            for i in (k * window)..<((k + 1) * window) { silent[i] = 0 }
            silent[channels * window + k] = 0
            network.setParameters(silent)
            let expected = try filled(5 * classes) {
                try network.scores(sequences.batch, threads: 1, output: $0)
            }
            for row in 0..<5 {
                for c in 0..<classes {
                    let difference = scores[(row * channels + k) * classes + c] - expected[row * classes + c]
                    // A few roundings of sums of some ten terms near 1: codes and letters take different kernels.
                    #expect(abs(difference) <= 64 * Float.ulpOfOne)
                }
            }
        }
    }

    @Test func noSequencesAndWrongLayers() throws {
        let network = try Network(layers: TestNetworks.cnn, length: 17, seed: 3)
        let none = TestSequences(codes: [], length: 17)
        _ = try filled(0) { try network.ablatedScores(none.batch, layer: 0, threads: 1, scores: $0) }
        let one = TestSequences.drawn(1, length: 17)
        var positions: [Int32] = [0]
        #expect(throws: DeepMotifError.self) {
            _ = try filled(1) {
                try network.channelPeaks(one.batch, layer: 99, threads: 1, positions: &positions, values: $0)
            }
        }
    }
}
