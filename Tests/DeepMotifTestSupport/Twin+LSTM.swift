// Twin+LSTM: one direction of an LSTM and its gradient, by definition. Test support.

import DeepMotifKernelTable

/// What a forward pass leaves: (rows, length, H), (rows, length, 4H) and (rows, length, H).
package struct LSTMTrace {
    package var hidden: [Double]
    /// After the activation functions, gate-major: input, forget, candidate, output.
    package var gates: [Double]
    package var cells: [Double]

    package init(hidden: [Double], gates: [Double], cells: [Double]) {
        self.hidden = hidden
        self.gates = gates
        self.cells = cells
    }
}

extension Twin {
    /// Positions in the order of the steps.
    private static func positions(_ g: LSTMGeometry) -> [Int] {
        g.isReversed ? (0..<g.length).reversed() : Array(0..<g.length)
    }

    /// gateInputs (rows, length, 4H) holds input product and bias, weights (4H, H); gates i f g o in blocks of H.
    package static func lstmForward(gateInputs: [Double], weights: [Double], geometry g: LSTMGeometry) -> LSTMTrace {
        let h = g.units
        var trace = LSTMTrace(
            hidden: .init(repeating: 0, count: g.rows * g.length * h),
            gates: .init(repeating: 0, count: g.rows * g.length * 4 * h),
            cells: .init(repeating: 0, count: g.rows * g.length * h))
        for row in 0..<g.rows {
            var hidden = [Double](repeating: 0, count: h)
            var cell = hidden
            for position in positions(g) {
                let p = row * g.length + position
                var sums = Array(gateInputs[(p * 4 * h)..<((p + 1) * 4 * h)])
                for j in 0..<4 * h {
                    for k in 0..<h { sums[j] += weights[j * h + k] * hidden[k] }
                }
                for u in 0..<h {
                    let i = sigmoid(sums[u])
                    let f = sigmoid(sums[h + u])
                    let candidate = hyperbolicTangent(sums[2 * h + u])
                    let o = sigmoid(sums[3 * h + u])
                    cell[u] = f * cell[u] + i * candidate
                    hidden[u] = o * hyperbolicTangent(cell[u])
                    for (gate, value) in [i, f, candidate, o].enumerated() {
                        trace.gates[p * 4 * h + gate * h + u] = value
                    }
                    trace.cells[p * h + u] = cell[u]
                    trace.hidden[p * h + u] = hidden[u]
                }
            }
        }
        return trace
    }

    /// Gradients (rows, length, 4H) of the gates before their activation functions from outputGradient (rows, length, H).
    package static func lstmBackward(
        outputGradient: [Double], trace: LSTMTrace, weights: [Double], geometry g: LSTMGeometry
    ) -> [Double] {
        let h = g.units
        var gradient = [Double](repeating: 0, count: g.rows * g.length * 4 * h)
        for row in 0..<g.rows {
            var fromLater = [Double](repeating: 0, count: h)
            var cellGradient = fromLater
            let order = positions(g)
            for step in order.indices.reversed() {
                let p = row * g.length + order[step]
                for u in 0..<h {
                    let values = (0..<4).map { trace.gates[p * 4 * h + $0 * h + u] }
                    let squashed = hyperbolicTangent(trace.cells[p * h + u])
                    let before = step > 0 ? trace.cells[(row * g.length + order[step - 1]) * h + u] : 0
                    let dh = outputGradient[p * h + u] + fromLater[u]
                    cellGradient[u] += dh * values[3] * (1 - squashed * squashed)
                    let dc = cellGradient[u]
                    gradient[p * 4 * h + u] = dc * values[2] * values[0] * (1 - values[0])
                    gradient[p * 4 * h + h + u] = dc * before * values[1] * (1 - values[1])
                    gradient[p * 4 * h + 2 * h + u] = dc * values[0] * (1 - values[2] * values[2])
                    gradient[p * 4 * h + 3 * h + u] = dh * squashed * values[3] * (1 - values[3])
                    cellGradient[u] = dc * values[1]
                }
                for u in 0..<h {
                    fromLater[u] = (0..<4 * h).reduce(0.0) { $0 + weights[$1 * h + u] * gradient[p * 4 * h + $1] }
                }
            }
        }
        return gradient
    }
}
