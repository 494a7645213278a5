// GlobalPooling: maxima and means over all positions. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

private func maxima(_ x: Floats, _ y: MutableFloats, offsets: UnsafeMutablePointer<Int32>?, row: Int, _ pass: LayerPass)
{
    pass.table.pointee.maxPool(
        x + row * pass.input.count, pass.input.channels, pass.input.length, 1, 1, y,
        offsets.map { $0 + row * pass.input.channels })
}

private func means(_ x: Floats, _ y: MutableFloats, row: Int, _ pass: LayerPass) {
    pass.table.pointee.averagePool(
        x + row * pass.input.count, pass.input.channels, pass.input.length, 1, 1, y)
}

private func addMaximaGradient(_ dy: Floats, _ dx: MutableFloats, row: Int, _ pass: LayerPass) {
    guard let offsets = offsets(pass) else { preconditionFailure("backward without a cache") }
    pass.table.pointee.maxPoolGradient(
        dy, offsets + row * pass.input.channels, pass.input.channels, 1, 1, dx + row * pass.input.count)
}

private func addMeansGradient(_ dy: Floats, _ dx: MutableFloats, row: Int, _ pass: LayerPass) {
    pass.table.pointee.averagePoolGradient(
        dy, pass.input.channels, pass.input.length, 1, 1, dx + row * pass.input.count)
}

/// Positions of the maxima (rows, C) in the cache.
private func offsets(_ pass: LayerPass) -> UnsafeMutablePointer<Int32>? {
    pass.cache.map {
        UnsafeMutableRawPointer($0).bindMemory(to: Int32.self, capacity: pass.rows * pass.input.channels)
    }
}

/// Maximum over all positions. The gradient goes to the first one.
package struct GlobalMaxPool1D: Layer {
    package let kind = "global_max_pool1d"

    package func outputShape(for input: Shape) -> Shape { Shape(length: 1, channels: input.channels) }

    package func zerosBlockGradient(before: Bool) -> Bool { before }

    /// Positions (rows, C) of the maxima of a pass forward that kept them.
    func maximaPositions(_ pass: LayerPass) -> UnsafePointer<Int32>? { offsets(pass).map { UnsafePointer($0) } }

    package func cacheCount(for input: Shape, kernels: KernelTable) -> Int { input.channels }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        let offsets = offsets(pass)
        for row in 0..<pass.rows {
            maxima(input.floats, output + row * pass.output.count, offsets: offsets, row: row, pass)
        }
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        inputGradient.update(repeating: 0, count: pass.rows * pass.input.count)
        for row in 0..<pass.rows {
            addMaximaGradient(Floats(outputGradient + row * pass.output.count), inputGradient, row: row, pass)
        }
    }
}

/// Mean over all positions.
package struct GlobalAveragePool1D: Layer {
    package let kind = "global_average_pool1d"

    package func outputShape(for input: Shape) -> Shape { Shape(length: 1, channels: input.channels) }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        for row in 0..<pass.rows { means(input.floats, output + row * pass.output.count, row: row, pass) }
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        inputGradient.update(repeating: 0, count: pass.rows * pass.input.count)
        for row in 0..<pass.rows {
            addMeansGradient(Floats(outputGradient + row * pass.output.count), inputGradient, row: row, pass)
        }
    }
}

/// Maximum and mean over all positions, side by side for each channel: 2C channels (DeepBind's "avg" pooling; Alipanahi,
/// Delong, Weirauch and Frey 2015, supplementary notes).
package struct GlobalMaxAveragePool1D: Layer {
    package let kind = "global_max_average_pool1d"

    package func outputShape(for input: Shape) -> Shape { Shape(length: 1, channels: 2 * input.channels) }

    package func cacheCount(for input: Shape, kernels: KernelTable) -> Int { input.channels }

    /// Maxima and means of one sequence, or their gradients.
    package func scratchCount(for input: Shape, rows: Int, kernels: KernelTable) -> Int {
        aligned(input.channels) + input.channels
    }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        let channels = pass.input.channels
        let (highest, mean) = (pass.scratch, pass.scratch + aligned(channels))
        let offsets = offsets(pass)
        for row in 0..<pass.rows {
            maxima(input.floats, highest, offsets: offsets, row: row, pass)
            means(input.floats, mean, row: row, pass)
            let target = output + row * 2 * channels
            for c in 0..<channels {
                target[2 * c] = highest[c]
                target[2 * c + 1] = mean[c]
            }
        }
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        let channels = pass.input.channels
        let (highest, mean) = (pass.scratch, pass.scratch + aligned(channels))
        inputGradient.update(repeating: 0, count: pass.rows * pass.input.count)
        for row in 0..<pass.rows {
            let source = outputGradient + row * 2 * channels
            for c in 0..<channels {
                highest[c] = source[2 * c]
                mean[c] = source[2 * c + 1]
            }
            addMaximaGradient(Floats(highest), inputGradient, row: row, pass)
            addMeansGradient(Floats(mean), inputGradient, row: row, pass)
        }
    }
}
