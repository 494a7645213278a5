// Twin+Layers: GRU, padded pools and the less common activations, by definition. Test support.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// One direction of a GRU in PyTorch's layout.
package struct GRUTwin {
    package var units: Int
    package var inputWeights: [Double]
    package var recurrentWeights: [Double]
    package var inputBias: [Double]
    /// Nil where the reset comes before the recurrent product of the candidate.
    package var recurrentBias: [Double]?

    package init(
        units: Int, inputWeights: [Double], recurrentWeights: [Double], inputBias: [Double], recurrentBias: [Double]?
    ) {
        self.units = units
        self.inputWeights = inputWeights
        self.recurrentWeights = recurrentWeights
        self.inputBias = inputBias
        self.recurrentBias = recurrentBias
    }

    /// States (length, H) for x (length, channels), in the order of the positions.
    package func states(_ x: [Double], length: Int, isReversed: Bool) -> [Double] {
        let channels = x.count / length
        var result = [Double](repeating: 0, count: length * units)
        var hidden = [Double](repeating: 0, count: units)
        for position in isReversed ? (0..<length).reversed() : Array(0..<length) {
            func input(_ row: Int) -> Double {
                (0..<channels).reduce(inputBias[row]) {
                    $0 + inputWeights[row * channels + $1] * x[position * channels + $1]
                }
            }
            func recurrent(_ row: Int, _ state: [Double]) -> Double {
                (0..<units).reduce(recurrentBias?[row] ?? 0) { $0 + recurrentWeights[row * units + $1] * state[$1] }
            }
            let before = hidden
            let r = (0..<units).map { Twin.sigmoid(input($0) + recurrent($0, before)) }
            let z = (0..<units).map { Twin.sigmoid(input(units + $0) + recurrent(units + $0, before)) }
            let reset = (0..<units).map { r[$0] * before[$0] }
            for u in 0..<units {
                let row = 2 * units + u
                let product = recurrentBias == nil ? recurrent(row, reset) : r[u] * recurrent(row, before)
                let n = Twin.hyperbolicTangent(input(row) + product)
                hidden[u] = (1 - z[u]) * n + z[u] * before[u]
                result[position * units + u] = hidden[u]
            }
        }
        return result
    }
}

/// The windows of a pool as PyTorch and TensorFlow describe them.
package struct PoolTwin {
    package var width: Int
    package var stride: Int
    /// Nil: TensorFlow's SAME.
    package var paddings: (left: Int, right: Int)?
    package var isCeil: Bool

    package init(width: Int, stride: Int, paddings: (left: Int, right: Int)?, isCeil: Bool) {
        self.width = width
        self.stride = stride
        self.paddings = paddings
        self.isCeil = isCeil
    }

    /// Of every window, its positions and the number of positions and padding.
    package func windows(length: Int) -> [(positions: [Int], padded: Int)] {
        let same = max(((length + stride - 1) / stride - 1) * stride + width - length, 0)
        let (left, right) = paddings ?? (same / 2, same - same / 2)
        var result: [(positions: [Int], padded: Int)] = []
        var start = -left
        while start < length {
            let isWhole = start + width <= length + right
            // In ceil mode a window counts that ends less than a stride behind the padding.
            guard isWhole || (isCeil && paddings != nil && start + width < length + right + stride) else { break }
            let padded = (start..<(start + width)).filter { $0 < length + right }
            result.append((padded.filter { $0 >= 0 && $0 < length }, padded.count))
            start += stride
        }
        return result
    }
}

extension Twin {
    package static func gelu(_ x: Double, approximate: Bool) -> Double {
        guard approximate else { return 0.5 * x * erfc(-x / 2.0.squareRoot()) }
        return 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }

    package static func softmax(_ x: [Double]) -> [Double] {
        let highest = x.max() ?? 0
        let values = x.map { exp($0 - highest) }
        let sum = values.reduce(0, +)
        return values.map { $0 / sum }
    }

    /// (x - mean) / sqrt(variance + epsilon) weight + bias.
    package static func layerNorm(_ x: [Double], weight: [Double], bias: [Double], epsilon: Double) -> [Double] {
        let mean = x.reduce(0, +) / Double(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        return x.indices.map { (x[$0] - mean) / (variance + epsilon).squareRoot() * weight[$0] + bias[$0] }
    }
}
