// LayerNorm: each position's channels brought to mean 0 and variance 1. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// y = (x - mean) / sqrt(variance + epsilon) w + b, mean and (biased) variance over the channels of one position (Ba,
/// Kiros and Hinton 2016).
package struct LayerNorm: Layer {
    package let kind = "layer_norm"
    package let channels: Int
    package let epsilon: Float

    package var parameterArrays: [ParameterArray] {
        [ParameterArray("weight", [channels]), ParameterArray("bias", [channels])]
    }

    package func outputShape(for input: Shape) throws(DeepMotifError) -> Shape {
        guard input.channels == channels else {
            throw .shape("layer_norm was made for \(channels) channels; got \(input.channels)")
        }
        return input
    }

    package func initialize(_ parameters: MutableFloats, random: inout RandomSource) {
        parameters.update(repeating: 1, count: channels)
        (parameters + channels).update(repeating: 0, count: channels)
    }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        pass.kernels.layers.layerNorm(
            input.floats, pass.rows * pass.input.length, channels, pass.parameters, epsilon, output)
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        pass.kernels.layers.layerNormGradient(
            input.floats, outputGradient, pass.rows * pass.input.length, channels, pass.parameters, epsilon,
            inputGradient, parameterGradient)
    }
}
