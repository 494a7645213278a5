// LayerSpec: the options of one layer as they come through the C ABI, and the layer they describe. Networks room.

import CDeepMotif
import DeepMotifCore

/// Kind and options of one layer; mirrors dm_layer_options of the C header, residual blocks with the layers inside them.
package struct LayerSpec: Sendable, Equatable {
    /// DM_LAYER_...
    package var kind: Int32
    /// DM_PADDING_...
    package var padding: Int32
    package var units: Int
    package var width: Int
    package var stride: Int
    package var dilation: Int
    package var bidirectional: Bool
    package var returnSequences: Bool
    package var splitInput: Bool
    package var rate: Float
    package var leftPadding = 0
    package var rightPadding = 0
    package var hasBias = true
    package var isCeil = false
    package var countsPadding = true
    /// DM_ORDER_...
    package var order = DM_ORDER_POSITIONS
    package var resetsAfter = true
    package var isApproximate = false
    package var slope: Float
    package var epsilon: Float = 1e-5
    /// Of running statistics.
    package var momentum: Float = 0.1
    package var body: [LayerSpec] = []
    /// Empty: the input itself.
    package var shortcut: [LayerSpec] = []

    package init(
        _ kind: Int32, units: Int = 0, width: Int = 0, stride: Int = 1, dilation: Int = 1,
        padding: Int32 = DM_PADDING_VALID, bidirectional: Bool = false, returnSequences: Bool = true,
        splitInput: Bool = false, rate: Float = 0
    ) {
        self.kind = kind
        self.padding = padding
        self.units = units
        self.width = width
        self.stride = stride
        self.dilation = dilation
        self.bidirectional = bidirectional
        self.returnSequences = returnSequences
        self.splitInput = splitInput
        self.rate = rate
        slope = kind == DM_LAYER_ELU ? 1 : 0.01
    }

    /// y = body(x) + shortcut(x).
    package static func residual(_ body: [LayerSpec], shortcut: [LayerSpec] = []) -> LayerSpec {
        var spec = LayerSpec(DM_LAYER_RESIDUAL)
        spec.body = body
        spec.shortcut = shortcut
        return spec
    }

    /// Largest units, width, stride or dilation: their products with any allowed length stay far from overflow.
    static let sizeLimit = 1 << 24
    /// Most parameters of one layer.
    static let parameterLimit = 1 << 34

    /// The layer for inputs of `input` shape. Throws where an option is out of its range or the channels do not fit.
    func makeLayer(input: Shape) throws(DeepMotifError) -> any Layer {
        switch kind {
        case DM_LAYER_CONV1D: return try makeConvolution(input: input)
        case DM_LAYER_RELU: return ReLU()
        case DM_LAYER_SIGMOID: return Sigmoid()
        case DM_LAYER_TANH: return Tanh()
        case DM_LAYER_LEAKY_RELU:
            return LeakyReLU(slope: try number(slope, "slope", of: "leaky_relu"))
        case DM_LAYER_ELU: return ELU(alpha: try number(slope, "slope", of: "elu"))
        case DM_LAYER_GELU: return GELU(isApproximate: isApproximate)
        case DM_LAYER_EXPONENTIAL: return Exponential()
        case DM_LAYER_SOFTMAX: return Softmax()
        case DM_LAYER_LAYER_NORM:
            return LayerNorm(channels: input.channels, epsilon: try number(epsilon, "epsilon", of: "layer_norm"))
        case DM_LAYER_MAX_POOL1D: return MaxPool1D(windows: try poolWindows("max_pool1d"))
        case DM_LAYER_AVERAGE_POOL1D:
            return AveragePool1D(windows: try poolWindows("average_pool1d"), countsPadding: countsPadding)
        case DM_LAYER_GLOBAL_MAX_POOL1D: return GlobalMaxPool1D()
        case DM_LAYER_GLOBAL_AVERAGE_POOL1D: return GlobalAveragePool1D()
        case DM_LAYER_GLOBAL_MAX_AVERAGE_POOL1D: return GlobalMaxAveragePool1D()
        case DM_LAYER_MAXOUT:
            let size = try size(width, "width", of: "maxout")
            guard input.channels % size == 0 else {
                throw .invalidArgument("width of maxout must divide its \(input.channels) channels; got \(size)")
            }
            return Maxout(size: size)
        case DM_LAYER_LSTM: return try makeLSTM(input: input)
        case DM_LAYER_GRU:
            let units = try size(units, "units", of: "gru")
            try checkParameters(of: "gru", 6, units, input.channels)
            try checkParameters(of: "gru", 6, units, units)
            return GRU(
                units: units, channels: input.channels, isBidirectional: bidirectional,
                returnsSequences: returnSequences, resetsAfter: resetsAfter)
        case DM_LAYER_DENSE:
            let units = try size(units, "units", of: "dense")
            try checkParameters(of: "dense", units, input.channels)
            return Dense(units: units, channels: input.channels, hasBias: hasBias)
        case DM_LAYER_FLATTEN:
            guard order == DM_ORDER_POSITIONS || order == DM_ORDER_CHANNELS else {
                throw .invalidArgument("order of flatten must be 0 (positions) or 1 (channels); got \(order)")
            }
            return Flatten(length: input.length, isChannelsFirst: order == DM_ORDER_CHANNELS)
        case DM_LAYER_DROPOUT:
            guard rate >= 0, rate < 1 else {
                throw .invalidArgument("rate of dropout must be in [0, 1); got \(rate)")
            }
            return Dropout(rate: rate)
        case DM_LAYER_RESIDUAL: return try Residual(body: body, shortcut: shortcut, input: input)
        case DM_LAYER_BATCH_NORM1D: return try makeBatchNorm(input: input)
        default: throw .invalidArgument("kind of layer must be a DM_LAYER_ constant; got \(kind)")
        }
    }

    private func makeConvolution(input: Shape) throws(DeepMotifError) -> any Layer {
        let units = try size(units, "units", of: "conv1d")
        let width = try size(width, "width", of: "conv1d")
        let dilation = try size(dilation, "dilation", of: "conv1d")
        try checkParameters(of: "conv1d", units, width, input.channels)
        let reach = dilation * (width - 1)
        let pads: (left: Int, right: Int)
        switch padding {
        case DM_PADDING_VALID: pads = (0, 0)
        // The odd zero goes to the right, as in PyTorch.
        case DM_PADDING_SAME: pads = (reach / 2, reach - reach / 2)
        case DM_PADDING_CAUSAL: pads = (reach, 0)
        case DM_PADDING_EXPLICIT: pads = try explicitPadding(of: "conv1d", below: LayerSpec.sizeLimit + 1)
        default:
            throw .invalidArgument(
                "padding of conv1d must be 0 (valid), 1 (same), 2 (causal) or 3 (explicit); got \(padding)")
        }
        return Conv1D(
            filters: units, channels: input.channels, width: width, stride: try size(stride, "stride", of: "conv1d"),
            dilation: dilation, leftPadding: pads.left, totalPadding: pads.left + pads.right, hasBias: hasBias)
    }

    private func makeBatchNorm(input: Shape) throws(DeepMotifError) -> any Layer {
        guard momentum >= 0, momentum <= 1 else {
            throw .invalidArgument("momentum of batch_norm1d must be in [0, 1]; got \(momentum)")
        }
        guard epsilon > 0, epsilon.isFinite else {
            throw .invalidArgument("epsilon of batch_norm1d must be finite and above 0; got \(epsilon)")
        }
        return BatchNorm1D(channels: input.channels, momentum: momentum, epsilon: epsilon)
    }

    private func makeLSTM(input: Shape) throws(DeepMotifError) -> any Layer {
        let units = try size(units, "units", of: "lstm")
        try checkParameters(of: "lstm", 8, units, input.channels)
        try checkParameters(of: "lstm", 8, units, units)
        if splitInput {
            guard bidirectional else {
                throw .invalidArgument("split_input of lstm needs a bidirectional layer")
            }
            guard input.channels % 2 == 0 else {
                throw .invalidArgument(
                    "split_input of lstm needs an even number of channels; got \(input.channels)")
            }
        }
        return LSTM(
            units: units, channels: input.channels, isBidirectional: bidirectional, returnsSequences: returnSequences,
            splitsInput: splitInput)
    }

    private func poolWindows(_ kind: String) throws(DeepMotifError) -> PoolWindows {
        let width = try size(width, "width", of: kind)
        var windows = PoolWindows(width: width, stride: try size(stride, "stride", of: kind))
        switch padding {
        case DM_PADDING_VALID: break
        case DM_PADDING_SAME: windows.isSame = true
        case DM_PADDING_EXPLICIT:
            (windows.leftPadding, windows.rightPadding) = try explicitPadding(of: kind, below: width)
        default:
            throw .invalidArgument("padding of \(kind) must be 0 (valid), 1 (same) or 3 (explicit); got \(padding)")
        }
        windows.isCeil = isCeil
        return windows
    }

    private func explicitPadding(of kind: String, below limit: Int) throws(DeepMotifError) -> (left: Int, right: Int) {
        guard leftPadding >= 0, rightPadding >= 0, leftPadding < limit, rightPadding < limit else {
            throw .invalidArgument("paddings of \(kind) must be in 0 ..< \(limit); got \(leftPadding), \(rightPadding)")
        }
        return (leftPadding, rightPadding)
    }

    private func size(_ value: Int, _ name: String, of kind: String) throws(DeepMotifError) -> Int {
        guard value >= 1, value <= LayerSpec.sizeLimit else {
            throw .invalidArgument("\(name) of \(kind) must be in 1 ... \(LayerSpec.sizeLimit); got \(value)")
        }
        return value
    }

    private func number(_ value: Float, _ name: String, of kind: String) throws(DeepMotifError) -> Float {
        guard value >= 0, value.isFinite else {
            throw .invalidArgument("\(name) of \(kind) must be finite and not negative; got \(value)")
        }
        return value
    }

    private func checkParameters(of kind: String, _ factors: Int...) throws(DeepMotifError) {
        var product = 1
        for factor in factors {
            let (next, overflow) = product.multipliedReportingOverflow(by: factor)
            guard !overflow, next <= LayerSpec.parameterLimit else {
                throw .invalidArgument("\(kind) has too many parameters: \(factors) is above 2^34")
            }
            product = next
        }
    }
}
