// Twin: every kernel once more, naive and in Double, by its definition. Test support.

import DeepMotifKernelTable

/// Slow definitions to compare the kernels with. With the magnitudes of the inputs, the linear ones give the sum of
/// magnitudes that an error bound needs.
package enum Twin {
    /// A B (+ bias) for A (m x k, row stride lda) and B (k x n, strides).
    package static func multiply(
        a: [Double], lda: Int, b: [Double], rowStride: Int, columnStride: Int, bias: [Double]?, m: Int, n: Int, k: Int
    ) -> [Double] {
        var c = [Double](repeating: 0, count: m * n)
        for row in 0..<m {
            for column in 0..<n {
                var sum = bias?[column] ?? 0
                for i in 0..<k { sum += a[row * lda + i] * b[i * rowStride + column * columnStride] }
                c[row * n + column] = sum
            }
        }
        return c
    }

    /// A^T B for A (k x m, row stride lda) and B (k x n, row stride ldb).
    package static func multiplyTransposed(
        a: [Double], lda: Int, b: [Double], ldb: Int, m: Int, n: Int, k: Int
    ) -> [Double] {
        var c = [Double](repeating: 0, count: m * n)
        for row in 0..<m {
            for column in 0..<n {
                for i in 0..<k { c[row * n + column] += a[i * lda + row] * b[i * ldb + column] }
            }
        }
        return c
    }

    /// One sequence's convolution: x (length, channels), weights (width, channels, filters), y (outputLength, filters).
    package static func convolve(
        x: [Double], weights: [Double], bias: [Double], geometry g: ConvolutionGeometry
    ) -> [Double] {
        var y = [Double](repeating: 0, count: g.outputLength * g.filters)
        for p in 0..<g.outputLength {
            for f in 0..<g.filters {
                var sum = bias[f]
                for k in 0..<g.width {
                    let position = p * g.stride + k * g.dilation - g.padding
                    guard position >= 0, position < g.length else { continue }
                    for c in 0..<g.channels {
                        sum += x[position * g.channels + c] * weights[(k * g.channels + c) * g.filters + f]
                    }
                }
                y[p * g.filters + f] = sum
            }
        }
        return y
    }

    /// Gradient of `convolve` with respect to the weights.
    package static func convolveWeightGradient(
        x: [Double], outputGradient: [Double], geometry g: ConvolutionGeometry
    ) -> [Double] {
        var gradient = [Double](repeating: 0, count: g.width * g.channels * g.filters)
        for p in 0..<g.outputLength {
            for k in 0..<g.width {
                let position = p * g.stride + k * g.dilation - g.padding
                guard position >= 0, position < g.length else { continue }
                for c in 0..<g.channels {
                    for f in 0..<g.filters {
                        gradient[(k * g.channels + c) * g.filters + f] +=
                            x[position * g.channels + c] * outputGradient[p * g.filters + f]
                    }
                }
            }
        }
        return gradient
    }

    /// One-hot rows of `letters` columns; codes beyond them are zero rows.
    package static func oneHot(_ codes: [UInt8], letters: Int) -> [Double] {
        codes.flatMap { code in (0..<letters).map { $0 == Int(code) ? 1 : 0 } }
    }

    package static func sigmoid(_ x: Double) -> Double { 1 / (1 + exponential(-x)) }
}
