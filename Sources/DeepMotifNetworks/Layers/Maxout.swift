// Maxout: maxima over groups of channels. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// Maximum over `size` blocks of channels: y[g] = max over s of x[s G + g], G = C / size (Goodfellow, Warde-Farley, Mirza,
/// Courville and Bengio 2013). The gradient goes to the first block that holds the maximum.
package struct Maxout: Layer {
    package let kind = "maxout"
    /// Divides the channels of the input.
    package let size: Int

    package func outputShape(for input: Shape) -> Shape {
        Shape(length: input.length, channels: input.channels / size)
    }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        let groups = pass.output.channels
        for place in 0..<pass.rows * pass.input.length {
            let (x, y) = (input.floats + place * pass.input.channels, output + place * groups)
            y.update(from: x, count: groups)
            for block in 1..<max(size, 1) {
                for g in 0..<groups { y[g] = x[block * groups + g] > y[g] ? x[block * groups + g] : y[g] }
            }
        }
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        let groups = pass.output.channels
        inputGradient.update(repeating: 0, count: pass.rows * pass.input.count)
        for place in 0..<pass.rows * pass.input.length {
            let (x, dx) = (input.floats + place * pass.input.channels, inputGradient + place * pass.input.channels)
            for g in 0..<groups {
                var winner = g
                for candidate in stride(from: g + groups, to: pass.input.channels, by: groups)
                where x[candidate] > x[winner] { winner = candidate }
                dx[winner] = outputGradient[place * groups + g]
            }
        }
    }
}
