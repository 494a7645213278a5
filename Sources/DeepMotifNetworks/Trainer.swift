// Trainer: gradients of batches and steps of an optimizer. Networks room.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifSequences

/// Options of a trainer; mirrors dm_trainer_options of the C header.
package struct TrainerOptions: Sendable, Equatable {
    /// DM_OUTPUT_...
    package var output: Int32
    /// DM_OPTIMIZER_...
    package var optimizer: Int32
    package var learningRate: Float
    package var beta1: Float
    package var beta2: Float
    package var epsilon: Float
    /// Element-wise clamp of the gradient to +- this; 0 = none.
    package var gradientClip: Float
    /// Seed of dropout.
    package var seed: UInt64

    package init(
        output: Int32 = DM_OUTPUT_SOFTMAX, optimizer: Int32 = DM_OPTIMIZER_ADAM, learningRate: Float = 0.01,
        beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, gradientClip: Float = 5, seed: UInt64 = 0
    ) {
        self.output = output
        self.optimizer = optimizer
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.gradientClip = gradientClip
        self.seed = seed
    }
}

/// The optimizer's state of one network, which it keeps alive. Not safe for two calls at once.
///
/// A batch is cut into a number of parts that depends on the problem alone; each part has a gradient of its own, and
/// the parts are summed in order, so that parameters are the same bytes for any number of threads.
package final class Trainer: @unchecked Sendable {
    package let network: Network
    package let options: TrainerOptions
    package private(set) var learningRate: Float
    /// Steps taken.
    package private(set) var stepCount = 0
    let optimizer: any Optimizer
    private let state: Buffer<Float>
    private let staging = Staging()
    private var gradients: Buffer<Float>?
    private var rowLosses: Buffer<Double>?

    /// Most parts of a batch, and the memory that their gradients may take.
    static let partLimit = 16
    static let gradientBytes = 1 << 30
    /// Parameters of one slice of the sum and the step: its gradients stay in a core's cache.
    static let sliceCount = 4096

    package init(network: Network, options: TrainerOptions) throws(DeepMotifError) {
        guard options.output == DM_OUTPUT_SOFTMAX else {
            throw .invalidArgument("output must be softmax to train; got \(options.output)")
        }
        guard options.optimizer == DM_OPTIMIZER_ADAM else {
            throw .invalidArgument("optimizer must be a DM_OPTIMIZER_ constant; got \(options.optimizer)")
        }
        guard options.beta1 >= 0, options.beta1 < 1, options.beta2 >= 0, options.beta2 < 1 else {
            throw .invalidArgument("betas must be in [0, 1); got \(options.beta1) and \(options.beta2)")
        }
        guard options.epsilon >= 0, options.epsilon.isFinite else {
            throw .invalidArgument("epsilon must be finite and not negative; got \(options.epsilon)")
        }
        guard options.gradientClip >= 0 else {
            throw .invalidArgument("gradient_clip must not be negative; got \(options.gradientClip)")
        }
        self.network = network
        self.options = options
        optimizer = Adam(beta1: options.beta1, beta2: options.beta2, epsilon: options.epsilon)
        state = try Buffer(count: optimizer.stateArrays * network.parameterCount)
        learningRate = options.learningRate
        try setLearningRate(options.learningRate)
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
        try staging.gather(sequences, rows: rows, count: count)
    }

    /// Parts of a batch of `count` rows: enough for many threads, few for a big model.
    func partCount(_ count: Int, plan: PassPlan) -> Int {
        let blocks = (count + plan.rows - 1) / plan.rows
        let affordable = Trainer.gradientBytes / (4 * max(network.parameterCount, 1))
        let sharing = plan.isBroad ? count / PassPlan.sharedRows : Trainer.partLimit
        return max(1, min(blocks, Trainer.partLimit, affordable, sharing))
    }

    func gradientMemory(parts: Int) throws(DeepMotifError) -> MutableFloats {
        let count = parts * aligned(network.parameterCount)
        if let gradients, gradients.count >= count { return gradients.pointer }
        let fresh = try Buffer<Float>(count: count)
        gradients = fresh
        return fresh.pointer
    }

    func lossMemory(count: Int) throws(DeepMotifError) -> UnsafeMutablePointer<Double> {
        if let rowLosses, rowLosses.count >= count { return rowLosses.pointer }
        let fresh = try Buffer<Double>(count: count)
        rowLosses = fresh
        return fresh.pointer
    }

    /// Sums the parts into the first and, if asked, takes one step: slice by slice.
    func reduce(_ gradients: MutableFloats, parts: Int, threads: Int, step: Bool) {
        let count = network.parameterCount
        let slices = (count + Trainer.sliceCount - 1) / Trainer.sliceCount
        if step { stepCount += 1 }
        let number = stepCount
        let clip = options.gradientClip > 0 ? options.gradientClip : .infinity
        nonisolated(unsafe) let gradients = gradients
        parallelFor(chunks: slices, threads: threads) { slice, _ in
            let start = slice * Trainer.sliceCount
            let length = min(Trainer.sliceCount, count - start)
            let sum = gradients + start
            for part in 1..<max(parts, 1) {
                self.network.table.pointee.add(Floats(sum + part * aligned(count)), sum, length)
            }
            guard step else { return }
            self.optimizer.update(
                self.network.parameters.values + start, gradient: Floats(sum), state: self.state.pointer + start,
                stateStride: count, count: length, number: number, learningRate: self.learningRate, clip: clip,
                kernels: self.network.kernels)
        }
        if step { network.parametersChanged() }
    }
}
