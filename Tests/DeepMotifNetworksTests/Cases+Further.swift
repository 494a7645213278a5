// Cases+Further: paddings, GRU, normalisation, further activations, residual blocks.

import CDeepMotif
import DeepMotifNetworks

extension LayerSpec {
    /// The same with some options changed.
    func with(_ change: (inout LayerSpec) -> Void) -> LayerSpec {
        var spec = self
        change(&spec)
        return spec
    }

    func padded(_ left: Int, _ right: Int) -> LayerSpec {
        with {
            $0.padding = DM_PADDING_EXPLICIT
            ($0.leftPadding, $0.rightPadding) = (left, right)
        }
    }
}

extension NetworkCase {
    static let further = paddings + paddedPools + gatedUnits + functions + blocks

    private static let ending = [LayerSpec(DM_LAYER_GLOBAL_AVERAGE_POOL1D), LayerSpec(DM_LAYER_DENSE, units: 3)]
    private static let start = [LayerSpec(DM_LAYER_CONV1D, units: 6, width: 2), LayerSpec(DM_LAYER_TANH)]

    /// Causal, unequal and wide paddings, without bias.
    private static let paddings: [NetworkCase] = [(1, 1), (2, 2)].flatMap { stride, dilation in
        let conv = LayerSpec(DM_LAYER_CONV1D, units: 5, width: 3, stride: stride, dilation: dilation)
        let tried: [(String, LayerSpec)] = [
            ("causal", conv.with { $0.padding = DM_PADDING_CAUSAL }), ("of 1 and 3", conv.padded(1, 3)),
            ("of 9 and 0 without bias", conv.padded(9, 0).with { $0.hasBias = false }),
        ]
        return tried.flatMap { name, spec in
            [
                NetworkCase("first conv padding \(name) stride \(stride)", [spec, LayerSpec(DM_LAYER_TANH)] + ending),
                NetworkCase(
                    "later conv padding \(name) stride \(stride)", start + [spec, LayerSpec(DM_LAYER_TANH)] + ending),
                NetworkCase(
                    "sparse conv padding \(name) stride \(stride)", length: 23,
                    start + [spec, LayerSpec(DM_LAYER_GLOBAL_MAX_POOL1D), LayerSpec(DM_LAYER_DENSE, units: 3)]),
            ]
        }
    }

    private static let paddedPools: [NetworkCase] = [DM_LAYER_MAX_POOL1D, DM_LAYER_AVERAGE_POOL1D].flatMap { kind in
        [(2, 2), (3, 2), (4, 3), (9, 2), (2, 3)].flatMap { width, stride in
            let pool = LayerSpec(kind, width: width, stride: stride)
            let tried = [
                ("same", pool.with { $0.padding = DM_PADDING_SAME }), ("left", pool.padded(1, 0)),
                ("both", pool.padded(width / 2, width - 1)), ("ceil", pool.with { $0.isCeil = true }),
                ("both, ceil", pool.padded(1, 1).with { $0.isCeil = true }),
                ("both, not counted", pool.padded(1, width - 1).with { $0.countsPadding = false }),
            ]
            return tried.map { name, spec in
                NetworkCase("pool \(kind) width \(width) stride \(stride) padding \(name)", start + [spec] + ending)
            }
        }
    }

    private static let gatedUnits: [NetworkCase] = [false, true].flatMap { both in
        [false, true].flatMap { after in
            func gru(_ units: Int, sequences: Bool = true) -> LayerSpec {
                LayerSpec(DM_LAYER_GRU, units: units, bidirectional: both, returnSequences: sequences).with {
                    $0.resetsAfter = after
                }
            }
            let name = "gru both \(both) reset after \(after)"
            return [
                NetworkCase(name, length: 7, [gru(3)] + ending),
                NetworkCase(
                    name + " last state", length: 7, [gru(3, sequences: false), LayerSpec(DM_LAYER_DENSE, units: 3)]),
                NetworkCase(name + " behind convolution, two", length: 6, start + [gru(2), gru(5)] + ending),
                NetworkCase(name + " of 17 units", length: 4, [gru(17)] + ending),
                NetworkCase(name + " of one position", length: 1, [gru(3)] + ending),
            ]
        }
    }

