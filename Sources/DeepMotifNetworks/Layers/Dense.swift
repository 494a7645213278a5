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

    // MARK: Backward

    /// Lists are used below this share of non-zeros in the output gradient, which ReLU and dropout behind the layer leave:
    /// a listed element costs about as much as two of the dense products.
    private static let listedShare = 0.4
    /// With fewer weights listing costs as much as it saves.
    private static let fewestListed = 1024

    /// Lists of the output gradient: indices, values and counts.
    package func scratchCount(for input: Shape, rows: Int, kernels: KernelTable) -> Int {
        2 * aligned(rows * input.length * units) + units
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        let positions = pass.rows * pass.input.length
        let elements = positions * units
        let isListed =
            units * channels >= Dense.fewestListed
            && Double(pass.kernels.countNonzeros(outputGradient, elements)) < Dense.listedShare * Double(elements)
        if let parameterGradient {
            if isListed {
                addListedGradient(input.floats, outputGradient, parameterGradient, pass)
            } else {
                pass.kernels.multiplyTransposed(
                    outputGradient, units, input.floats, channels, parameterGradient, channels, units, channels,
                    positions)
            }
            if hasBias {
                pass.kernels.addColumnSums(outputGradient, positions, units, parameterGradient + units * channels)
            }
        }
        guard let inputGradient else { return }
        let transposed = pass.prepared + aligned(pass.kernels.packedCount(k: channels, n: units))
        if isListed {
            let (indices, values, counts) = lists(pass)
            let count = pass.kernels.listNonzeros(outputGradient, elements, 1, indices, values, counts)
            pass.kernels.multiplyListed(
                indices, values, count, units, transposed, nil, inputGradient, channels, positions, channels, units)
        } else {
            pass.kernels.multiply(
                outputGradient, units, transposed, nil, inputGradient, channels, positions, channels, units, false)
        }
    }

    private func addListedGradient(_ x: Floats, _ dy: MutableFloats, _ gradient: MutableFloats, _ pass: LayerPass) {
        let positions = pass.rows * pass.input.length
        let (indices, values, counts) = lists(pass)
        _ = pass.kernels.listNonzeros(dy, positions, units, indices, values, counts)
        pass.kernels.accumulateSparseRows(
            x, channels, channels, indices, values, counts, positions, units, gradient)
    }

    private func lists(
        _ pass: LayerPass
    ) -> (indices: UnsafeMutablePointer<Int32>, values: MutableFloats, counts: UnsafeMutablePointer<Int32>) {
        let room = aligned(pass.rows * pass.input.length * units)
        let base = UnsafeMutableRawPointer(pass.scratch)
        return (
            base.bindMemory(to: Int32.self, capacity: room), pass.scratch + room,
            (base + 8 * room).bindMemory(to: Int32.self, capacity: units)
        )
    }
}
