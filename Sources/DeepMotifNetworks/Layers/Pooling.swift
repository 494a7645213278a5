// Pooling: maxima and means over windows of positions, or over all of them. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// Number of whole windows; throws where there is none.
private func windowCount(_ kind: String, length: Int, width: Int, stride: Int) throws(DeepMotifError) -> Int {
    guard length >= width else {
        throw .shape("\(kind) of width \(width) needs at least \(width) positions; got \(length)")
    }
    return (length - width) / stride + 1
}

private func maxForward(
    _ x: Floats, _ y: MutableFloats, width: Int, stride: Int, pass: LayerPass
) {
    let input = pass.input.count, output = pass.output.count
    let offsets = pass.cache.map {
        UnsafeMutableRawPointer($0).bindMemory(to: Int32.self, capacity: pass.rows * output)
    }
    for row in 0..<pass.rows {
        pass.kernels.maxPool(
            x + row * input, pass.input.channels, width, stride, pass.output.length, y + row * output,
            offsets.map { $0 + row * output })
    }
}

private func maxBackward(_ dy: Floats, _ dx: MutableFloats, stride: Int, pass: LayerPass) {
    guard let cache = pass.cache else { preconditionFailure("backward without a cache") }
    let input = pass.input.count, output = pass.output.count
    let offsets = UnsafeMutableRawPointer(cache).bindMemory(to: Int32.self, capacity: pass.rows * output)
    dx.update(repeating: 0, count: pass.rows * input)
    for row in 0..<pass.rows {
        pass.kernels.maxPoolGradient(
            dy + row * output, offsets + row * output, pass.input.channels, stride, pass.output.length, dx + row * input
        )
    }
}

private func averageForward(_ x: Floats, _ y: MutableFloats, width: Int, stride: Int, pass: LayerPass) {
    let input = pass.input.count, output = pass.output.count
    for row in 0..<pass.rows {
        pass.kernels.averagePool(
            x + row * input, pass.input.channels, width, stride, pass.output.length, y + row * output)
    }
}

private func averageBackward(_ dy: Floats, _ dx: MutableFloats, width: Int, stride: Int, pass: LayerPass) {
    let input = pass.input.count, output = pass.output.count
    dx.update(repeating: 0, count: pass.rows * input)
    for row in 0..<pass.rows {
        pass.kernels.averagePoolGradient(
            dy + row * output, pass.input.channels, width, stride, pass.output.length, dx + row * input)
    }
}

/// Maximum of each window of `width` positions; positions behind the last whole window are left out. The gradient goes
/// to the first maximum.
package struct MaxPool1D: Layer {
    package let kind = "max_pool1d"
    package let width: Int
    package let stride: Int

    package func outputShape(for input: Shape) throws(DeepMotifError) -> Shape {
        let count = try windowCount(kind, length: input.length, width: width, stride: stride)
        return Shape(length: count, channels: input.channels)
    }

    package func zerosBlockGradient(before: Bool) -> Bool { before }

    package func cacheCount(for input: Shape, kernels: KernelTable) -> Int {
        max(0, (input.length - width) / stride + 1) * input.channels
    }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        maxForward(input.floats, output, width: width, stride: stride, pass: pass)
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        maxBackward(outputGradient, inputGradient, stride: stride, pass: pass)
    }
}

/// Mean of each window of `width` positions; positions behind the last whole window are left out.
package struct AveragePool1D: Layer {
    package let kind = "average_pool1d"
    package let width: Int
    package let stride: Int

    package func outputShape(for input: Shape) throws(DeepMotifError) -> Shape {
        let count = try windowCount(kind, length: input.length, width: width, stride: stride)
        return Shape(length: count, channels: input.channels)
    }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        averageForward(input.floats, output, width: width, stride: stride, pass: pass)
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        averageBackward(outputGradient, inputGradient, width: width, stride: stride, pass: pass)
    }
}

/// Maximum over all positions.
package struct GlobalMaxPool1D: Layer {
    package let kind = "global_max_pool1d"

    package func outputShape(for input: Shape) -> Shape { Shape(length: 1, channels: input.channels) }

    package func zerosBlockGradient(before: Bool) -> Bool { before }

    package func cacheCount(for input: Shape, kernels: KernelTable) -> Int { input.channels }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        maxForward(input.floats, output, width: pass.input.length, stride: 1, pass: pass)
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        maxBackward(outputGradient, inputGradient, stride: 1, pass: pass)
    }
}

/// Mean over all positions.
package struct GlobalAveragePool1D: Layer {
    package let kind = "global_average_pool1d"

    package func outputShape(for input: Shape) -> Shape { Shape(length: 1, channels: input.channels) }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        averageForward(input.floats, output, width: pass.input.length, stride: 1, pass: pass)
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        averageBackward(outputGradient, inputGradient, width: pass.input.length, stride: 1, pass: pass)
    }
}
