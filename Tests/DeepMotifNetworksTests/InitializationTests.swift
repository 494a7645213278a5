// InitializationTests: the distributions of fresh parameters.

import CDeepMotif
import DeepMotifCore
import DeepMotifNetworks
import DeepMotifTestSupport
import Testing

@Suite struct InitializationTests {
    /// Fresh parameters by name.
    private func arrays(_ specs: [LayerSpec], seed: UInt64 = 1) throws -> [String: [Float]] {
        let network = try Network(layers: specs, length: 101, seed: seed)
        var rest = network.parameterValues[...]
        var result: [String: [Float]] = [:]
        for (name, dimensions) in network.parameterArrays {
            let count = dimensions.reduce(1, *)
            result[name] = Array(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        return result
    }

    /// Uniform in +-bound: no value outside, and the mean and the variance of so many draws within five standard errors.
    private func expectUniform(_ values: [Float]?, bound: Double) throws {
        let x = try #require(values).doubles
        let n = Double(x.count)
        let mean = x.reduce(0, +) / n
        let square = x.reduce(0) { $0 + $1 * $1 } / n
        #expect(x.largest <= bound && x.largest > 0.5 * bound)
        #expect(abs(mean) < 5 * bound / (3 * n).squareRoot())
        // The fourth moment of a uniform draw is bound^4 / 5: the variance of a square is 4/45 bound^4.
        #expect(abs(square - bound * bound / 3) < 5 * bound * bound * (4.0 / 45 / n).squareRoot())
    }

    @Test func convolutionAndDense() throws {
        let arrays = try arrays(Networks.cnn())
        try expectUniform(arrays["conv1d_0.weight"], bound: 1 / 36.0.squareRoot())
        try expectUniform(arrays["conv1d_0.bias"], bound: 1 / 36.0.squareRoot())
        try expectUniform(arrays["conv1d_1.weight"], bound: 1 / 640.0.squareRoot())
        try expectUniform(arrays["conv1d_2.weight"], bound: 1 / 384.0.squareRoot())
        try expectUniform(arrays["dense_0.weight"], bound: 1 / 128.0.squareRoot())
    }

    @Test func recurrence() throws {
        let arrays = try arrays(Networks.cnnRNN())
        for suffix in ["", "_reverse"] {
            let bias = try #require(arrays["lstm_0.bias" + suffix])
            #expect(
                bias == [Float](repeating: 0, count: 32) + [Float](repeating: 1, count: 32)
                    + [Float](repeating: 0, count: 64))
            for name in ["lstm_0.weight_ih", "lstm_0.weight_hh"] {
                let x = try #require(arrays[name + suffix]).doubles
                let n = Double(x.count)
                let variance = x.reduce(0) { $0 + $1 * $1 } / n
                // Normal with variance 1 / (128 + 32): its square has variance 2 / 160^2.
                #expect(abs(variance * 160 - 1) < 5 * (2 / n).squareRoot())
                #expect(abs(x.reduce(0, +) / n) < 5 / (160 * n).squareRoot())
            }
        }
        #expect(arrays["lstm_0.weight_ih"] != arrays["lstm_0.weight_ih_reverse"])
    }

    @Test func seeds() throws {
        let one = try arrays(Networks.cnn(), seed: 1)
        #expect(try arrays(Networks.cnn(), seed: 1) == one)
        #expect(try arrays(Networks.cnn(), seed: 2)["conv1d_1.weight"] != one["conv1d_1.weight"])
        // A layer that draws nothing leaves the other layers' streams alone only if it keeps their places; another
        // number of classes changes the last layer alone.
        #expect(try arrays(Networks.cnn(classes: 3))["conv1d_2.weight"] == one["conv1d_2.weight"])
    }
}
