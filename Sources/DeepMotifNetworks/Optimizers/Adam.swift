// Adam: adaptive moments (Kingma and Ba 2015, algorithm 1). Networks room.

import DeepMotifKernelTable

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

package struct Adam: Optimizer {
    package let beta1: Float
    package let beta2: Float
    package let epsilon: Float
    package let weightDecay: Float
    /// The parameters shrink by learning rate x decay instead of the decay joining the gradient (AdamW).
    package let isDecoupled: Bool
    package let stateArrays = 2

    /// Bias corrections are computed in Double: 1 - beta2^t loses most digits of a Float in the first steps.
    func constants(number: Int, learningRate: Float, clip: Float) -> AdamStep {
        let first = 1 - pow(Double(beta1), Double(number))
        let second = 1 - pow(Double(beta2), Double(number))
        return AdamStep(
            beta1: beta1, beta2: beta2, stepSize: Float(Double(learningRate) / first),
            secondMomentRoot: Float(second.squareRoot()), epsilon: epsilon, clip: clip,
            decay: isDecoupled ? 0 : weightDecay,
            shrinkage: isDecoupled ? Float(1 - Double(learningRate) * Double(weightDecay)) : 1)
    }

    package func update(
        _ parameters: MutableFloats, gradient: Floats, state: MutableFloats, stateStride: Int, count: Int, number: Int,
        learningRate: Float, clip: Float, kernels: KernelTable
    ) {
        let step = constants(number: number, learningRate: learningRate, clip: clip)
        kernels.adam(parameters, gradient, state, state + stateStride, count, step)
    }
}
