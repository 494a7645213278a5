// Conv1D: cross-correlation along the positions. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// y[p, f] = b[f] + sum over k, c of w[f, k, c] x[p stride + k dilation - padding, c].
///
/// The own layout of the weights is (F, width, C), so that the weights of a filter lie as the positions that it reads
/// (PyTorch: (F, C, width)). Without dilation the windows are overlapping rows of the input and the whole layer is one
/// matrix product a sequence; with dilation it is one product a tap.
package struct Conv1D: Layer {
    package let kind = "conv1d"
    package let filters: Int
    package let channels: Int
    package let width: Int
    package let stride: Int
    package let dilation: Int
    /// Zeros before the first position, and on both ends.
    package let leftPadding: Int
    package let totalPadding: Int
    package let hasBias: Bool

    /// Floats of one window.
    var span: Int { width * channels }

    package var acceptsCodes: Bool { channels == letterCount }

    package var parameterArrays: [ParameterArray] {
        let weight = ParameterArray("weight", [filters, channels, width])
        return hasBias ? [weight, ParameterArray("bias", [filters])] : [weight]
    }

    package func outputShape(for input: Shape) throws(DeepMotifError) -> Shape {
        guard input.channels == channels else {
            throw .shape("conv1d was made for \(channels) channels; got \(input.channels)")
        }
        let reach = dilation * (width - 1) + 1
        guard input.length + totalPadding >= reach else {
            throw .shape("conv1d needs at least \(reach) positions; got \(input.length)")
        }
        return Shape(length: (input.length + totalPadding - reach) / stride + 1, channels: filters)
    }

    // MARK: Parameters

    package func initialize(_ parameters: MutableFloats, random: inout RandomSource) {
        drawUniform(parameters, count: parameterCount, bound: 1 / Float(span).squareRoot(), random: &random)
    }

    package func exportParameters(_ parameters: Floats, to values: MutableFloats) {
        for f in 0..<filters {
            for k in 0..<width {
                for c in 0..<channels {
                    values[(f * channels + c) * width + k] = parameters[f * span + k * channels + c]
                }
            }
        }
        if hasBias { (values + filters * span).update(from: parameters + filters * span, count: filters) }
    }

    package func importParameters(_ values: Floats, to parameters: MutableFloats) {
        for f in 0..<filters {
            for k in 0..<width {
                for c in 0..<channels {
                    parameters[f * span + k * channels + c] = values[(f * channels + c) * width + k]
                }
            }
        }
        if hasBias { (parameters + filters * span).update(from: values + filters * span, count: filters) }
    }

    // MARK: Prepared weights

    /// Where the prepared forms of the weights start: the table of letters (width, 5, F) or of pairs for codes; the packed forward
    /// matrix, whole windows or one tap after the other; the packed backward matrix, likewise.
    struct Prepared {
        var forward: Int
        var forwardTap: Int
        var backward: Int
        var backwardTap: Int
        /// Zeros in the place of a bias where there is none.
        var bias: Int
        var count: Int
    }

    /// Few channels would waste most of a panel in the backward product of a tap: whole windows of gradients are made
    /// and added up instead.
    func makesWindowGradients(kernels: KernelTable) -> Bool {
        channels < kernels.panelWidth
    }

    func preparedLayout(kernels: KernelTable) -> Prepared {
        let forward = acceptsCodes ? aligned(codeTableCount) : 0
        let forwardTap = aligned(kernels.packedCount(k: channels, n: filters))
        let forwardCount = dilation == 1 ? aligned(kernels.packedCount(k: span, n: filters)) : width * forwardTap
        let backwardTap = aligned(kernels.packedCount(k: filters, n: channels))
        let backwardCount =
            makesWindowGradients(kernels: kernels)
            ? aligned(kernels.packedCount(k: filters, n: span)) : width * backwardTap
        let bias = forward + forwardCount + backwardCount
        return Prepared(
            forward: forward, forwardTap: forwardTap, backward: forward + forwardCount, backwardTap: backwardTap,
            bias: bias, count: bias + (hasBias ? 0 : filters))
    }

    package func preparedCount(kernels: KernelTable) -> Int { preparedLayout(kernels: kernels).count }

    package func prepare(_ parameters: Floats, to prepared: MutableFloats, kernels: KernelTable) {
        let layout = preparedLayout(kernels: kernels)
        if acceptsCodes { fillCodeTable(parameters, prepared) }
        if !hasBias { (prepared + layout.bias).update(repeating: 0, count: filters) }
        if dilation == 1 {
            kernels.packMatrix(parameters, 1, span, span, filters, prepared + layout.forward)
        } else {
            for k in 0..<width {
                kernels.packMatrix(
                    parameters + k * channels, 1, span, channels, filters,
                    prepared + layout.forward + k * layout.forwardTap)
            }
        }
        if makesWindowGradients(kernels: kernels) {
            kernels.packMatrix(parameters, span, 1, filters, span, prepared + layout.backward)
        } else {
            for k in 0..<width {
                kernels.packMatrix(
                    parameters + k * channels, span, 1, filters, channels,
                    prepared + layout.backward + k * layout.backwardTap)
            }
        }
    }

    // MARK: Forward

    func geometry(_ pass: LayerPass) -> ConvolutionGeometry {
        geometry(length: pass.input.length, outputLength: pass.output.length)
    }

    func geometry(length: Int, outputLength: Int) -> ConvolutionGeometry {
        ConvolutionGeometry(
            length: length, outputLength: outputLength, channels: channels, filters: filters, width: width,
            stride: stride, dilation: dilation, padding: leftPadding)
    }

    /// The bias, or zeros where there is none.
    func bias(_ pass: LayerPass) -> Floats {
        hasBias ? pass.parameters + filters * span : pass.prepared + preparedLayout(kernels: pass.kernels).bias
    }

    package func scratchCount(for input: Shape, rows: Int, kernels: KernelTable) -> Int {
        let reach = dilation * (width - 1) + 1
        let outputLength = max(0, (input.length + totalPadding - reach) / stride + 1)
        return Scratch(layer: self, length: input.length, outputLength: outputLength).count
    }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        let bias = bias(pass)
        switch input {
        case .codes(let codes):
            convolve(codes, bias, output, pass)
        case .dense(let x):
            for row in 0..<pass.rows {
                let padded = paddedInput(x + row * pass.input.count, pass)
                multiplyWindows(padded, bias, output + row * pass.output.count, pass)
            }
        }
    }

    /// The sequence with its zeros on both ends: the input itself where there is no padding, a copy in scratch memory
    /// otherwise.
    func paddedInput(_ x: Floats, _ pass: LayerPass) -> Floats {
        guard totalPadding > 0 else { return x }
        let count = pass.input.count
        let left = leftPadding * channels
        let right = (totalPadding - leftPadding) * channels
        pass.scratch.update(repeating: 0, count: left)
        (pass.scratch + left).update(from: x, count: count)
        (pass.scratch + left + count).update(repeating: 0, count: right)
        return Floats(pass.scratch)
    }

    private func multiplyWindows(_ x: Floats, _ bias: Floats, _ y: MutableFloats, _ pass: LayerPass) {
        let layout = preparedLayout(kernels: pass.kernels)
        let weights = pass.prepared + layout.forward
        let positions = pass.output.length
        if dilation == 1 {
            if multiplyNonzeros(x, bias, weights: weights, y, pass) { return }
            pass.kernels.multiply(x, stride * channels, weights, bias, y, filters, positions, filters, span, false)
            return
        }
        for k in 0..<width {
            pass.kernels.multiply(
                x + k * dilation * channels, stride * channels, weights + k * layout.forwardTap, k == 0 ? bias : nil, y,
                filters, positions, filters, channels, k > 0)
        }
    }
}
