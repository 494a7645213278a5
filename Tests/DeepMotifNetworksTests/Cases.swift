// Cases: every layer in every combination of its options, in networks small enough for finite differences.

import CDeepMotif
import DeepMotifNetworks
import Testing

/// A small network and the length that it is tried at.
struct NetworkCase: CustomTestStringConvertible, Sendable {
    var name: String
    var length: Int
    var specs: [LayerSpec]

    init(_ name: String, length: Int = 11, _ specs: [LayerSpec]) {
        self.name = name
        self.length = length
        self.specs = specs
    }

    var testDescription: String { name }

    #if DEBUG
        /// Every third one: debug builds are slow.
        static let all = stride(from: 0, to: every.count, by: 3).map { every[$0] }
    #else
        static let all = every
    #endif

    private static let every = convolutions + recurrences + pools + others + architectures + further

    private static let head = [LayerSpec(DM_LAYER_GLOBAL_AVERAGE_POOL1D), LayerSpec(DM_LAYER_DENSE, units: 3)]

    private static func conv(
        _ units: Int, _ width: Int, stride: Int = 1, dilation: Int = 1, padding: Int32 = DM_PADDING_VALID
    ) -> LayerSpec {
        LayerSpec(DM_LAYER_CONV1D, units: units, width: width, stride: stride, dilation: dilation, padding: padding)
    }

    private static func lstm(_ units: Int, both: Bool = false, sequences: Bool = true, split: Bool = false) -> LayerSpec
    {
        LayerSpec(DM_LAYER_LSTM, units: units, bidirectional: both, returnSequences: sequences, splitInput: split)
    }

    /// First layer and later layer; the later one behind dense gradients (tanh) and behind sparse ones (maxima).
    static let convolutions: [NetworkCase] = [DM_PADDING_VALID, DM_PADDING_SAME].flatMap { padding in
        [(1, 1), (2, 1), (1, 2), (3, 2)].flatMap { stride, dilation in
            [3, 4].flatMap { width in
                let name = "conv padding \(padding) stride \(stride) dilation \(dilation) width \(width)"
                let tried = conv(5, width, stride: stride, dilation: dilation, padding: padding)
                let first = [tried, LayerSpec(DM_LAYER_TANH)] + head
                let later = [conv(6, 2), LayerSpec(DM_LAYER_TANH), tried, LayerSpec(DM_LAYER_TANH)] + head
                let sparse = [
                    conv(6, 2), LayerSpec(DM_LAYER_TANH), tried, LayerSpec(DM_LAYER_GLOBAL_MAX_POOL1D),
                    LayerSpec(DM_LAYER_DENSE, units: 3),
                ]
                return [
                    NetworkCase("first " + name, length: 12, first), NetworkCase("later " + name, length: 12, later),
                    NetworkCase("sparse " + name, length: 19, sparse),
                ]
            }
        }
    }

    static let recurrences: [NetworkCase] =
        [false, true].flatMap { both in
            [
                NetworkCase("lstm both \(both)", length: 7, [lstm(3, both: both)] + head),
                NetworkCase(
                    "lstm both \(both) last state", length: 7,
                    [lstm(3, both: both, sequences: false), LayerSpec(DM_LAYER_DENSE, units: 3)]),
                NetworkCase(
                    "lstm both \(both) behind convolution", length: 7,
                    [conv(5, 2), LayerSpec(DM_LAYER_TANH), lstm(3, both: both)] + head),
                NetworkCase("two lstm both \(both)", length: 6, [lstm(2, both: both), lstm(3, both: both)] + head),
            ]
        } + [
            NetworkCase("split lstm", length: 6, [lstm(2, both: true), lstm(3, both: true, split: true)] + head),
            NetworkCase("split lstm on letters", length: 6, [lstm(3, both: true, split: true)] + head),
            NetworkCase(
                "split lstm last state", length: 6,
                [
                    lstm(2, both: true), lstm(3, both: true, sequences: false, split: true),
                    LayerSpec(DM_LAYER_DENSE, units: 3),
                ]),
            NetworkCase("lstm of 17 units", length: 4, [lstm(17, both: true)] + head),
            NetworkCase("lstm of one position", length: 1, [lstm(3, both: true)] + head),
        ]

