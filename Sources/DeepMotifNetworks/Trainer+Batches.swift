// Trainer+Batches: the passes over batches. Networks room.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifSequences

/// Sums over the rows of a call.
package struct TrainingSums: Equatable, Sendable {
    /// Of weight x loss.
    package var loss = 0.0
    /// Of the weights.
    package var weight = 0.0

    package init() {}
}

/// One batch: who is in it and where its numbers lie.
struct TrainingBatch: @unchecked Sendable {
    /// (count,) numbers of the caller's rows.
    var rows: UnsafePointer<Int64>
    var count: Int
    /// Each row once, or its two strands behind each other.
    var input: LayerInput
    /// (count, C), the strands combined.
    var scores: MutableFloats
    /// (count,) weight x loss of every row.
    var losses: UnsafeMutablePointer<Double>
    /// 1 / sum of the rows' weights.
    var scale: Double
    /// One after the other, `aligned(parameterCount)` floats each.
    var gradients: MutableFloats
    var parts: Int
    var isTraining: Bool
    /// Of dropout.
    var key: UInt64
}

extension Trainer {
    /// Trains on the given rows of the sequences, in that order, in batches of `batchSize` (the last may be smaller).
    /// Targets are by row of `sequences`; classWeights (C,) or nil. `sums` is added to batch by batch. scores (rowCount,
    /// C) or nil receives what training saw. Throws where a loss is not finite: the parameters are as before its batch.
    package func run(
        _ sequences: SequenceBatch, targets: Targets, rows: UnsafePointer<Int64>, rowCount: Int, batchSize: Int,
        classWeights: Floats?, threads: Int, sums: inout TrainingSums, scores: MutableFloats?
    ) throws(DeepMotifError) {
        guard batchSize >= 1 else { throw .invalidArgument("batch_size must be at least 1; got \(batchSize)") }
        let loss = try options.makeLoss(targets, classWeights: classWeights, classes: network.classCount)
        try check(sequences, loss, rows: rows, rowCount: rowCount, threads: threads)
        // By the batch size alone: the bytes must not depend on how an epoch was cut into calls.
        let plan = try plan(sequences, rows: min(batchSize, 1 << 40), isTraining: true)
        defer { network.workspaces.trim() }
        for start in stride(from: 0, to: rowCount, by: batchSize) {
            let count = min(batchSize, rowCount - start)
            let batch = try makeBatch(
                sequences, plan, rows: rows + start, count: count, isTraining: true,
                scores: scores.map { $0 + start * network.classCount })
            let batchSums = try accumulate(batch, loss, plan, threads: threads)
            guard batchSums.loss.isFinite else {
                throw .invalidArgument(
                    "the loss of the batch at row \(start) is \(batchSums.loss): the learning rate "
                        + "(\(learningRate)) is probably too high; the parameters are as before this batch")
            }
            step(batch.gradients, parts: batch.parts, threads: threads)
            updateRunningStatistics()
            sums.loss += batchSums.loss
            sums.weight += batchSums.weight
        }
    }

    /// Gradient of the loss of all sequences as one batch, dropout off, in the order of the parameters.
    package func gradient(
        _ sequences: SequenceBatch, targets: Targets, classWeights: Floats?, threads: Int, gradient: MutableFloats
    ) throws(DeepMotifError) {
        let rows = try Buffer<Int64>(count: sequences.count)
        for i in 0..<sequences.count { rows.pointer[i] = Int64(i) }
        let loss = try options.makeLoss(targets, classWeights: classWeights, classes: network.classCount)
        try check(sequences, loss, rows: rows.readOnly, rowCount: sequences.count, threads: threads)
        let plan = try plan(sequences, rows: sequences.count, isTraining: false)
        defer { network.workspaces.trim() }
        let batch = try makeBatch(
            sequences, plan, rows: rows.readOnly, count: sequences.count, isTraining: false, scores: nil)
        _ = try accumulate(batch, loss, plan, threads: threads)
        sum(batch.gradients, parts: batch.parts, threads: threads)
        network.parameters.export(Floats(batch.gradients), to: gradient)
    }

    private func check(
        _ sequences: SequenceBatch, _ loss: any Loss, rows: UnsafePointer<Int64>, rowCount: Int, threads: Int
    ) throws(DeepMotifError) {
        guard threads >= 1 else { throw .invalidArgument("threads must be at least 1; got \(threads)") }
        guard rowCount >= 1 else { throw .invalidArgument("rows to train on must be at least 1; got \(rowCount)") }
        for i in 0..<rowCount where rows[i] < 0 || rows[i] >= sequences.count {
            throw .invalidArgument("rows must be in 0 ..< \(sequences.count); got \(rows[i]) at \(i)")
        }
        try loss.validate(rows: rows, count: rowCount)
    }