    private static let functions: [NetworkCase] = [
        LayerSpec(DM_LAYER_LEAKY_RELU), LayerSpec(DM_LAYER_LEAKY_RELU).with { $0.slope = 0.3 },
        LayerSpec(DM_LAYER_ELU), LayerSpec(DM_LAYER_ELU).with { $0.slope = 0.5 }, LayerSpec(DM_LAYER_GELU),
        LayerSpec(DM_LAYER_GELU).with { $0.isApproximate = true }, LayerSpec(DM_LAYER_EXPONENTIAL),
        LayerSpec(DM_LAYER_SOFTMAX), LayerSpec(DM_LAYER_LAYER_NORM),
        LayerSpec(DM_LAYER_LAYER_NORM).with { $0.epsilon = 0.01 },
    ].flatMap { spec in
        let name = "kind \(spec.kind) slope \(spec.slope) approximate \(spec.isApproximate) epsilon \(spec.epsilon)"
        let conv = LayerSpec(DM_LAYER_CONV1D, units: 19, width: 3)
        return [
            NetworkCase(name, [conv, spec, LayerSpec(DM_LAYER_DROPOUT, rate: 0.5), LayerSpec(DM_LAYER_TANH)] + ending),
            NetworkCase(name + " first", [spec, LayerSpec(DM_LAYER_DENSE, units: 4), spec] + ending),
        ]
    }

    private static let blocks: [NetworkCase] = {
        let same = LayerSpec(DM_LAYER_CONV1D, units: 6, width: 3, padding: DM_PADDING_SAME)
        let tanh = LayerSpec(DM_LAYER_TANH)
        let plain = LayerSpec.residual([same, tanh, same])
        let wide = LayerSpec.residual(
            [LayerSpec(DM_LAYER_CONV1D, units: 5, width: 3, stride: 2, padding: DM_PADDING_SAME), tanh],
            shortcut: [
                LayerSpec(DM_LAYER_DENSE, units: 5).with { $0.hasBias = false },
                LayerSpec(DM_LAYER_AVERAGE_POOL1D, width: 2, stride: 2, padding: DM_PADDING_SAME),
            ])
        let inPlace = LayerSpec.residual([tanh, LayerSpec(DM_LAYER_DROPOUT, rate: 0.4), LayerSpec(DM_LAYER_SIGMOID)])
        let pools = LayerSpec.residual(
            [LayerSpec(DM_LAYER_GLOBAL_AVERAGE_POOL1D), tanh], shortcut: [LayerSpec(DM_LAYER_GLOBAL_MAX_POOL1D)])
        let letters = LayerSpec.residual([LayerSpec(DM_LAYER_GRU, units: 4)])
        return [
            NetworkCase("residual", start + [plain, tanh] + ending),
            NetworkCase("residual with shortcut", start + [wide] + ending),
            NetworkCase("residual in place", start + [inPlace, tanh] + ending),
            NetworkCase("residual pools", start + [pools] + ending.suffix(1)),
            NetworkCase("residual first", length: 6, [letters] + ending),
            NetworkCase("residual first in place", length: 6, [inPlace, tanh] + ending),
            NetworkCase("residual in residual", start + [.residual([plain, wide], shortcut: [wide, tanh])] + ending),
            NetworkCase("max and mean", start + [LayerSpec(DM_LAYER_GLOBAL_MAX_AVERAGE_POOL1D)] + ending.suffix(1)),
            NetworkCase(
                "maxout",
                [
                    LayerSpec(DM_LAYER_CONV1D, units: 6, width: 2), tanh, LayerSpec(DM_LAYER_MAXOUT, width: 3), tanh,
                ] + ending),
            NetworkCase(
                "flatten by channels",
                start + [LayerSpec(DM_LAYER_FLATTEN).with { $0.order = DM_ORDER_CHANNELS }, tanh] + ending.suffix(1)),
            NetworkCase(
                "dense without bias",
                [LayerSpec(DM_LAYER_DENSE, units: 5).with { $0.hasBias = false }, tanh] + ending),
        ]
    }()
}
