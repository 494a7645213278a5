// MoreActivations: further layers that work element by element, and the softmax over the channels. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// y = x above 0, else slope x; slope >= 0.
package struct LeakyReLU: Layer {
    package let kind = "leaky_relu"
    package let isInPlace = true
    package let needsOutput = true
    package let slope: Float

    package func outputShape(for input: Shape) -> Shape { input }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        pass.kernels.layers.leakyReLU(input.floats, output, pass.rows * pass.input.count, slope)
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        let count = pass.rows * pass.input.count
        pass.kernels.layers.leakyReLUGradient(output, outputGradient, inputGradient, count, slope)
    }
}

/// y = x above 0, else alpha (exp(x) - 1), alpha >= 0 (Clevert, Unterthiner and Hochreiter 2016).
package struct ELU: Layer {
    package let kind = "elu"
    package let isInPlace = true
    package let needsOutput = true
    package let alpha: Float

    package func outputShape(for input: Shape) -> Shape { input }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        pass.kernels.layers.elu(input.floats, output, pass.rows * pass.input.count, alpha)
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        let count = pass.rows * pass.input.count
        pass.kernels.layers.eluGradient(output, outputGradient, inputGradient, count, alpha)
    }
}

/// y = x P(X <= x) for a standard normal X, or its approximation by tanh (Hendrycks and Gimpel 2016). Its slope is no
/// function of its output, so it keeps its input.
package struct GELU: Layer {
    package let kind = "gelu"
    package let isApproximate: Bool

    package func outputShape(for input: Shape) -> Shape { input }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        pass.kernels.layers.gelu(input.floats, output, pass.rows * pass.input.count, isApproximate)
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        let count = pass.rows * pass.input.count
        pass.kernels.layers.geluGradient(input.floats, outputGradient, inputGradient, count, isApproximate)
    }
}

/// y = exp(x).
package struct Exponential: Layer {
    package let kind = "exponential"
    package let isInPlace = true
    package let needsOutput = true

    package func outputShape(for input: Shape) -> Shape { input }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        pass.kernels.layers.exponential(input.floats, output, pass.rows * pass.input.count)
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        let count = pass.rows * pass.input.count
        pass.kernels.layers.exponentialGradient(output, outputGradient, inputGradient, count)
    }
}

/// The softmax over the channels of each position.
package struct Softmax: Layer {
    package let kind = "softmax"
    package let isInPlace = true
    package let needsOutput = true

    package func outputShape(for input: Shape) -> Shape { input }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        pass.kernels.layers.softmax(input.floats, pass.rows * pass.input.length, pass.input.channels, output)
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        pass.kernels.layers.softmaxGradient(
            output, outputGradient, pass.rows * pass.input.length, pass.input.channels, inputGradient)
    }
}
