// Optimizer: how a gradient moves the parameters. Networks room.

import DeepMotifKernelTable

/// An element-by-element rule: it may be applied to any slice of the parameters. Its memory is a number of arrays as
/// long as the parameters, zero at first.
package protocol Optimizer: Sendable {
    /// Arrays of memory.
    var stateArrays: Int { get }

    /// Step `number` (from 1) on `count` parameters. Array i of the memory starts at state + i * stateStride.
    func update(
        _ parameters: MutableFloats, gradient: Floats, state: MutableFloats, stateStride: Int, count: Int, number: Int,
        learningRate: Float, clip: Float, kernels: KernelTable)
}
