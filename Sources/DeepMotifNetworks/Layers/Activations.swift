// Activations: layers that work element by element, in place where they may. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// y = max(x, 0).
package struct ReLU: Layer {
    package let kind = "relu"
    package let isInPlace = true
    package let needsOutput = true

    package func outputShape(for input: Shape) -> Shape { input }

    package func zerosBlockGradient(before: Bool) -> Bool { true }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        pass.kernels.relu(input.floats, output, pass.rows * pass.input.count)
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        pass.kernels.reluGradient(output, outputGradient, inputGradient, pass.rows * pass.input.count)
    }
}

/// y = 1 / (1 + exp(-x)).
package struct Sigmoid: Layer {
    package let kind = "sigmoid"
    package let isInPlace = true
    package let needsOutput = true

    package func outputShape(for input: Shape) -> Shape { input }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        pass.kernels.sigmoid(input.floats, output, pass.rows * pass.input.count)
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        pass.kernels.sigmoidGradient(output, outputGradient, inputGradient, pass.rows * pass.input.count)
    }
}

/// y = tanh(x).
package struct Tanh: Layer {
    package let kind = "tanh"
    package let isInPlace = true
    package let needsOutput = true

    package func outputShape(for input: Shape) -> Shape { input }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        pass.kernels.tanh(input.floats, output, pass.rows * pass.input.count)
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        pass.kernels.tanhGradient(output, outputGradient, inputGradient, pass.rows * pass.input.count)
    }
}
