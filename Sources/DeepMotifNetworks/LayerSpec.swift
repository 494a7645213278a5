// LayerSpec: the options of one layer as they come through the C ABI, and the layer they describe. Networks room.

import CDeepMotif
import DeepMotifCore

/// Kind and options of one layer; mirrors dm_layer_options of the C header.
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
    /// Of running statistics.
    package var momentum: Float
    package var epsilon: Float

    package init(
        _ kind: Int32, units: Int = 0, width: Int = 0, stride: Int = 1, dilation: Int = 1,
        padding: Int32 = DM_PADDING_VALID, bidirectional: Bool = false, returnSequences: Bool = true,
        splitInput: Bool = false, rate: Float = 0, momentum: Float = 0.1, epsilon: Float = 1e-5
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
        self.momentum = momentum
        self.epsilon = epsilon
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
        case DM_LAYER_MAX_POOL1D:
            return MaxPool1D(
                width: try size(width, "width", of: "max_pool1d"), stride: try size(stride, "stride", of: "max_pool1d"))
        case DM_LAYER_AVERAGE_POOL1D:
            return AveragePool1D(
                width: try size(width, "width", of: "average_pool1d"),
                stride: try size(stride, "stride", of: "average_pool1d"))
        case DM_LAYER_GLOBAL_MAX_POOL1D: return GlobalMaxPool1D()
        case DM_LAYER_GLOBAL_AVERAGE_POOL1D: return GlobalAveragePool1D()
        case DM_LAYER_LSTM: return try makeLSTM(input: input)
        case DM_LAYER_DENSE:
            let units = try size(units, "units", of: "dense")
            try checkParameters(of: "dense", units, input.channels)
            return Dense(units: units, channels: input.channels)
        case DM_LAYER_FLATTEN: return Flatten(length: input.length)
        case DM_LAYER_DROPOUT:
            guard rate >= 0, rate < 1 else {
                throw .invalidArgument("rate of dropout must be in [0, 1); got \(rate)")
            }
            return Dropout(rate: rate)
        case DM_LAYER_BATCH_NORM1D: return try makeBatchNorm(input: input)
        default: throw .invalidArgument("kind of layer must be a DM_LAYER_ constant; got \(kind)")
        }
    }

    private func makeConvolution(input: Shape) throws(DeepMotifError) -> any Layer {
        guard padding == DM_PADDING_VALID || padding == DM_PADDING_SAME else {
            throw .invalidArgument("padding of conv1d must be 0 (valid) or 1 (same); got \(padding)")
        }
        let units = try size(units, "units", of: "conv1d")
        let width = try size(width, "width", of: "conv1d")
        try checkParameters(of: "conv1d", units, width, input.channels)
        return Conv1D(
            filters: units, channels: input.channels, width: width, stride: try size(stride, "stride", of: "conv1d"),
            dilation: try size(dilation, "dilation", of: "conv1d"), isSame: padding == DM_PADDING_SAME)
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

    private func size(_ value: Int, _ name: String, of kind: String) throws(DeepMotifError) -> Int {
        guard value >= 1, value <= LayerSpec.sizeLimit else {
            throw .invalidArgument("\(name) of \(kind) must be in 1 ... \(LayerSpec.sizeLimit); got \(value)")
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
