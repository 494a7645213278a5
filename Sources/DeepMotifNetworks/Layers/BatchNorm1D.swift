// BatchNorm1D: channels brought to mean 0 and variance 1 over a batch. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// y = weight (x - mean) / sqrt(variance + epsilon) + bias for each channel (Ioffe and Szegedy 2015), in PyTorch's form.
///
/// Training takes mean and variance over all positions of all rows of a batch: the trainer, which alone sees the whole
/// batch, hands them over as `LayerPass.statistics`. Everything else takes the running ones, which are untrained
/// parameters: running = (1 - momentum) running + momentum batch, the variance with n - 1 in its denominator.
package struct BatchNorm1D: Layer {
    package let kind = "batch_norm1d"
    package let channels: Int
    package let momentum: Float
    package let epsilon: Float

    package var parameterArrays: [ParameterArray] {
        [
            ParameterArray("weight", [channels]), ParameterArray("bias", [channels]),
            ParameterArray("running_mean", [channels], isTrained: false),
            ParameterArray("running_var", [channels], isTrained: false),
        ]
    }

    /// Mean, scale = weight / deviation, 1 / deviation, and the slope and shift of the gradient: five arrays (C,).
    package var statisticsCount: Int { 5 * channels }

    package func outputShape(for input: Shape) throws(DeepMotifError) -> Shape {
        guard input.channels == channels else {
            throw .shape("batch_norm1d was made for \(channels) channels; got \(input.channels)")
        }
        return input
    }

    package func initialize(_ parameters: MutableFloats, random: inout RandomSource) {
        for c in 0..<channels {
            parameters[c] = 1
            parameters[channels + c] = 0
            parameters[2 * channels + c] = 0
            parameters[3 * channels + c] = 1
        }
    }

    /// Scale and 1 / deviation of the running statistics.
    package func preparedCount(kernels: KernelTable) -> Int { 2 * channels }

    package func prepare(_ parameters: Floats, to prepared: MutableFloats, kernels: KernelTable) {
        for c in 0..<channels {
            let inverse = inverseDeviation(Double(parameters[3 * channels + c]))
            prepared[c] = Float(Double(parameters[c]) * inverse)
            prepared[channels + c] = Float(inverse)
        }
    }

    func inverseDeviation(_ variance: Double) -> Double { 1 / (max(variance, 0) + Double(epsilon)).squareRoot() }

    /// Two arrays of Double sums and one of zeros.
    package func scratchCount(for input: Shape, rows: Int, kernels: KernelTable) -> Int { 5 * channels }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        pass.kernels.training.normalizeColumns(
            input.floats, pass.rows * pass.input.length, channels, pass.statistics ?? pass.parameters + 2 * channels,
            pass.statistics.map { $0 + channels } ?? pass.prepared, pass.parameters + channels, output)
    }

    /// With statistics of the batch, the gradients of weight and bias are sums over the batch that the trainer adds.
    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        let positions = pass.rows * pass.input.length
        let mean = pass.statistics ?? pass.parameters + 2 * channels
        let zeros = pass.scratch + 4 * channels
        zeros.update(repeating: 0, count: channels)
        if let parameterGradient, pass.statistics == nil {
            let sums = UnsafeMutableRawPointer(pass.scratch).bindMemory(to: Double.self, capacity: 2 * channels)
            sums.update(repeating: 0, count: 2 * channels)
            pass.kernels.training.columnMoments(
                Floats(outputGradient), Floats(zeros), input.floats, mean, positions, channels, sums, sums + channels)
            for c in 0..<channels {
                parameterGradient[c] += Float(sums[channels + c] * Double(pass.prepared[channels + c]))
                parameterGradient[channels + c] += Float(sums[c])
            }
        }
        guard let inputGradient else { return }
        pass.kernels.training.normalizeColumnsGradient(
            Floats(outputGradient), input.floats, positions, channels,
            pass.statistics.map { $0 + channels } ?? pass.prepared, mean,
            pass.statistics.map { $0 + 3 * channels } ?? Floats(zeros),
            pass.statistics.map { $0 + 4 * channels } ?? Floats(zeros), inputGradient)
    }
}
