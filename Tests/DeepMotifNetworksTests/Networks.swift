// Networks: the architectures and the inputs of the tests of this room.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifNetworks
import DeepMotifSequences
import DeepMotifTestSupport

/// The three networks of DeMo Dashboard (Lanchantin et al. 2017), of any size.
enum Networks {
    static func cnn(filters: Int = 128, widths: [Int] = [9, 5, 3], dropout: Float = 0.5, classes: Int = 2)
        -> [LayerSpec]
    {
        var specs: [LayerSpec] = []
        for width in widths.dropLast() {
            specs += [
                LayerSpec(DM_LAYER_CONV1D, units: filters, width: width), LayerSpec(DM_LAYER_RELU),
                LayerSpec(DM_LAYER_MAX_POOL1D, width: 2, stride: 2), LayerSpec(DM_LAYER_DROPOUT, rate: dropout),
            ]
        }
        return specs + [
            LayerSpec(DM_LAYER_CONV1D, units: filters, width: widths[widths.count - 1]), LayerSpec(DM_LAYER_RELU),
            LayerSpec(DM_LAYER_DROPOUT, rate: dropout), LayerSpec(DM_LAYER_GLOBAL_MAX_POOL1D),
            LayerSpec(DM_LAYER_DENSE, units: classes),
        ]
    }

    static func rnn(units: Int = 32, layers: Int = 1, dropout: Float = 0.5, classes: Int = 2) -> [LayerSpec] {
        var specs: [LayerSpec] = []
        for layer in 0..<layers {
            specs += [
                LayerSpec(DM_LAYER_LSTM, units: units, bidirectional: true, splitInput: layer > 0),
                LayerSpec(DM_LAYER_DROPOUT, rate: dropout),
            ]
        }
        return specs + [LayerSpec(DM_LAYER_GLOBAL_AVERAGE_POOL1D), LayerSpec(DM_LAYER_DENSE, units: classes)]
    }

    static func cnnRNN(filters: Int = 128, width: Int = 9, units: Int = 32, dropout: Float = 0.5) -> [LayerSpec] {
        [
            LayerSpec(DM_LAYER_CONV1D, units: filters, width: width, padding: DM_PADDING_SAME),
            LayerSpec(DM_LAYER_RELU),
        ] + rnn(units: units, dropout: dropout)
    }

    /// The three by name. Debug builds, which run under the sanitizers, are a hundred times slower and take small ones.
    #if DEBUG
        static let all: [(name: String, specs: [LayerSpec])] = [
            ("CNN", cnn(filters: 10)), ("RNN", rnn(units: 5)), ("CNN-RNN", cnnRNN(filters: 10, units: 5)),
        ]
    #else
        static let all: [(name: String, specs: [LayerSpec])] = [
            ("CNN", cnn()), ("RNN", rnn()), ("CNN-RNN", cnnRNN()),
        ]
    #endif
}

extension Network {
    var parameterValues: [Float] {
        get {
            var values = [Float](repeating: 0, count: parameterCount)
            values.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { getParameters(base) } }
            return values
        }
        set { newValue.withUnsafeBufferPointer { if let base = $0.baseAddress { setParameters(base) } } }
    }

    var twin: DoubleNetwork { DoubleNetwork(specs: specs, parameters: parameterValues.doubles) }

    /// Output of a layer for codes (N, L).
    func activations(_ codes: [UInt8], length: Int, layer: Int, threads: Int = 1) throws(DeepMotifError) -> [Float] {
        let rows = codes.count / length
        var output = [Float](repeating: .nan, count: rows * (try shape(ofLayer: layer, length: length)).count)
        let inputs = Inputs()
        try activations(
            SequenceBatch(form: .codes(inputs(codes)), count: rows, length: length), layer: layer, threads: threads,
            output: &output)
        precondition(inputs.areUnchanged)
        return output
    }

    func scores(_ codes: [UInt8], length: Int, threads: Int = 1) throws(DeepMotifError) -> [Float] {
        try activations(codes, length: length, layer: layers.count - 1, threads: threads)
    }

    /// Scores of letters (N, L, 4).
    func scores(letters: [Float], length: Int, threads: Int = 1) throws(DeepMotifError) -> [Float] {
        let rows = letters.count / (4 * length)
        var output = [Float](repeating: .nan, count: rows * classCount)
        let inputs = Inputs()
        try scores(
            SequenceBatch(form: .letters(inputs(letters)), count: rows, length: length), threads: threads,
            output: &output)
        precondition(inputs.areUnchanged)
        return output
    }

    /// What a score may differ by from the twin's: rounding errors of a chain of n operations that do not conspire stay
    /// within lambda sqrt(n) u of the largest value (Higham and Mary 2019, with lambda = 8, failing once in 10^13), with
    /// n the longest chain from a letter to a score. Layers at their initial weights do not amplify.
    func tolerance(length: Int) throws(DeepMotifError) -> Double {
        var chain = 0
        for (i, spec) in specs.enumerated() {
            let input = try shape(ofLayer: i - 1, length: length)
            switch spec.kind {
            case DM_LAYER_CONV1D: chain += spec.width * input.channels + 1
            case DM_LAYER_DENSE: chain += input.channels + 1
            case DM_LAYER_LSTM: chain += input.length * (spec.units + 8) + input.channels
            case DM_LAYER_GRU: chain += input.length * (spec.units + 8) + input.channels
            // A row of small variance is stretched, and inner layers are not looked at one by one.
            case DM_LAYER_LAYER_NORM, DM_LAYER_RESIDUAL: chain += 100
            case DM_LAYER_SOFTMAX: chain += input.channels + 4
            case DM_LAYER_AVERAGE_POOL1D: chain += spec.width
            case DM_LAYER_GLOBAL_AVERAGE_POOL1D, DM_LAYER_GLOBAL_MAX_AVERAGE_POOL1D: chain += input.length
            default: chain += 4
            }
        }
        return 8 * Double(chain).squareRoot() * unitRoundoff
    }
}

/// Letters (N, L, 4) of codes.
func letters(_ codes: [UInt8]) -> [Float] { Twin.oneHot(codes, letters: 4).floats }
