// FeatureMapsABI: parts of networks and the ascent of feature maps. ABI room.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CDeepMotif
import DeepMotifCore
import DeepMotifInterpretation
import DeepMotifKernelTable
import DeepMotifNetworks

/// Layers first ..< last of a network, at least one.
private func layerRange(_ network: Network, _ first: Int64, _ last: Int64) throws(DeepMotifError) -> Range<Int> {
    let count = network.layerNames.count
    guard first >= 0, first < last, last <= count else {
        throw .invalidArgument("first and last must have 0 <= first < last <= \(count); got \(first) and \(last)")
    }
    return Int(first)..<Int(last)
}

/// Throws where a value is not finite.
private func requireFinite(_ values: Floats, _ count: Int, _ name: String) throws(DeepMotifError) {
    // One pass without branches: as whole numbers, infinities and NaN are the largest magnitudes.
    var largest: UInt32 = 0
    for i in 0..<count { largest = max(largest, values[i].bitPattern & 0x7FFF_FFFF) }
    guard largest >= 0x7F80_0000 else { return }
    for i in 0..<count where !values[i].isFinite {
        throw .invalidArgument("\(name) must be finite; got \(values[i]) at index \(i)")
    }
}

@_cdecl("dm_model_part_shape") @implementation
public func dm_model_part_shape(
    _ model: OpaquePointer?, _ first: Int64, _ last: Int64, _ length: Int64,
    _ inChannels: UnsafeMutablePointer<Int64>?, _ outLength: UnsafeMutablePointer<Int64>?,
    _ outChannels: UnsafeMutablePointer<Int64>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let network = try network(model)
        let range = try layerRange(network, first, last)
        let shapes = try network.partShapes(range, length: try size(length, "length", atLeast: 1))
        try require(inChannels, "in_channels").pointee = Int64(shapes.input.channels)
        try require(outLength, "out_length").pointee = Int64(shapes.output.length)
        try require(outChannels, "out_channels").pointee = Int64(shapes.output.channels)
    }
}

/// Checked inputs of some layers.
private func partInputs(
    _ network: Network, _ range: Range<Int>, _ inputs: UnsafePointer<Float>?, rows: Int, length: Int
) throws(DeepMotifError) -> Floats {
    let inputs = try require(inputs, "inputs")
    let shape = try network.partShapes(range, length: length).input
    try requireFinite(inputs, try product(rows, length, shape.channels, name: "inputs"), "inputs")
    return inputs
}

@_cdecl("dm_model_part_outputs") @implementation
public func dm_model_part_outputs(
    _ model: OpaquePointer?, _ first: Int64, _ last: Int64, _ inputs: UnsafePointer<Float>?, _ rows: Int64,
    _ length: Int64, _ threads: Int32, _ outputs: UnsafeMutablePointer<Float>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let network = try network(model)
        let range = try layerRange(network, first, last)
        let rows = try size(rows, "rows")
        let length = try size(length, "length", atLeast: 1)
        let inputs = try partInputs(network, range, inputs, rows: rows, length: length)
        try network.run(
            range, input: .dense(inputs), rows: rows, length: length, threads: try threadCount(threads),
            output: try require(outputs, "outputs"))
    }
}

@_cdecl("dm_model_part_gradient") @implementation
public func dm_model_part_gradient(
    _ model: OpaquePointer?, _ first: Int64, _ last: Int64, _ inputs: UnsafePointer<Float>?,
    _ outputGradient: UnsafePointer<Float>?, _ rows: Int64, _ length: Int64, _ threads: Int32,
    _ gradient: UnsafeMutablePointer<Float>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let network = try network(model)
        let range = try layerRange(network, first, last)
        let rows = try size(rows, "rows")
        let length = try size(length, "length", atLeast: 1)
        let inputs = try partInputs(network, range, inputs, rows: rows, length: length)
        try network.gradient(
            range, input: inputs, outputGradient: try require(outputGradient, "output_gradient"), rows: rows,
            length: length, threads: try threadCount(threads), inputGradient: try require(gradient, "gradient"))
    }
}

@_cdecl("dm_feature_map_options_init") @implementation
public func dm_feature_map_options_init(_ options: UnsafeMutablePointer<dm_feature_map_options>?) {
    options?.pointee = dm_feature_map_options(
        first_layer: 0, decay_start: 500, patience: 10, max_steps: 10_000, learning_rate: 0.005, decay_power: 0.2,
        decay_floor: 1e-6)
}

extension FeatureMapOptions {
    fileprivate init(_ given: dm_feature_map_options) throws(DeepMotifError) {
        try self.init(
            firstLayer: try size(given.first_layer, "first_layer"), learningRate: given.learning_rate,
            decayStart: try size(given.decay_start, "decay_start"), decayPower: given.decay_power,
            decayFloor: given.decay_floor, patience: try size(given.patience, "patience"),
            maxSteps: try size(given.max_steps, "max_steps"))
    }
}

@_cdecl("dm_feature_maps_climb") @implementation
public func dm_feature_maps_climb(
    _ model: OpaquePointer?, _ options: UnsafePointer<dm_feature_map_options>?,
    _ maps: UnsafePointer<dm_feature_maps>?, _ steps: Int64, _ threads: Int32,
    _ climbing: UnsafeMutablePointer<Int64>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let network = try network(model)
        let options = try FeatureMapOptions(try require(options, "options").pointee)
        let tail = try layerRange(network, Int64(options.firstLayer), Int64(network.layerNames.count))
        let given = try require(maps, "maps").pointee
        let count = try size(given.count, "count")
        let length = try size(given.length, "length", atLeast: 1)
        let shapes = try network.partShapes(tail, length: length)
        guard shapes.output.length == 1 else {
            throw .shape("feature maps of \(length) positions do not end in one position of scores")
        }
        let floats = try product(count, length, shapes.input.channels, name: "maps")
        let state = FeatureMapState(
            count: count, length: length, targets: try require(given.targets, "targets"),
            l2: try require(given.l2, "l2"), maps: try require(given.maps, "maps"),
            bestMaps: try require(given.best_maps, "best_maps"),
            objectives: try require(given.objectives, "objectives"), scores: try require(given.scores, "scores"),
            highestScores: try require(given.highest_scores, "highest_scores"),
            steps: try require(given.steps, "steps"), waits: try require(given.waits, "waits"),
            states: try require(given.states, "states"))
        try requireFinite(state.maps, floats, "maps")
        let result = try require(climbing, "climbing")
        result.pointee = Int64(
            try network.climb(
                state, options: options, steps: try size(steps, "steps"), threads: try threadCount(threads)))
    }
}
