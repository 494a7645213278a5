// TrainingABI: trainers. ABI room.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CDeepMotif
import DeepMotifCore
import DeepMotifNetworks

/// The trainer behind a dm_trainer.
private func trainerBehind(_ trainer: OpaquePointer?) throws(DeepMotifError) -> Trainer {
    let trainer = try require(trainer, "trainer")
    return Unmanaged<Trainer>.fromOpaque(UnsafeRawPointer(trainer)).takeUnretainedValue()
}

/// The targets behind a dm_targets: one of the three pointers, with as many columns as there are classes.
private func targetsBehind(
    _ pointer: UnsafePointer<dm_targets>?, classes: Int
) throws(DeepMotifError) -> Targets {
    let targets = try require(pointer, "targets").pointee
    if targets.labels == nil, targets.columns != Int64(classes) {
        throw .shape("targets must have \(classes) columns, one a score; got \(targets.columns)")
    }
    switch (targets.labels, targets.flags, targets.values) {
    case (let labels?, nil, nil): return .labels(labels)
    case (nil, let flags?, nil): return .flags(flags)
    case (nil, nil, let values?): return .values(values)
    default: throw .invalidArgument("targets must have exactly one of labels, flags and values")
    }
}

@_cdecl("dm_trainer_options_init") @implementation
public func dm_trainer_options_init(_ options: UnsafeMutablePointer<dm_trainer_options>?, _ optimizer: Int32) {
    let defaults = TrainerOptions(optimizer: optimizer)
    options?.pointee = dm_trainer_options(
        output: defaults.output, loss: defaults.loss, optimizer: defaults.optimizer, strands: defaults.strands,
        learning_rate: defaults.learningRate, beta1: defaults.beta1, beta2: defaults.beta2, rho: defaults.rho,
        epsilon: defaults.epsilon, momentum: defaults.momentum, weight_decay: defaults.weightDecay, l2: defaults.l2,
        max_norm: defaults.maxNorm, gradient_clip: defaults.gradientClip, seed: defaults.seed)
}

@_cdecl("dm_trainer_create") @implementation
public func dm_trainer_create(
    _ model: OpaquePointer?, _ options: UnsafePointer<dm_trainer_options>?,
    _ trainer: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let result = try require(trainer, "trainer")
        let given = try require(options, "options").pointee
        let created = try Trainer(
            network: try network(model),
            options: TrainerOptions(
                output: given.output, loss: given.loss, optimizer: given.optimizer, strands: given.strands,
                learningRate: given.learning_rate, beta1: given.beta1, beta2: given.beta2, rho: given.rho,
                epsilon: given.epsilon, momentum: given.momentum, weightDecay: given.weight_decay, l2: given.l2,
                maxNorm: given.max_norm, gradientClip: given.gradient_clip, seed: given.seed))
        result.pointee = OpaquePointer(Unmanaged.passRetained(created).toOpaque())
    }
}

@_cdecl("dm_trainer_free") @implementation
public func dm_trainer_free(_ trainer: OpaquePointer?) {
    if let trainer { Unmanaged<Trainer>.fromOpaque(UnsafeRawPointer(trainer)).release() }
}

@_cdecl("dm_trainer_set_learning_rate") @implementation
public func dm_trainer_set_learning_rate(_ trainer: OpaquePointer?, _ learningRate: Float) -> Int32 {
    guarded { () throws(DeepMotifError) in try trainerBehind(trainer).setLearningRate(learningRate) }
}

@_cdecl("dm_trainer_run") @implementation
public func dm_trainer_run(
    _ trainer: OpaquePointer?, _ sequences: UnsafePointer<dm_sequences>?, _ targets: UnsafePointer<dm_targets>?,
    _ rows: UnsafePointer<Int64>?, _ rowCount: Int64, _ batchSize: Int64, _ classWeights: UnsafePointer<Float>?,
    _ threads: Int32, _ lossSum: UnsafeMutablePointer<Double>?, _ weightSum: UnsafeMutablePointer<Double>?,
    _ scores: UnsafeMutablePointer<Float>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let loss = try require(lossSum, "loss_sum")
        let weight = try require(weightSum, "weight_sum")
        var sums = TrainingSums()
        defer {
            loss.pointee += sums.loss
            weight.pointee += sums.weight
        }
        let trainer = try trainerBehind(trainer)
        try trainer.run(
            try sequenceBatch(sequences), targets: try targetsBehind(targets, classes: trainer.network.classCount),
            rows: try require(rows, "rows"),
            rowCount: try size(rowCount, "row_count"), batchSize: try size(batchSize, "batch_size"),
            classWeights: classWeights, threads: try threadCount(threads), sums: &sums, scores: scores)
    }
}

@_cdecl("dm_trainer_gradient") @implementation
public func dm_trainer_gradient(
    _ trainer: OpaquePointer?, _ sequences: UnsafePointer<dm_sequences>?, _ targets: UnsafePointer<dm_targets>?,
    _ classWeights: UnsafePointer<Float>?, _ threads: Int32, _ gradient: UnsafeMutablePointer<Float>?, _ count: Int64
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let trainer = try trainerBehind(trainer)
        try exactCount(count, trainer.network.parameterCount)
        try trainer.gradient(
            try sequenceBatch(sequences), targets: try targetsBehind(targets, classes: trainer.network.classCount),
            classWeights: classWeights,
            threads: try threadCount(threads), gradient: try require(gradient, "gradient"))
    }
}

@_cdecl("dm_trainer_state_count") @implementation
public func dm_trainer_state_count(_ trainer: OpaquePointer?, _ count: UnsafeMutablePointer<Int64>?) -> Int32 {
    guarded { () throws(DeepMotifError) in
        try require(count, "count").pointee = Int64(try trainerBehind(trainer).stateValueCount)
    }
}

@_cdecl("dm_trainer_get_state") @implementation
public func dm_trainer_get_state(
    _ trainer: OpaquePointer?, _ state: UnsafeMutablePointer<Double>?, _ count: Int64
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let trainer = try trainerBehind(trainer)
        try exactCount(count, trainer.stateValueCount)
        try trainer.getState(try require(state, "state"))
    }
}

@_cdecl("dm_trainer_set_state") @implementation
public func dm_trainer_set_state(_ trainer: OpaquePointer?, _ state: UnsafePointer<Double>?, _ count: Int64) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let trainer = try trainerBehind(trainer)
        try exactCount(count, trainer.stateValueCount)
        try trainer.setState(try require(state, "state"))
    }
}