    /// The strands of a row are in the same block.
    private func plan(_ sequences: SequenceBatch, rows: Int, isTraining: Bool) throws(DeepMotifError) -> PassPlan {
        try network.trainingPlan(
            length: sequences.length, count: rows * options.copies, multiple: options.copies, isUnfolded: isTraining,
            readsCodes: LayerInput(sequences).isCodes)
    }

    private func makeBatch(
        _ sequences: SequenceBatch, _ plan: PassPlan, rows: UnsafePointer<Int64>, count: Int, isTraining: Bool,
        scores: MutableFloats?
    ) throws(DeepMotifError) -> TrainingBatch {
        let parts = partCount(count * options.copies, plan: plan)
        let kept = scores == nil ? try scoreMemory(count: count * network.classCount) : nil
        guard let scores = scores ?? kept else { preconditionFailure("a batch without scores") }
        return TrainingBatch(
            rows: rows, count: count, input: try stage(sequences, rows: rows, count: count), scores: scores,
            losses: try lossMemory(count: count), scale: 0, gradients: try gradientMemory(parts: parts), parts: parts,
            isTraining: isTraining,
            key: RandomSource.key(seed: options.seed, purpose: .dropout, stream: UInt64(stepCount)))
    }

    /// Gradients of one batch, part by part; returns its sums. Nothing of the network changes.
    private func accumulate(
        _ batch: TrainingBatch, _ loss: any Loss, _ plan: PassPlan, threads: Int
    ) throws(DeepMotifError) -> TrainingSums {
        network.prepareParameters()
        guard !needsLayerByLayer(batch, loss), let loss = loss as? any RowLoss else {
            return try accumulateLayerByLayer(batch, loss, plan, threads: threads)
        }
        return try accumulateBlocks(batch, loss, plan, threads: threads)
    }

    /// Block by block through all layers and back.
    private func accumulateBlocks(
        _ batch: TrainingBatch, _ loss: any RowLoss, _ plan: PassPlan, threads: Int
    ) throws(DeepMotifError) -> TrainingSums {
        nonisolated(unsafe) let memory = try network.workspaces.reserve(
            workers: min(threads, batch.parts), count: plan.count)
        var (batch, sums) = weighted(batch, loss)
        let parameterCount = network.parameterCount
        parallelFor(chunks: batch.parts, threads: threads) { [batch] part, worker in
            let gradient = batch.gradients + part * aligned(parameterCount)
            gradient.update(repeating: 0, count: parameterCount)
            self.forEachBlock(of: batch, part: part, plan) { start, rows in
                var block = self.block(of: batch, plan, start: start, rows: rows, workspace: memory[worker])
                let scores = self.network.forward(plan, &block)
                self.combineStrands(scores, of: block, in: batch)
                let seeds = block.workspace + plan.gradients.0
                self.evaluate(loss, block, batch, gradient: seeds)
                self.divideStrands(seeds, scores: scores, rows: rows)
                self.network.backward(plan, block, inputGradient: nil, parameterGradient: gradient)
            }
        }
        for i in 0..<batch.count { sums.loss += batch.losses[i] }
        return sums
    }

    /// The batch with its scale, and the sum of its weights.
    func weighted(_ batch: TrainingBatch, _ loss: any RowLoss) -> (TrainingBatch, TrainingSums) {
        var sums = TrainingSums()
        for i in 0..<batch.count { sums.weight += loss.weight(row: Int(batch.rows[i])) }
        var scaled = batch
        scaled.scale = sums.weight > 0 ? 1 / sums.weight : 0
        return (scaled, sums)
    }

    /// Calls with the first sequence and the number of sequences of every block of a part.
    func forEachBlock(of batch: TrainingBatch, part: Int, _ plan: PassPlan, _ body: (_ start: Int, _ rows: Int) -> Void)
    {
        let copies = options.copies
        let range = chunkRange(part, of: batch.parts, count: batch.count)
        let end = range.upperBound * copies
        for start in stride(from: range.lowerBound * copies, to: end, by: plan.rows) {
            body(start, min(plan.rows, end - start))
        }
    }

    func block(
        of batch: TrainingBatch, _ plan: PassPlan, start: Int, rows: Int, workspace: MutableFloats
    ) -> GradientBlock {
        var block = GradientBlock(
            input: batch.input.advanced(by: start, shape: plan.steps[0].input), rows: rows, workspace: workspace)
        block.isTraining = batch.isTraining
        block.key = batch.key
        block.firstRow = start
        return block
    }

    /// Losses of a block's rows, and the gradient (rows, C) of its scores.
    func evaluate(_ loss: any RowLoss, _ block: GradientBlock, _ batch: TrainingBatch, gradient: MutableFloats) {
        let classes = network.classCount
        let copies = options.copies
        for row in 0..<(block.rows / copies) {
            let place = block.firstRow / copies + row
            batch.losses[place] = loss.evaluate(
                row: Int(batch.rows[place]), scores: batch.scores + place * classes, scale: batch.scale,
                gradient: gradient + row * copies * classes)
        }
    }
}
