// RMSProp: the gradient over the root of its mean square (Tieleman and Hinton 2012, in PyTorch's form). Networks room.

import DeepMotifKernelTable

package struct RMSProp: Optimizer {
    /// PyTorch's alpha.
    package let rho: Float
    package let epsilon: Float
    package let momentum: Float
    package let weightDecay: Float

    package var stateArrays: Int { momentum > 0 ? 2 : 1 }

    package func update(
        _ parameters: MutableFloats, gradient: Floats, state: MutableFloats, stateStride: Int, count: Int, number: Int,
        learningRate: Float, clip: Float, kernels: KernelTable
    ) {
        let step = OptimizerStep(
            learningRate: learningRate, rho: rho, momentum: momentum, epsilon: epsilon, clip: clip, decay: weightDecay)
        kernels.training.rmsProp(parameters, gradient, state, momentum > 0 ? state + stateStride : nil, count, step)
    }
}
