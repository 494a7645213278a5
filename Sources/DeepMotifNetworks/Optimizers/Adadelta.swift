// Adadelta: steps in the parameters' own units (Zeiler 2012, algorithm 1). Networks room.

import DeepMotifKernelTable

package struct Adadelta: Optimizer {
    package let rho: Float
    package let epsilon: Float
    package let weightDecay: Float
    package let stateArrays = 2

    package func update(
        _ parameters: MutableFloats, gradient: Floats, state: MutableFloats, stateStride: Int, count: Int, number: Int,
        learningRate: Float, clip: Float, kernels: KernelTable
    ) {
        let step = OptimizerStep(
            learningRate: learningRate, rho: rho, epsilon: epsilon, clip: clip, decay: weightDecay)
        kernels.training.adadelta(parameters, gradient, state, state + stateStride, count, step)
    }
}
