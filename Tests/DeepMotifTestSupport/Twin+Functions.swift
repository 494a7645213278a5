// Twin+Functions: functions of one number, pools and one optimizer step. Test support.

import DeepMotifKernelTable

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension Twin {
    package static func exponential(_ x: Double) -> Double { exp(x) }

    package static func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }

    /// Maxima of windows and the offset of the first maximum.
    package static func maxPool(
        x: [Double], channels: Int, width: Int, stride: Int, outputLength: Int
    ) -> (y: [Double], offsets: [Int32]) {
        var y: [Double] = []
        var offsets: [Int32] = []
        for p in 0..<outputLength {
            for c in 0..<channels {
                let window = (0..<width).map { x[(p * stride + $0) * channels + c] }
                let best = window.max() ?? 0
                y.append(best)
                offsets.append(Int32(window.firstIndex(of: best) ?? 0))
            }
        }
        return (y, offsets)
    }

    package static func averagePool(
        x: [Double], channels: Int, width: Int, stride: Int, outputLength: Int
    ) -> [Double] {
        var y: [Double] = []
        for p in 0..<outputLength {
            for c in 0..<channels {
                let sum = (0..<width).reduce(0.0) { $0 + x[(p * stride + $1) * channels + c] }
                y.append(sum / Double(width))
            }
        }
        return y
    }

    /// Parameters and moments after one Adam step (Kingma and Ba 2015, algorithm 1).
    package static func adam(
        parameter: Double, gradient: Double, first: Double, second: Double, step: AdamStep
    ) -> (parameter: Double, first: Double, second: Double) {
        let clip = Double(step.clip)
        let g = min(max(gradient, -clip), clip)
        let m = Double(step.beta1) * first + (1 - Double(step.beta1)) * g
        let v = Double(step.beta2) * second + (1 - Double(step.beta2)) * g * g
        let denominator = v.squareRoot() / Double(step.secondMomentRoot) + Double(step.epsilon)
        return (parameter - Double(step.stepSize) * m / denominator, m, v)
    }
}
