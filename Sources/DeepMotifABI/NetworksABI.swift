// NetworksABI: models. ABI room.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CDeepMotif
import DeepMotifCore
import DeepMotifNetworks
import DeepMotifSequences

/// The network behind a dm_model.
func network(_ model: OpaquePointer?) throws(DeepMotifError) -> Network {
    let model = try require(model, "model")
    return Unmanaged<Network>.fromOpaque(UnsafeRawPointer(model)).takeUnretainedValue()
}

extension LayerSpec {
    /// Sizes out of Int's range cannot occur: both are 64 bits wide.
    fileprivate init(_ options: dm_layer_options) {
        self.init(
            options.kind, units: Int(options.units), width: Int(options.width), stride: Int(options.stride),
            dilation: Int(options.dilation), padding: options.padding, bidirectional: options.bidirectional != 0,
            returnSequences: options.return_sequences != 0, splitInput: options.split_input != 0, rate: options.rate)
        leftPadding = Int(options.left_padding)
        rightPadding = Int(options.right_padding)
        hasBias = options.bias != 0
        isCeil = options.ceil != 0
        countsPadding = options.count_padding != 0
        order = options.order
        resetsAfter = options.reset_after != 0
        isApproximate = options.approximate != 0
        slope = options.slope
        epsilon = options.epsilon
        momentum = options.momentum
    }

    /// Deepest nesting of residual blocks.
    private static let depthLimit = 16

    /// The entries of `options` as layers, those inside of residual blocks in their blocks.
    fileprivate static func nested(
        _ options: UnsafeBufferPointer<dm_layer_options>.SubSequence, depth: Int = 0
    ) throws(DeepMotifError) -> [LayerSpec] {
        guard depth <= depthLimit else {
            throw .invalidArgument("residual blocks are nested deeper than \(depthLimit)")
        }
        var specs: [LayerSpec] = []
        var rest = options
        while let entry = rest.first {
            rest = rest.dropFirst()
            var spec = LayerSpec(entry)
            if entry.kind == DM_LAYER_RESIDUAL {
                spec.body = try nested(try take(entry.body_count, "body_count", &rest), depth: depth + 1)
                spec.shortcut = try nested(try take(entry.shortcut_count, "shortcut_count", &rest), depth: depth + 1)
            }
            specs.append(spec)
        }
        return specs
    }

    private static func take(
        _ count: Int64, _ name: String, _ rest: inout UnsafeBufferPointer<dm_layer_options>.SubSequence
    ) throws(DeepMotifError) -> UnsafeBufferPointer<dm_layer_options>.SubSequence {
        guard count >= 0, count <= rest.count else {
            throw .invalidArgument("\(name) of residual must be in 0 ... \(rest.count), the entries left; got \(count)")
        }
        defer { rest = rest.dropFirst(Int(count)) }
        return rest.prefix(Int(count))
    }
}

@_cdecl("dm_layer_options_init") @implementation
public func dm_layer_options_init(_ options: UnsafeMutablePointer<dm_layer_options>?, _ kind: Int32) {
    let spec = LayerSpec(kind)
    options?.pointee = dm_layer_options(
        kind: kind, padding: spec.padding, units: 0, width: 0, stride: 1, dilation: 1, bidirectional: 0,
        return_sequences: 1, split_input: 0, rate: 0, left_padding: 0, right_padding: 0, bias: 1, ceil: 0,
        count_padding: 1, order: spec.order, reset_after: 1, approximate: 0, slope: spec.slope, epsilon: spec.epsilon,
        momentum: spec.momentum, body_count: 0, shortcut_count: 0)
}

@_cdecl("dm_model_create") @implementation
public func dm_model_create(
    _ layers: UnsafePointer<dm_layer_options>?, _ layerCount: Int64, _ length: Int64, _ seed: UInt64,
    _ model: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let result = try require(model, "model")
        let options = try require(layers, "layers")
        let count = try size(layerCount, "layer_count", atLeast: 1)
        guard count <= 4096 else { throw .invalidArgument("layer_count must be at most 4096; got \(count)") }
        let specs = try LayerSpec.nested(UnsafeBufferPointer(start: options, count: count)[...])
        let network = try Network(layers: specs, length: try size(length, "length", atLeast: 1), seed: seed)
        result.pointee = OpaquePointer(Unmanaged.passRetained(network).toOpaque())
    }
}

@_cdecl("dm_model_free") @implementation
public func dm_model_free(_ model: OpaquePointer?) {
    if let model { Unmanaged<Network>.fromOpaque(UnsafeRawPointer(model)).release() }
}

@_cdecl("dm_model_layer_name") @implementation
public func dm_model_layer_name(
    _ model: OpaquePointer?, _ layer: Int64, _ name: UnsafeMutablePointer<CChar>?, _ capacity: Int64
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let names = try network(model).layerNames
        guard layer >= 0, layer < names.count else {
            throw .invalidArgument("layer must be in 0 ..< \(names.count); got \(layer)")
        }
        try copyText(names[Int(layer)], to: name, capacity: capacity)
    }
}

