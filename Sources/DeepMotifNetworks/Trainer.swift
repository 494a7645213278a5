// Trainer: gradients of batches and steps of an optimizer. Networks room.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifSequences

/// The optimizer's state of one network, which it keeps alive. Not safe for two calls at once.
///
/// A batch is cut into a number of parts that depends on the problem alone; each part has a gradient of its own, and
/// the parts are summed in order, so that parameters are the same bytes for any number of threads.
package final class Trainer: @unchecked Sendable {
    package let network: Network
    package let options: TrainerOptions
    package private(set) var learningRate: Float
    /// Steps taken.
    package internal(set) var stepCount = 0
    let optimizer: any Optimizer
    let state: Buffer<Float>
    /// Where both strands share weights.
    let ties: StrandTies?
    /// What the optimizer moves, in pieces for threads.
    let slices: [TrainedSlice]
    private let staging = Staging()
    private var gradients: Buffer<Float>?
    private var rowLosses: Buffer<Double>?
    private var batchScores: Buffer<Float>?
    private var scoreGradients: Buffer<Float>?
    private var allBlocks: Buffer<Float>?
    private var statistics: Buffer<Float>?
    /// Of the batch under way, until they join the running ones.
    var batchStatistics: [BatchStatistics] = []

    /// Most parts of a batch, and the memory that their gradients may take.
    static let partLimit = 16
    static let gradientBytes = 1 << 30
    /// Gradients of all parts that stay within the caches.
    static let cachedBytes = 4 << 20

    package init(network: Network, options: TrainerOptions) throws(DeepMotifError) {
        try options.validate()
        let optimizer = try options.makeOptimizer()
        self.network = network
        self.options = options
        self.optimizer = optimizer
        slices = TrainedSlice.slices(of: network.parameters)
        state = try Buffer(count: optimizer.stateArrays * network.parameterCount)
        learningRate = options.learningRate
        ties = options.strands == DM_STRANDS_SHARED ? try StrandTies(network) : nil
        try setLearningRate(options.learningRate)
        if let ties { try ties.tieAndCheck(network) }
    }

    package func setLearningRate(_ value: Float) throws(DeepMotifError) {
        guard value >= 0, value.isFinite else {
            throw .invalidArgument("learning_rate must be finite and not negative; got \(value)")
        }
        learningRate = value
    }

    // MARK: State

    /// Scalars of the state: the number of steps, then the optimizer's arrays in the order of the parameters.
    package var stateValueCount: Int { 1 + state.count }

    package func getState(_ values: UnsafeMutablePointer<Double>) throws(DeepMotifError) {
        let count = network.parameterCount
        let exported = try Buffer<Float>(count: count)
        values[0] = Double(stepCount)
        for array in 0..<optimizer.stateArrays {
            network.parameters.export(Floats(state.pointer + array * count), to: exported.pointer)
            for i in 0..<count { values[1 + array * count + i] = Double(exported.pointer[i]) }
        }
    }

    package func setState(_ values: UnsafePointer<Double>) throws(DeepMotifError) {
        guard values[0] >= 0, values[0] <= 0x1p53, values[0] == values[0].rounded() else {
            throw .invalidArgument("the state must begin with the number of steps; got \(values[0])")
        }
        for i in 1..<stateValueCount where !values[i].isFinite {
            throw .invalidArgument("the state must be finite; got \(values[i]) at \(i)")
        }
        let count = network.parameterCount
        let imported = try Buffer<Float>(count: count)
        for array in 0..<optimizer.stateArrays {
            for i in 0..<count { imported.pointer[i] = Float(values[1 + array * count + i]) }
            network.parameters.convert(imported.readOnly, to: state.pointer + array * count)
        }
        stepCount = Int(values[0])
    }

    // MARK: Memory of a call

    func stage(
        _ sequences: SequenceBatch, rows: UnsafePointer<Int64>, count: Int
    ) throws(DeepMotifError) -> LayerInput {
        try staging.gather(sequences, rows: rows, count: count, bothStrands: options.copies == 2)
    }

    /// Parts of a batch of `count` rows: enough for many threads, few for a big model.
    func partCount(_ count: Int, plan: PassPlan) -> Int {
        let blocks = (count + plan.rows - 1) / plan.rows
        let affordable = Trainer.gradientBytes / (4 * max(network.parameterCount, 1))
        // Zeroing and summing gradients that leave the second-level caches is a tenth of a small step.
        let isLarge = plan.isBroad || 4 * network.parameterCount * Trainer.partLimit > Trainer.cachedBytes
        let sharing = isLarge ? count / PassPlan.sharedRows : Trainer.partLimit
        return max(1, min(blocks, Trainer.partLimit, affordable, sharing))
    }

    func gradientMemory(parts: Int) throws(DeepMotifError) -> MutableFloats {
        try Trainer.memory(&gradients, count: parts * aligned(network.parameterCount))
    }

    func lossMemory(count: Int) throws(DeepMotifError) -> UnsafeMutablePointer<Double> {
        try Trainer.memory(&rowLosses, count: count)
    }

    func scoreMemory(count: Int) throws(DeepMotifError) -> MutableFloats {
        try Trainer.memory(&batchScores, count: count)
    }

    func scoreGradientMemory(count: Int) throws(DeepMotifError) -> MutableFloats {
        try Trainer.memory(&scoreGradients, count: count)
    }

    /// Of all blocks of a batch that goes layer by layer.
    func batchMemory(count: Int) throws(DeepMotifError) -> MutableFloats {
        try Trainer.memory(&allBlocks, count: count)
    }

    func statisticsMemory() throws(DeepMotifError) -> MutableFloats {
        try Trainer.memory(&statistics, count: network.places.statisticsCount)
    }

    /// Memory that is kept from batch to batch, at least `count` elements.
    private static func memory<Element>(
        _ buffer: inout Buffer<Element>?, count: Int
    ) throws(DeepMotifError) -> UnsafeMutablePointer<Element> {
        if let buffer, buffer.count >= count { return buffer.pointer }
        buffer = nil
        let fresh = try Buffer<Element>(count: count)
        buffer = fresh
        return fresh.pointer
    }
}