    static let pools: [NetworkCase] = [DM_LAYER_MAX_POOL1D, DM_LAYER_AVERAGE_POOL1D].flatMap { kind in
        [(2, 2), (3, 3), (3, 2), (2, 3), (1, 1), (10, 1)].map { width, stride in
            NetworkCase(
                "pool \(kind) width \(width) stride \(stride)",
                [conv(4, 2), LayerSpec(kind, width: width, stride: stride)] + head)
        }
    }

    static let others: [NetworkCase] = [
        NetworkCase("global maximum", [conv(4, 2), LayerSpec(DM_LAYER_GLOBAL_MAX_POOL1D)] + head.suffix(1)),
        NetworkCase("dense per position", [LayerSpec(DM_LAYER_DENSE, units: 5), LayerSpec(DM_LAYER_SIGMOID)] + head),
        NetworkCase(
            "dense before a global maximum", length: 13,
            [conv(24, 2), LayerSpec(DM_LAYER_TANH), LayerSpec(DM_LAYER_DENSE, units: 44)]
                + [LayerSpec(DM_LAYER_GLOBAL_MAX_POOL1D)] + head.suffix(1)),
        NetworkCase("flatten", [conv(4, 3), LayerSpec(DM_LAYER_FLATTEN)] + head.suffix(1)),
        NetworkCase("flatten letters", [LayerSpec(DM_LAYER_FLATTEN)] + head.suffix(1)),
        NetworkCase("element-wise first", [LayerSpec(DM_LAYER_TANH), LayerSpec(DM_LAYER_RELU), conv(4, 3)] + head),
        NetworkCase("pool first", [LayerSpec(DM_LAYER_AVERAGE_POOL1D, width: 2, stride: 2), conv(4, 3)] + head),
        NetworkCase(
            "in-place chain",
            [
                conv(4, 3), LayerSpec(DM_LAYER_RELU), LayerSpec(DM_LAYER_DROPOUT, rate: 0.5),
                LayerSpec(DM_LAYER_SIGMOID),
                LayerSpec(DM_LAYER_TANH), LayerSpec(DM_LAYER_FLATTEN), LayerSpec(DM_LAYER_DENSE, units: 4),
                LayerSpec(DM_LAYER_RELU), LayerSpec(DM_LAYER_DENSE, units: 3), LayerSpec(DM_LAYER_TANH),
            ]),
    ]

    static let architectures: [NetworkCase] = [
        NetworkCase("CNN", length: 37, Networks.cnn(filters: 7)),
        NetworkCase("RNN", length: 11, Networks.rnn(units: 5)),
        NetworkCase("RNN of two layers", length: 7, Networks.rnn(units: 3, layers: 2)),
        NetworkCase("CNN-RNN", length: 11, Networks.cnnRNN(filters: 6, width: 5, units: 3)),
        // First layers wide enough for tables of pairs; with one gradient a filter, and with many.
        NetworkCase(
            "DeepResolve, global maximum", length: 31,
            [
                conv(16, 7, padding: DM_PADDING_SAME), LayerSpec(DM_LAYER_RELU), LayerSpec(DM_LAYER_GLOBAL_MAX_POOL1D),
                LayerSpec(DM_LAYER_DENSE, units: 3),
            ]),
        NetworkCase(
            "DeepResolve, pools", length: 17,
            [
                conv(17, 4, padding: DM_PADDING_SAME), LayerSpec(DM_LAYER_TANH),
                LayerSpec(DM_LAYER_MAX_POOL1D, width: 4, stride: 4), LayerSpec(DM_LAYER_FLATTEN),
                LayerSpec(DM_LAYER_DENSE, units: 3),
            ]),
        NetworkCase(
            "lstm behind sparse features", length: 8,
            [
                conv(9, 3), LayerSpec(DM_LAYER_RELU), LayerSpec(DM_LAYER_MAX_POOL1D, width: 1, stride: 1),
                lstm(3, both: true),
            ] + head),
    ]
}