@_cdecl("dm_model_layer_shape") @implementation
public func dm_model_layer_shape(
    _ model: OpaquePointer?, _ layer: Int64, _ length: Int64, _ outLength: UnsafeMutablePointer<Int64>?,
    _ outChannels: UnsafeMutablePointer<Int64>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let network = try network(model)
        let positions = try require(outLength, "out_length")
        let channels = try require(outChannels, "out_channels")
        let count = network.layerNames.count
        guard layer >= -1, layer < count else {
            throw .invalidArgument("layer must be in -1 ..< \(count); got \(layer)")
        }
        let index = layer < 0 ? count - 1 : Int(layer)
        let shape = try network.shape(ofLayer: index, length: try size(length, "length"))
        positions.pointee = Int64(shape.length)
        channels.pointee = Int64(shape.channels)
    }
}

@_cdecl("dm_model_minimum_length") @implementation
public func dm_model_minimum_length(_ model: OpaquePointer?, _ length: UnsafeMutablePointer<Int64>?) -> Int32 {
    guarded { () throws(DeepMotifError) in
        try require(length, "length").pointee = Int64(try network(model).minimumLength)
    }
}

@_cdecl("dm_model_parameter_count") @implementation
public func dm_model_parameter_count(
    _ model: OpaquePointer?, _ arrays: UnsafeMutablePointer<Int64>?, _ scalars: UnsafeMutablePointer<Int64>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let network = try network(model)
        try require(arrays, "arrays").pointee = Int64(network.parameterArrays.count)
        try require(scalars, "scalars").pointee = Int64(network.parameterCount)
    }
}

@_cdecl("dm_model_parameter_info") @implementation
public func dm_model_parameter_info(
    _ model: OpaquePointer?, _ index: Int64, _ name: UnsafeMutablePointer<CChar>?, _ capacity: Int64,
    _ dimensions: UnsafeMutablePointer<Int64>?, _ rank: UnsafeMutablePointer<Int64>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let arrays = try network(model).parameterArrays
        let extents = try require(dimensions, "dimensions")
        let rank = try require(rank, "rank")
        guard index >= 0, index < arrays.count else {
            throw .invalidArgument("index must be in 0 ..< \(arrays.count); got \(index)")
        }
        let array = arrays[Int(index)]
        try copyText(array.name, to: name, capacity: capacity)
        for (i, extent) in array.dimensions.enumerated() { extents[i] = Int64(extent) }
        rank.pointee = Int64(array.dimensions.count)
    }
}

@_cdecl("dm_model_get_parameters") @implementation
public func dm_model_get_parameters(
    _ model: OpaquePointer?, _ values: UnsafeMutablePointer<Float>?, _ count: Int64
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let network = try network(model)
        try exactCount(count, network.parameterCount)
        network.getParameters(try require(values, "values"))
    }
}

@_cdecl("dm_model_set_parameters") @implementation
public func dm_model_set_parameters(
    _ model: OpaquePointer?, _ values: UnsafePointer<Float>?, _ count: Int64
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let network = try network(model)
        let values = try require(values, "values")
        try exactCount(count, network.parameterCount)
        for i in 0..<network.parameterCount where !values[i].isFinite {
            throw .invalidArgument("parameters must be finite; got \(values[i]) at index \(i)")
        }
        network.setParameters(values)
    }
}

@_cdecl("dm_model_scores") @implementation
public func dm_model_scores(
    _ model: OpaquePointer?, _ sequences: UnsafePointer<dm_sequences>?, _ threads: Int32,
    _ scores: UnsafeMutablePointer<Float>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        try network(model).scores(
            try sequenceBatch(sequences), threads: try threadCount(threads), output: try require(scores, "scores"))
    }
}

@_cdecl("dm_model_activations") @implementation
public func dm_model_activations(
    _ model: OpaquePointer?, _ sequences: UnsafePointer<dm_sequences>?, _ layer: Int64, _ threads: Int32,
    _ activations: UnsafeMutablePointer<Float>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let network = try network(model)
        guard layer >= 0, layer < network.layerNames.count else {
            throw .invalidArgument("layer must be in 0 ..< \(network.layerNames.count); got \(layer)")
        }
        try network.activations(
            try sequenceBatch(sequences), layer: Int(layer), threads: try threadCount(threads),
            output: try require(activations, "activations"))
    }
}

@_cdecl("dm_output_apply") @implementation
public func dm_output_apply(
    _ output: Int32, _ scores: UnsafePointer<Float>?, _ count: Int64, _ classes: Int64,
    _ values: UnsafeMutablePointer<Float>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let rows = try size(count, "count")
        let columns = try size(classes, "classes", atLeast: 1)
        _ = try product(rows, columns, name: "scores")
        applyOutput(
            try outputFunction(output), scores: try require(scores, "scores"), count: rows, classes: columns,
            values: try require(values, "values"))
    }
}

/// A DM_OUTPUT_ constant.
func outputFunction(_ output: Int32) throws(DeepMotifError) -> Int32 {
    guard [DM_OUTPUT_SOFTMAX, DM_OUTPUT_SIGMOID, DM_OUTPUT_LINEAR].contains(output) else {
        throw .invalidArgument("output must be a DM_OUTPUT_ constant; got \(output)")
    }
    return output
}
