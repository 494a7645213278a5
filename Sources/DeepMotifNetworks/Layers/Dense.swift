// Dense: the affine map of the channels, at every position. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// y = W x + b (or W x) at every position; W (units, channels) in both layouts.
package struct Dense: Layer {
    package let kind = "dense"
    package let units: Int
    package let channels: Int
    package let hasBias: Bool

    package var parameterArrays: [ParameterArray] {
        let weight = ParameterArray("weight", [units, channels])
        return hasBias ? [weight, ParameterArray("bias", [units])] : [weight]
    }

    package func outputShape(for input: Shape) throws(DeepMotifError) -> Shape {
        guard input.channels == channels else {
            throw .shape("dense was made for \(channels) channels; got \(input.channels)")
        }
        return Shape(length: input.length, channels: units)
    }

    package func initialize(_ parameters: MutableFloats, random: inout RandomSource) {
        drawUniform(parameters, count: parameterCount, bound: 1 / Float(channels).squareRoot(), random: &random)
    }

    package func preparedCount(kernels: KernelTable) -> Int {
        aligned(kernels.packedCount(k: channels, n: units)) + kernels.packedCount(k: units, n: channels)
    }

    package func prepare(_ parameters: Floats, to prepared: MutableFloats, kernels: KernelTable) {
        kernels.packMatrix(parameters, 1, channels, channels, units, prepared)
        let transposed = prepared + aligned(kernels.packedCount(k: channels, n: units))
        kernels.packMatrix(parameters, channels, 1, units, channels, transposed)
    }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        let bias = hasBias ? pass.parameters + units * channels : nil
        pass.kernels.multiply(
            input.floats, channels, pass.prepared, bias, output, units, pass.rows * pass.input.length, units, channels,
            false)
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        let positions = pass.rows * pass.input.length
        if let parameterGradient {
            pass.kernels.multiplyTransposed(
                outputGradient, units, input.floats, channels, parameterGradient, channels, units, channels, positions)
            if hasBias {
                pass.kernels.addColumnSums(outputGradient, positions, units, parameterGradient + units * channels)
            }
        }
        if let inputGradient {
            let transposed = pass.prepared + aligned(pass.kernels.packedCount(k: channels, n: units))
            pass.kernels.multiply(
                outputGradient, units, transposed, nil, inputGradient, channels, positions, channels, units, false)
        }
    }
}
