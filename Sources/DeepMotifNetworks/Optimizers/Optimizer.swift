// Optimizer: how a gradient moves the parameters. Networks room.

import CDeepMotif
import DeepMotifCore
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

extension TrainerOptions {
    func makeOptimizer() throws(DeepMotifError) -> any Optimizer {
        switch optimizer {
        case DM_OPTIMIZER_ADAM, DM_OPTIMIZER_ADAMW:
            return Adam(
                beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay,
                isDecoupled: optimizer == DM_OPTIMIZER_ADAMW)
        case DM_OPTIMIZER_SGD: return SGD(momentum: momentum, weightDecay: weightDecay)
        case DM_OPTIMIZER_RMSPROP:
            return RMSProp(rho: rho, epsilon: epsilon, momentum: momentum, weightDecay: weightDecay)
        case DM_OPTIMIZER_ADADELTA: return Adadelta(rho: rho, epsilon: epsilon, weightDecay: weightDecay)
        default: throw .invalidArgument("optimizer must be a DM_OPTIMIZER_ constant; got \(optimizer)")
        }
    }
}
