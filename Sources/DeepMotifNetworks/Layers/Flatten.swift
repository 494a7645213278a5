// Flatten: positions and channels of a sequence become the channels of one position. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// (L, C) to (1, L C), position-major, where the bytes stay as they are, or channel-major, as channels-first frameworks
/// have it. What follows has weights for every position, so the length is fixed.
package struct Flatten: Layer {
    package let kind = "flatten"
    package let length: Int
    package let isChannelsFirst: Bool
    package var isInPlace: Bool { !isChannelsFirst }

    package func outputShape(for input: Shape) throws(DeepMotifError) -> Shape {
        guard input.length == length else {
            throw .shape("flatten was made for exactly \(length) positions; got \(input.length)")
        }
        return Shape(length: 1, channels: input.count)
    }

    package func zerosBlockGradient(before: Bool) -> Bool { before }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        let x = input.floats
        if isChannelsFirst {
            transpose(x, rowLength: pass.input.channels, columnLength: length, rows: pass.rows, to: output)
        } else if x != UnsafePointer(output) {
            output.update(from: x, count: pass.rows * pass.input.count)
        }
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        if isChannelsFirst {
            transpose(
                Floats(outputGradient), rowLength: length, columnLength: pass.input.channels, rows: pass.rows,
                to: inputGradient)
        } else if inputGradient != outputGradient {
            inputGradient.update(from: outputGradient, count: pass.rows * pass.input.count)
        }
    }

    /// Each of `rows` matrices (columnLength, rowLength), transposed.
    private func transpose(_ x: Floats, rowLength: Int, columnLength: Int, rows: Int, to y: MutableFloats) {
        for row in 0..<rows {
            let (source, target) = (x + row * rowLength * columnLength, y + row * rowLength * columnLength)
            for j in 0..<rowLength {
                for i in 0..<columnLength { target[j * columnLength + i] = source[i * rowLength + j] }
            }
        }
    }
}
