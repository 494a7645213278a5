// ViewsABI: gradients, temporal scores and class optimisation. ABI room.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CDeepMotif
import DeepMotifCore
import DeepMotifInterpretation
import DeepMotifNetworks

/// The class and the quantity of a model that a view is about.
private func targetQuantity(
    _ network: Network, _ target: Int64, quantity: Int32, output: Int32
) throws(DeepMotifError) -> TargetQuantity {
    let target = try size(target, "target")
    return try TargetQuantity(target: target, quantity: quantity, output: output, classes: network.classCount)
}

/// Whether the letters' mean is subtracted; throws where `flags` has a bit that the call does not know.
private func isCentered(_ flags: Int32, allowed: Int32) throws(DeepMotifError) -> Bool {
    guard flags & ~allowed == 0 else { throw .invalidArgument("flags has unknown bits: \(flags)") }
    return flags & DM_SALIENCY_CENTERED != 0
}

@_cdecl("dm_view_input_gradient") @implementation
public func dm_view_input_gradient(
    _ model: OpaquePointer?, _ sequences: UnsafePointer<dm_sequences>?, _ target: Int64, _ quantity: Int32,
    _ output: Int32, _ flags: Int32, _ threads: Int32, _ gradient: UnsafeMutablePointer<Float>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let network = try network(model)
        let quantity = try targetQuantity(network, target, quantity: quantity, output: output)
        try network.inputGradient(
            try sequenceBatch(sequences), of: quantity,
            isCentered: try isCentered(flags, allowed: DM_SALIENCY_CENTERED), threads: try threadCount(threads),
            gradient: try require(gradient, "gradient"))
    }
}

@_cdecl("dm_view_saliency") @implementation
public func dm_view_saliency(
    _ model: OpaquePointer?, _ sequences: UnsafePointer<dm_sequences>?, _ target: Int64, _ quantity: Int32,
    _ output: Int32, _ flags: Int32, _ threads: Int32, _ saliency: UnsafeMutablePointer<Float>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let network = try network(model)
        let quantity = try targetQuantity(network, target, quantity: quantity, output: output)
        try network.saliency(
            try sequenceBatch(sequences), of: quantity, isSigned: flags & DM_SALIENCY_SIGNED != 0,
            isCentered: try isCentered(flags, allowed: DM_SALIENCY_SIGNED | DM_SALIENCY_CENTERED),
            threads: try threadCount(threads), saliency: try require(saliency, "saliency"))
    }
}

@_cdecl("dm_view_temporal_scores") @implementation
public func dm_view_temporal_scores(
    _ model: OpaquePointer?, _ sequences: UnsafePointer<dm_sequences>?, _ target: Int64, _ output: Int32,
    _ direction: Int32, _ threads: Int32, _ probabilities: UnsafeMutablePointer<Float>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let network = try network(model)
        let target = try targetQuantity(network, target, quantity: DM_TARGET_SCORE, output: output)
        guard direction == DM_DIRECTION_FORWARD || direction == DM_DIRECTION_BACKWARD else {
            throw .invalidArgument("direction must be one of DM_DIRECTION_...; got \(direction)")
        }
        try network.temporalScores(
            try sequenceBatch(sequences), target: target,
            direction: direction == DM_DIRECTION_FORWARD ? .forward : .backward, threads: try threadCount(threads),
            probabilities: try require(probabilities, "probabilities"))
    }
}

@_cdecl("dm_class_optimization_options_init") @implementation
public func dm_class_optimization_options_init(_ options: UnsafeMutablePointer<dm_class_optimization_options>?) {
    options?.pointee = dm_class_optimization_options(
        target: 1, quantity: DM_TARGET_LOG_PROBABILITY, output: DM_OUTPUT_SOFTMAX, softmax: 0, l2: 0.009,
        learning_rate: 0.05, alpha: 0.99, epsilon: 1e-8)
}

@_cdecl("dm_view_class_optimization") @implementation
public func dm_view_class_optimization(
    _ model: OpaquePointer?, _ options: UnsafePointer<dm_class_optimization_options>?, _ restarts: Int64,
    _ length: Int64, _ steps: Int64, _ fixed: UnsafePointer<UInt8>?, _ threads: Int32,
    _ variables: UnsafeMutablePointer<Float>?, _ squares: UnsafeMutablePointer<Float>?,
    _ objective: UnsafeMutablePointer<Float>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let network = try network(model)
        let given = try require(options, "options").pointee
        let quantity = try targetQuantity(
            network, given.target, quantity: given.quantity, output: given.output)
        let restarts = try size(restarts, "restarts")
        let length = try size(length, "length")
        let steps = try size(steps, "steps")
        _ = try product(restarts, length, letterCount, name: "variables")
        _ = try product(restarts, steps, name: "objective")
        let state = ClassOptimizationState(
            restarts: restarts, length: length, variables: try require(variables, "variables"),
            squares: try require(squares, "squares"), fixed: fixed)
        try network.optimizeInputs(
            state,
            options: try ClassOptimizationOptions(
                quantity: quantity, isSoftmax: given.softmax != 0, l2: given.l2, learningRate: given.learning_rate,
                alpha: given.alpha, epsilon: given.epsilon),
            steps: steps, threads: try threadCount(threads), objective: try require(objective, "objective"))
    }
}

@_cdecl("dm_random_uniform") @implementation
public func dm_random_uniform(
    _ seed: UInt64, _ streams: Int64, _ count: Int64, _ values: UnsafeMutablePointer<Float>?
) -> Int32 {
    drawStarts(streams, count, values) { uniformStarts(seed: seed, streams: $0, count: $1, values: $2) }
}

@_cdecl("dm_random_normal") @implementation
public func dm_random_normal(
    _ seed: UInt64, _ streams: Int64, _ count: Int64, _ values: UnsafeMutablePointer<Float>?
) -> Int32 {
    drawStarts(streams, count, values) { normalStarts(seed: seed, streams: $0, count: $1, values: $2) }
}

private func drawStarts(
    _ streams: Int64, _ count: Int64, _ values: UnsafeMutablePointer<Float>?,
    draw: (Int, Int, UnsafeMutablePointer<Float>) -> Void
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let streams = try size(streams, "streams")
        let count = try size(count, "count")
        _ = try product(streams, count, name: "values")
        draw(streams, count, try require(values, "values"))
    }
}

@_cdecl("dm_view_class_optimization_matrix") @implementation
public func dm_view_class_optimization_matrix(
    _ inputs: UnsafePointer<Float>?, _ restarts: Int64, _ length: Int64, _ matrices: UnsafeMutablePointer<Float>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let restarts = try size(restarts, "restarts")
        let length = try size(length, "length")
        _ = try product(restarts, length, letterCount, name: "inputs")
        classOptimizationMatrices(
            try require(inputs, "inputs"), restarts: restarts, length: length,
            matrices: try require(matrices, "matrices"))
    }
}
