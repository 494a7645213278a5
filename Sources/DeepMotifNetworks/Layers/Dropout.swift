// Dropout: zeros at random in training, the identity otherwise. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// Drops each element with probability `rate` and scales the others by 1 / (1 - rate) (Srivastava et al. 2014). The mask
/// is a function of seed, step, layer, row and element, so nothing is kept for the backward pass.
package struct Dropout: Layer {
    package let kind = "dropout"
    package let isInPlace = true
    /// The rate in steps of 2^-16, which is what 16 random bits can resolve.
    package let dropped: UInt32

    package init(rate: Float) {
        dropped = min(UInt32((rate * 65536).rounded()), 65535)
    }

    package func outputShape(for input: Shape) -> Shape { input }

    package func zerosBlockGradient(before: Bool) -> Bool { before }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        apply(input.floats, output, pass)
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        apply(outputGradient, inputGradient, pass)
    }

    private func apply(_ x: Floats, _ y: MutableFloats, _ pass: LayerPass) {
        let count = pass.input.count
        guard pass.isTraining, dropped > 0 else {
            if x != UnsafePointer(y) { y.update(from: x, count: pass.rows * count) }
            return
        }
        for row in 0..<pass.rows {
            pass.kernels.dropout(x + row * count, y + row * count, count, pass.rowKey(row), dropped)
        }
    }
}
