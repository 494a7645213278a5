// SGD: gradient descent, with momentum or without (Polyak 1964, in PyTorch's form). Networks room.

import DeepMotifKernelTable

package struct SGD: Optimizer {
    package let momentum: Float
    package let weightDecay: Float

    package var stateArrays: Int { momentum > 0 ? 1 : 0 }

    package func update(
        _ parameters: MutableFloats, gradient: Floats, state: MutableFloats, stateStride: Int, count: Int, number: Int,
        learningRate: Float, clip: Float, kernels: KernelTable
    ) {
        let step = OptimizerStep(learningRate: learningRate, momentum: momentum, clip: clip, decay: weightDecay)
        kernels.training.momentum(parameters, gradient, momentum > 0 ? state : nil, count, step)
    }
}
