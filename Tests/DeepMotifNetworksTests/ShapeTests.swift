// ShapeTests: lengths, shapes, activations and the errors of building and running networks.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifNetworks
import DeepMotifSequences
import DeepMotifTestSupport
import Testing

@Suite struct ShapeTests {
    private func message(_ body: () throws -> Void) -> String {
        #expect(throws: DeepMotifError.self, performing: body)?.message ?? ""
    }

    /// The first length that the three networks and some others allow, counted by hand.
    @Test func minimumLengths() throws {
        // 9-5-3 with pools of 2 from the end: 3 -> 6 -> 10 -> 20 -> 28.
        #expect(try Network(layers: Networks.cnn(filters: 2), length: 101, seed: 1).minimumLength == 28)
        #expect(try Network(layers: Networks.rnn(units: 2), length: 101, seed: 1).minimumLength == 1)
        #expect(try Network(layers: Networks.cnnRNN(filters: 2, units: 2), length: 101, seed: 1).minimumLength == 1)
        let strided = [
            LayerSpec(DM_LAYER_CONV1D, units: 2, width: 4, stride: 3, dilation: 2),
            LayerSpec(DM_LAYER_GLOBAL_MAX_POOL1D),
        ]
        #expect(try Network(layers: strided, length: 50, seed: 1).minimumLength == 7)
        let flat = [
            LayerSpec(DM_LAYER_AVERAGE_POOL1D, width: 3, stride: 3), LayerSpec(DM_LAYER_FLATTEN),
            LayerSpec(DM_LAYER_DENSE, units: 2),
        ]
        // 30, 31 and 32 positions are ten windows each.
        #expect(try Network(layers: flat, length: 32, seed: 1).minimumLength == 30)
    }

