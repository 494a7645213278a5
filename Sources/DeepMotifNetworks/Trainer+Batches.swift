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

extension Trainer {
    /// Trains on the given rows of the sequences, in that order, in batches of `batchSize` (the last may be smaller).
    /// labels (N,) by row of `sequences`; classWeights (C,) or nil. `sums` is added to batch by batch. scores (rowCount,
    /// C) or nil receives what training saw. Throws where a loss is not finite: the parameters are as before its batch.
    package func run(
        _ sequences: SequenceBatch, labels: UnsafePointer<Int32>, rows: UnsafePointer<Int64>, rowCount: Int,
        batchSize: Int, classWeights: Floats?, threads: Int, sums: inout TrainingSums, scores: MutableFloats?
    ) throws(DeepMotifError) {
        guard batchSize >= 1 else { throw .invalidArgument("batch_size must be at least 1; got \(batchSize)") }
        let loss = SoftmaxLoss(labels: labels, classWeights: classWeights)
        try check(sequences, loss, rows: rows, rowCount: rowCount, threads: threads)
        // By the batch size alone: the bytes must not depend on how an epoch was cut into calls.
        let plan = try network.gradientPlan(length: sequences.length, count: min(batchSize, 1 << 40))
        defer { network.workspaces.trim() }
        for start in stride(from: 0, to: rowCount, by: batchSize) {
            let count = min(batchSize, rowCount - start)
            let batch = try accumulate(
                sequences, loss, plan, rows: rows + start, count: count, threads: threads, isTraining: true,
                scores: scores.map { $0 + start * network.classCount })
            guard batch.sums.loss.isFinite else {
                throw .invalidArgument(
                    "the loss of the batch at row \(start) is \(batch.sums.loss): the learning rate "
                        + "(\(learningRate)) is probably too high; the parameters are as before this batch")
            }
            reduce(batch.gradients, parts: batch.parts, threads: threads, step: true)
            sums.loss += batch.sums.loss
            sums.weight += batch.sums.weight
        }
    }

    /// Gradient of the mean loss of all sequences as one batch, dropout off, in the order of the parameters.
    package func gradient(
        _ sequences: SequenceBatch, labels: UnsafePointer<Int32>, classWeights: Floats?, threads: Int,
        gradient: MutableFloats
    ) throws(DeepMotifError) {
        let rows = try Buffer<Int64>(count: sequences.count)
        for i in 0..<sequences.count { rows.pointer[i] = Int64(i) }
        let loss = SoftmaxLoss(labels: labels, classWeights: classWeights)
        try check(sequences, loss, rows: rows.readOnly, rowCount: sequences.count, threads: threads)
        let plan = try network.gradientPlan(length: sequences.length, count: sequences.count)
        defer { network.workspaces.trim() }
        let batch = try accumulate(
            sequences, loss, plan, rows: rows.readOnly, count: sequences.count, threads: threads, isTraining: false,
            scores: nil)
        reduce(batch.gradients, parts: batch.parts, threads: threads, step: false)
        network.parameters.export(Floats(batch.gradients), to: gradient)
    }

    private func check(
        _ sequences: SequenceBatch, _ loss: some Loss, rows: UnsafePointer<Int64>, rowCount: Int, threads: Int
    ) throws(DeepMotifError) {
        guard threads >= 1 else { throw .invalidArgument("threads must be at least 1; got \(threads)") }
        guard rowCount >= 1 else { throw .invalidArgument("rows to train on must be at least 1; got \(rowCount)") }
        for i in 0..<rowCount where rows[i] < 0 || rows[i] >= sequences.count {
            throw .invalidArgument("rows must be in 0 ..< \(sequences.count); got \(rows[i]) at \(i)")
        }
        try loss.validate(rows: rows, count: rowCount, classes: network.classCount)
    }

    private struct Batch {
        var gradients: MutableFloats
        var parts: Int
        var sums: TrainingSums
    }

    /// Gradients of one batch, part by part, and its sums. Nothing of the network changes.
    private func accumulate(
        _ sequences: SequenceBatch, _ loss: some Loss, _ plan: PassPlan, rows: UnsafePointer<Int64>, count: Int,
        threads: Int, isTraining: Bool, scores: MutableFloats?
    ) throws(DeepMotifError) -> Batch {
        let parts = partCount(count, plan: plan)
        let gradients = try gradientMemory(parts: parts)
        nonisolated(unsafe) let losses = try lossMemory(count: count)
        nonisolated(unsafe) let input = try stage(sequences, rows: rows, count: count)
        nonisolated(unsafe) let memory = try network.workspaces.reserve(
            workers: min(threads, parts), count: plan.count)
        var sums = TrainingSums()
        for i in 0..<count { sums.weight += loss.weight(row: Int(rows[i])) }
        let scale = sums.weight > 0 ? 1 / sums.weight : 0
        let key = RandomSource.key(seed: options.seed, purpose: .dropout, stream: UInt64(stepCount))
        network.prepareParameters()
        nonisolated(unsafe) let (rows, scores, sum) = (rows, scores, gradients)
        let parameterCount = network.parameterCount
        parallelFor(chunks: parts, threads: threads) { part, worker in
            let gradient = sum + part * aligned(parameterCount)
            gradient.update(repeating: 0, count: parameterCount)
            let range = chunkRange(part, of: parts, count: count)
            for start in stride(from: range.lowerBound, to: range.upperBound, by: plan.rows) {
                var block = GradientBlock(
                    input: input.advanced(by: start, shape: plan.steps[0].input),
                    rows: min(plan.rows, range.upperBound - start), workspace: memory[worker])
                block.isTraining = isTraining
                block.key = key
                block.firstRow = start
                self.run(
                    plan, block, loss, rows: rows, scale: scale, losses: losses, scores: scores, gradient: gradient)
            }
        }
        for i in 0..<count { sums.loss += losses[i] }
        return Batch(gradients: gradients, parts: parts, sums: sums)
    }

    /// One block forward, through the loss, and back.
    private func run(
        _ plan: PassPlan, _ block: GradientBlock, _ loss: some Loss, rows: UnsafePointer<Int64>, scale: Double,
        losses: UnsafeMutablePointer<Double>, scores: MutableFloats?, gradient: MutableFloats
    ) {
        var block = block
        let classes = network.classCount
        let output = network.forward(plan, &block)
        let seeds = block.workspace + plan.gradients.0
        for row in 0..<block.rows {
            let place = block.firstRow + row
            losses[place] = loss.evaluate(
                row: Int(rows[place]), scores: output + row * classes, classes: classes, scale: scale,
                gradient: seeds + row * classes)
        }
        scores.map { ($0 + block.firstRow * classes).update(from: output, count: block.rows * classes) }
        network.backward(plan, block, inputGradient: nil, parameterGradient: gradient)
    }
}
