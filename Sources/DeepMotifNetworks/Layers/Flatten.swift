// Flatten: positions and channels of a sequence become the channels of one position. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// (L, C) to (1, L C), position-major: the bytes stay as they are. What follows has weights for every position, so the
/// length is fixed.
package struct Flatten: Layer {
    package let kind = "flatten"
    package let isInPlace = true
    package let length: Int

    package func outputShape(for input: Shape) throws(DeepMotifError) -> Shape {
        guard input.length == length else {
            throw .shape("flatten was made for exactly \(length) positions; got \(input.length)")
        }
        return Shape(length: 1, channels: input.count)
    }

    package func zerosBlockGradient(before: Bool) -> Bool { before }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        let x = input.floats
        if x != UnsafePointer(output) { output.update(from: x, count: pass.rows * pass.input.count) }
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient, inputGradient != outputGradient else { return }
        inputGradient.update(from: outputGradient, count: pass.rows * pass.input.count)
    }
}
