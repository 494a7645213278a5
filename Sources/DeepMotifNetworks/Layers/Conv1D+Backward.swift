// Conv1D+Backward: gradients of the convolution. Networks room.
//
// Behind ReLU, pooling and dropout most elements of the output gradient are exactly zero. Each sequence's gradient is
// listed, and the lists are used where they are short: a function of the sequence alone, so results do not depend on
// the batch.

import DeepMotifCore
import DeepMotifKernelTable

extension Conv1D {
    /// Lists are used below this share of non-zeros: a listed element costs about as much as two or three elements of
    /// the dense products.
    static let sparseShare = 0.4

    /// Where the parts of the scratch memory start.
    struct Scratch {
        var paddedGradient: Int
        var indices: Int
        var values: Int
        var counts: Int
        /// The gradient of the table of letters, and what its kernel works on.
        var table: Int
        var expanded: Int
        /// Integers of the kernels of pairs and pools.
        var pairs: Int
        var windows: Int
        var count: Int

        init(layer: Conv1D, length: Int, outputLength: Int) {
            let padded = layer.totalPadding > 0 ? aligned((length + layer.totalPadding) * layer.channels) : 0
            // Lists of the output gradient, or in the forward pass of the padded input.
            let listed = max(outputLength * layer.filters, (length + layer.totalPadding) * layer.channels)
            let elements = aligned(listed)
            paddedGradient = padded
            indices = paddedGradient + padded
            values = indices + elements
            counts = values + elements
            table = counts + aligned(layer.filters)
            expanded = table
            pairs = table
            windows = table
            if layer.acceptsCodes {
                let geometry = layer.geometry(length: length, outputLength: outputLength)
                expanded = table + aligned(layer.letterTableCount)
                pairs = expanded + aligned(geometry.gradientScratchCount)
                windows = pairs + aligned(layer.pairScratchCount(outputLength: outputLength))
            }
            count = windows + outputLength * layer.span
        }
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        if let parameterGradient {
            if case .codes(let codes) = input {
                addCodesGradient(codes, outputGradient, parameterGradient, pass)
            } else if hasBias {
                addBiasGradient(outputGradient, parameterGradient, pass)
            }
        }
        var x: Floats?
        if case .dense(let floats) = input, parameterGradient != nil { x = floats }
        guard x != nil || inputGradient != nil else { return }
        for row in 0..<pass.rows {
            rowBackward(
                x.map { $0 + row * pass.input.count }, outputGradient + row * pass.output.count,
                inputGradient.map { $0 + row * pass.input.count }, parameterGradient, pass)
        }
    }

    func addBiasGradient(_ dy: Floats, _ gradient: MutableFloats, _ pass: LayerPass) {
        pass.kernels.addColumnSums(dy, pass.rows * pass.output.length, filters, gradient + filters * span)
    }

    /// One sequence; `x` is nil where no weight gradient is wanted from it.
    private func rowBackward(
        _ x: Floats?, _ dy: Floats, _ dx: MutableFloats?, _ gradient: MutableFloats?, _ pass: LayerPass
    ) {
        let kernels = pass.table
        let positions = pass.output.length
        let parts = scratchParts(pass)
        let base = UnsafeMutableRawPointer(pass.scratch)
        let indices = (base + 4 * parts.indices).bindMemory(to: Int32.self, capacity: positions * filters)
        let counts = (base + 4 * parts.counts).bindMemory(to: Int32.self, capacity: filters)
        let values = pass.scratch + parts.values
        let count = dilation == 1 ? kernels.pointee.countNonzeros(dy, positions * filters) : Int.max
        let isSparse = Double(count) < Conv1D.sparseShare * Double(positions * filters)
        // Making all windows costs as much as two elements in each.
        let listsRows = isSparse && makesWindowGradients(kernels: pass.kernels) && count > 2 * positions
        if isSparse, x != nil || !listsRows {
            _ = kernels.pointee.listNonzeros(dy, positions, filters, indices, values, counts)
        }
        if let x, let gradient {
            let padded = paddedInput(x, pass)
            if isSparse {
                kernels.pointee.accumulateSparseRows(
                    padded, stride * channels, span, indices, values, counts, positions, filters, gradient)
            } else {
                addWeightGradient(padded, dy, gradient, pass)
            }
        }
        guard let dx else { return }
        let target = totalPadding > 0 ? pass.scratch + parts.paddedGradient : dx
        target.update(repeating: 0, count: (pass.input.length + totalPadding) * channels)
        if listsRows {
            let listed = kernels.pointee.listNonzeros(dy, positions * filters, 1, indices, values, counts)
            let windows = pass.scratch + parts.windows
            let weights = pass.prepared + preparedLayout(kernels: pass.kernels).backward
            kernels.pointee.multiplyListed(
                indices, values, listed, filters, weights, nil, windows, span, positions, span, filters)
            addWindows(windows, to: target, pass)
        } else if isSparse {
            kernels.pointee.scatterSparseRows(
                pass.parameters, span, target, stride * channels, indices, values, counts, positions, filters)
        } else {
            addInputGradient(dy, target, windows: pass.scratch + parts.windows, pass)
        }
        if totalPadding > 0 { dx.update(from: target + leftPadding * channels, count: pass.input.count) }
    }

    private func addWeightGradient(_ x: Floats, _ dy: Floats, _ gradient: MutableFloats, _ pass: LayerPass) {
        let positions = pass.output.length
        if dilation == 1 {
            pass.kernels.multiplyTransposed(
                dy, filters, x, stride * channels, gradient, span, filters, span, positions)
            return
        }
        for k in 0..<width {
            pass.kernels.multiplyTransposed(
                dy, filters, x + k * dilation * channels, stride * channels, gradient + k * channels, span, filters,
                channels, positions)
        }
    }

    private func addInputGradient(_ dy: Floats, _ dx: MutableFloats, windows: MutableFloats, _ pass: LayerPass) {
        let layout = preparedLayout(kernels: pass.kernels)
        let weights = pass.prepared + layout.backward
        let positions = pass.output.length
        guard makesWindowGradients(kernels: pass.kernels) else {
            for k in 0..<width {
                pass.kernels.multiply(
                    dy, filters, weights + k * layout.backwardTap, nil, dx + k * dilation * channels, stride * channels,
                    positions, channels, filters, true)
            }
            return
        }
        pass.kernels.multiply(dy, filters, weights, nil, windows, span, positions, span, filters, false)
        addWindows(windows, to: dx, pass)
    }

    /// dx += the gradients of all windows.
    private func addWindows(_ windows: Floats, to dx: MutableFloats, _ pass: LayerPass) {
        for p in 0..<pass.output.length {
            let start = dx + p * stride * channels
            if dilation == 1 {
                pass.kernels.add(windows + p * span, start, span)
                continue
            }
            for k in 0..<width {
                let tap = start + k * dilation * channels
                for c in 0..<channels { tap[c] += windows[p * span + k * channels + c] }
            }
        }
    }
}