    @Test(arguments: NetworkCase.all)
    func theMinimumLengthIsTheFirstThatFits(tried: NetworkCase) throws {
        let network = try Network(layers: tried.specs, length: tried.length, seed: 1)
        let last = network.layers.count - 1
        let fitting = (1...tried.length).filter { (try? network.shape(ofLayer: last, length: $0)) != nil }
        #expect(network.minimumLength == fitting.first)
        #expect(throws: Never.self) {
            try network.scores(testCodes(network.minimumLength, seed: 1), length: network.minimumLength)
        }
        if network.minimumLength > 1 {
            let short = network.minimumLength - 1
            #expect(message { _ = try network.scores(testCodes(short, seed: 1), length: short) }.contains("got"))
        }
    }

    @Test(arguments: NetworkCase.all, InstructionLevel.available)
    func everyActivationEqualsTheTwin(tried: NetworkCase, level: Int32) throws {
        let network = try Network(layers: tried.specs, length: tried.length, seed: 5, kernels: .table(level: level))
        let codes = testCodes(tried.length, seed: 8)
        let expected = network.twin.outputs(Twin.oneHot(codes, letters: 4))
        let tolerance = try network.tolerance(length: tried.length)
        for (layer, block) in expected.enumerated() {
            let actual = try network.activations(codes, length: tried.length, layer: layer)
            let shape = try network.shape(ofLayer: layer, length: tried.length)
            #expect(shape == Shape(length: block.length, channels: block.channels))
            let allowed = [Double](
                repeating: tolerance * max(block.values.largest, 0x1p-6), count: block.values.count)
            #expect(worstRatio(actual, block.values, allowed: allowed) <= 1, "\(network.layerNames[layer])")
        }
    }

    /// The networks without Flatten take any length that fits.
    @Test(arguments: [0, 1, 2], [28, 29, 60, 101, 150])
    func otherLengths(index: Int, length: Int) throws {
        let network = try Network(layers: Networks.all[index].specs, length: 101, seed: 5)
        let codes = testCodes(length, seed: 8)
        let expected = network.twin.scores(Twin.oneHot(codes, letters: 4))
        let allowed = [Double](repeating: try network.tolerance(length: length) * expected.largest, count: 2)
        #expect(worstRatio(try network.scores(codes, length: length), expected, allowed: allowed) <= 1)
    }

    /// The layers of a range continue where those before them ended.
    @Test(arguments: NetworkCase.all)
    func rangesCompose(tried: NetworkCase) throws {
        let network = try Network(layers: tried.specs, length: tried.length, seed: 5)
        let codes = testCodes(3 * tried.length, seed: 8)
        let whole = try network.scores(codes, length: tried.length)
        for cut in 0..<network.layers.count {
            let shape = try network.shape(ofLayer: cut - 1, length: tried.length)
            let middle = try network.activations(codes, length: tried.length, layer: cut - 1)
            var scores = [Float](repeating: .nan, count: whole.count)
            let inputs = Inputs()
            try network.run(
                cut..<network.layers.count, input: .dense(inputs(middle)), rows: 3, length: shape.length, threads: 2,
                output: &scores)
            #expect(inputs.areUnchanged)
            // Letters and codes go through other kernels; behind the first layer the kernels are the same.
            if cut > 0 { #expect(scores == whole) }
        }
    }

    @Test func emptyBatches() throws {
        let network = try Network(layers: Networks.cnn(filters: 2), length: 40, seed: 1)
        #expect(try network.scores([], length: 40) == [])
        #expect(try network.scoreGradient([], length: 40, target: 0) == [])
    }

    @Test func wrongInputsAreErrors() throws {
        let network = try Network(layers: Networks.cnn(filters: 2), length: 40, seed: 1)
        var codes = testCodes(80, seed: 1)
        codes[41] = 9
        #expect(
            message { _ = try network.scores(codes, length: 40) }
                .contains("codes must be 0-4; got 9 in sequence 1, position 1"))
        #expect(message { _ = try network.scoreGradient(codes, length: 40, target: 0) }.contains("got 9 in sequence 1"))
        #expect(
            message { _ = try network.scores(letters: [Float](repeating: .nan, count: 160), length: 40) }
                .contains("letters must be finite; got nan in sequence 0, position 0"))
        #expect(
            message { _ = try network.scores(testCodes(27, seed: 1), length: 27) }
                == "layer conv1d_2 for sequences of length 27: conv1d needs at least 3 positions; got 2")
        #expect(
            message { _ = try network.activations(testCodes(40, seed: 1), length: 40, layer: 99) }
                .contains("layer must be in -1 ..< \(network.layers.count); got 99"))
        let flat = [LayerSpec(DM_LAYER_FLATTEN), LayerSpec(DM_LAYER_DENSE, units: 2)]
        let fixed = try Network(layers: flat, length: 10, seed: 1)
        #expect(
            message { _ = try fixed.scores(testCodes(11, seed: 1), length: 11) }
                == "layer flatten_0 for sequences of length 11: flatten was made for exactly 10 positions; got 11")
    }

    @Test func wrongLayersAreErrors() throws {
        let dense = LayerSpec(DM_LAYER_DENSE, units: 2)
        let attempts: [(words: String, length: Int, specs: [LayerSpec])] = [
            ("at least one layer", 40, []),
            ("length must be in 1 ...", 0, Networks.cnn(filters: 2)),
            ("length must be in 1 ...", Int.max, Networks.cnn(filters: 2)),
            ("a global pool or flatten is missing", 40, [dense]),
            ("kind of layer must be a DM_LAYER_ constant; got 99", 40, [LayerSpec(99)]),
            ("units of conv1d must be in 1 ...", 40, [LayerSpec(DM_LAYER_CONV1D, width: 3)]),
            ("width of conv1d must be in 1 ...", 40, [LayerSpec(DM_LAYER_CONV1D, units: 3, width: -1)]),
            ("stride of conv1d must be in 1 ...", 40, [LayerSpec(DM_LAYER_CONV1D, units: 3, width: 1, stride: 0)]),
            (
                "dilation of conv1d must be in 1 ...", 40,
                [LayerSpec(DM_LAYER_CONV1D, units: 3, width: 1, dilation: .max)]
            ),
            ("padding of conv1d", 40, [LayerSpec(DM_LAYER_CONV1D, units: 3, width: 1, padding: 7)]),
            ("layer 0 of a network for sequences of length 5: conv1d needs at least 9", 5, Networks.cnn(filters: 2)),
            ("too many parameters", 40, [LayerSpec(DM_LAYER_CONV1D, units: 1 << 24, width: 1 << 24)]),
            ("width of max_pool1d must be in 1 ...", 40, [LayerSpec(DM_LAYER_MAX_POOL1D)]),
            ("needs at least 41 positions", 40, [LayerSpec(DM_LAYER_AVERAGE_POOL1D, width: 41)]),
            ("units of lstm must be in 1 ...", 40, [LayerSpec(DM_LAYER_LSTM)]),
            ("needs a bidirectional layer", 40, [LayerSpec(DM_LAYER_LSTM, units: 2, splitInput: true)]),
            (
                "needs an even number of channels; got 3", 40,
                [
                    LayerSpec(DM_LAYER_DENSE, units: 3),
                    LayerSpec(DM_LAYER_LSTM, units: 2, bidirectional: true, splitInput: true),
                ]
            ),
            ("units of dense must be in 1 ...", 40, [LayerSpec(DM_LAYER_DENSE)]),
            ("rate of dropout must be in [0, 1); got 1.0", 40, [LayerSpec(DM_LAYER_DROPOUT, rate: 1)]),
            ("rate of dropout must be in [0, 1); got nan", 40, [LayerSpec(DM_LAYER_DROPOUT, rate: .nan)]),
        ]
        for (words, length, specs) in attempts {
            let message = message { _ = try Network(layers: specs, length: length, seed: 1) }
            #expect(message.contains(words), "\(message)")
        }
    }
}
