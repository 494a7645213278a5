// DoubleNetwork: every layer once more, naive and in Double, from the specifications and PyTorch's parameter layout alone.

import CDeepMotif
import DeepMotifKernelTable
import DeepMotifNetworks
import DeepMotifTestSupport

/// Activations of one sequence: positions before channels.
struct Block {
    var length: Int
    var channels: Int
    var values: [Double]

    subscript(position: Int, channel: Int) -> Double {
        position >= 0 && position < length ? values[position * channels + channel] : 0
    }
}

/// The slow twin of `Network`. Nothing is shared with it but the specifications.
struct DoubleNetwork {
    let specs: [LayerSpec]
    /// PyTorch's layout, concatenated.
    var parameters: [Double]

    /// Output of every layer for one sequence (L, 4).
    func outputs(_ letters: [Double]) -> [Block] {
        var block = Block(length: letters.count / 4, channels: 4, values: letters)
        var rest = parameters[...]
        return specs.map { spec in
            block = forward(spec, block, &rest)
            return block
        }
    }

    func scores(_ letters: [Double]) -> [Double] { outputs(letters).last?.values ?? [] }

    /// Scores of a batch in training: normalisations take the statistics of all positions of all rows.
    func trainingScores(_ letters: [[Double]]) -> [[Double]] {
        let blocks = letters.map { Block(length: $0.count / 4, channels: 4, values: $0) }
        var rest = parameters[...]
        return train(specs, blocks, &rest).map(\.values)
    }

    private func train(_ specs: [LayerSpec], _ x: [Block], _ rest: inout ArraySlice<Double>) -> [Block] {
        var blocks = x
        for spec in specs {
            switch spec.kind {
            case DM_LAYER_BATCH_NORM1D:
                let weights = Array(rest.prefix(2 * blocks[0].channels))
                rest = rest.dropFirst(4 * blocks[0].channels)
                blocks = normalize(spec, blocks, weights)
            case DM_LAYER_RESIDUAL:
                let (body, shortcut) = (train(spec.body, blocks, &rest), train(spec.shortcut, blocks, &rest))
                blocks = zip(body, shortcut).map { add($0, $1) }
            default:
                var left = rest
                blocks = blocks.map {
                    left = rest
                    return forward(spec, $0, &left)
                }
                rest = left
            }
        }
        return blocks
    }

    private func add(_ one: Block, _ other: Block) -> Block {
        Block(length: one.length, channels: one.channels, values: zip(one.values, other.values).map(+))
    }

    private func normalize(_ spec: LayerSpec, _ blocks: [Block], _ weights: [Double]) -> [Block] {
        let channels = blocks[0].channels
        var result = blocks
        for c in 0..<channels {
            let all = blocks.flatMap { block in (0..<block.length).map { block[$0, c] } }
            let center = mean(all)
            let variance = mean(all.map { ($0 - center) * ($0 - center) })
            let scale = weights[c] / (variance + Double(spec.epsilon)).squareRoot()
            for i in blocks.indices {
                for p in 0..<blocks[i].length {
                    result[i].values[p * channels + c] = scale * (blocks[i][p, c] - center) + weights[channels + c]
                }
            }
        }
        return result
    }

    private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    private func forward(_ spec: LayerSpec, _ x: Block, _ rest: inout ArraySlice<Double>) -> Block {
        func take(_ count: Int) -> [Double] {
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        func bias(_ spec: LayerSpec) -> [Double] {
            spec.hasBias ? take(spec.units) : .init(repeating: 0, count: spec.units)
        }
        switch spec.kind {
        case DM_LAYER_CONV1D:
            return convolve(spec, x, weights: take(spec.units * x.channels * spec.width), bias: bias(spec))
        case DM_LAYER_DENSE:
            return dense(x, weights: take(spec.units * x.channels), bias: bias(spec))
        case DM_LAYER_LSTM: return lstm(spec, x, take)
        case DM_LAYER_RELU: return map(x) { max($0, 0) }
        case DM_LAYER_SIGMOID: return map(x, Twin.sigmoid)
        case DM_LAYER_TANH: return map(x, Twin.hyperbolicTangent)
        case DM_LAYER_LEAKY_RELU: return map(x) { $0 > 0 ? $0 : Double(spec.slope) * $0 }
        case DM_LAYER_ELU: return map(x) { $0 > 0 ? $0 : Double(spec.slope) * (Twin.exponential($0) - 1) }
        case DM_LAYER_GELU: return map(x) { Twin.gelu($0, approximate: spec.isApproximate) }
        case DM_LAYER_EXPONENTIAL: return map(x, Twin.exponential)
        case DM_LAYER_SOFTMAX: return mapPositions(x, Twin.softmax)
        case DM_LAYER_LAYER_NORM:
            let (weight, shift) = (take(x.channels), take(x.channels))
            return mapPositions(x) {
                Twin.layerNorm($0, weight: weight, bias: shift, epsilon: Double(spec.epsilon))
            }
        case DM_LAYER_GRU: return gru(spec, x, take)
        case DM_LAYER_RESIDUAL:
            let body = spec.body.reduce(x) { forward($1, $0, &rest) }
            let shortcut = spec.shortcut.reduce(x) { forward($1, $0, &rest) }
            return add(body, shortcut)
        case DM_LAYER_MAX_POOL1D: return pool(x, windows(spec, x.length)) { values, _ in values.max() ?? 0 }
        case DM_LAYER_GLOBAL_MAX_POOL1D: return pool(x, whole(x)) { values, _ in values.max() ?? 0 }
        case DM_LAYER_AVERAGE_POOL1D:
            return pool(x, windows(spec, x.length)) { values, padded in
                values.reduce(0, +) / Double(spec.countsPadding ? padded : values.count)
            }
        case DM_LAYER_GLOBAL_AVERAGE_POOL1D: return pool(x, whole(x)) { $0.reduce(0, +) / Double($1) }
        case DM_LAYER_GLOBAL_MAX_AVERAGE_POOL1D:
            let highest = pool(x, whole(x)) { values, _ in values.max() ?? 0 }.values
            let mean = pool(x, whole(x)) { $0.reduce(0, +) / Double($1) }.values
            return Block(length: 1, channels: 2 * x.channels, values: zip(highest, mean).flatMap { [$0, $1] })
        case DM_LAYER_MAXOUT:
            let groups = x.channels / spec.width
            return Block(
                length: x.length, channels: groups,
                values: (0..<x.length).flatMap { p in
                    (0..<groups).map { g in (0..<spec.width).map { x[p, $0 * groups + g] }.max() ?? 0 }
                })
        case DM_LAYER_FLATTEN:
            var values = x.values
            if spec.order == DM_ORDER_CHANNELS {
                values = (0..<x.channels).flatMap { c in (0..<x.length).map { x[$0, c] } }
            }
            return Block(length: 1, channels: values.count, values: values)
        default: return x
        }
    }

    private func map(_ x: Block, _ function: (Double) -> Double) -> Block {
        Block(length: x.length, channels: x.channels, values: x.values.map(function))
    }

    private func mapPositions(_ x: Block, _ function: ([Double]) -> [Double]) -> Block {
        let values = (0..<x.length).flatMap { p in function((0..<x.channels).map { x[p, $0] }) }
        return Block(length: x.length, channels: x.channels, values: values)
    }

    private func paddings(_ spec: LayerSpec) -> (left: Int, right: Int) {
        let reach = spec.dilation * (spec.width - 1)
        switch spec.padding {
        case DM_PADDING_SAME: return (reach / 2, reach - reach / 2)
        case DM_PADDING_CAUSAL: return (reach, 0)
        case DM_PADDING_EXPLICIT: return (spec.leftPadding, spec.rightPadding)
        default: return (0, 0)
        }
    }

    private func convolve(_ spec: LayerSpec, _ x: Block, weights: [Double], bias: [Double]) -> Block {
        let (left, right) = paddings(spec)
        let length = (x.length + left + right - spec.dilation * (spec.width - 1) - 1) / spec.stride + 1
        var y = Block(length: length, channels: spec.units, values: [])
        for p in 0..<length {
            for f in 0..<spec.units {
                var sum = bias[f]
                for c in 0..<x.channels {
                    for k in 0..<spec.width {
                        let position = p * spec.stride + k * spec.dilation - left
                        sum += weights[(f * x.channels + c) * spec.width + k] * x[position, c]
                    }
                }
                y.values.append(sum)
            }
        }
        return y
    }

    private func dense(_ x: Block, weights: [Double], bias: [Double]) -> Block {
        var y = Block(length: x.length, channels: bias.count, values: [])
        for p in 0..<x.length {
            for (unit, start) in bias.enumerated() {
                y.values.append((0..<x.channels).reduce(start) { $0 + weights[unit * x.channels + $1] * x[p, $1] })
            }
        }
        return y
    }

    private func windows(_ spec: LayerSpec, _ length: Int) -> [(positions: [Int], padded: Int)] {
        PoolTwin(
            width: spec.width, stride: spec.stride, paddings: spec.padding == DM_PADDING_SAME ? nil : paddings(spec),
            isCeil: spec.isCeil
        ).windows(length: length)
    }

    private func whole(_ x: Block) -> [(positions: [Int], padded: Int)] { [(Array(0..<x.length), x.length)] }

    private func pool(
        _ x: Block, _ windows: [(positions: [Int], padded: Int)], _ function: ([Double], Int) -> Double
    ) -> Block {
        var y = Block(length: windows.count, channels: x.channels, values: [])
        for window in windows {
            for c in 0..<x.channels { y.values.append(function(window.positions.map { x[$0, c] }, window.padded)) }
        }
        return y
    }

    private func gru(_ spec: LayerSpec, _ x: Block, _ take: (Int) -> [Double]) -> Block {
        let h = spec.units
        let states = (0..<(spec.bidirectional ? 2 : 1)).map { direction in
            let twin = GRUTwin(
                units: h, inputWeights: take(3 * h * x.channels), recurrentWeights: take(3 * h * h),
                inputBias: take(3 * h), recurrentBias: spec.resetsAfter ? take(3 * h) : nil)
            return twin.states(x.values, length: x.length, isReversed: direction == 1)
        }
        func row(_ direction: Int, _ p: Int) -> ArraySlice<Double> { states[direction][(p * h)..<((p + 1) * h)] }
        let positions = spec.returnSequences ? Array(0..<x.length) : [x.length - 1]
        let values = positions.flatMap { p in
            states.indices.flatMap { row($0, spec.returnSequences || $0 == 0 ? p : 0) }
        }
        return Block(length: positions.count, channels: states.count * h, values: values)
    }

    private func lstm(_ spec: LayerSpec, _ x: Block, _ take: (Int) -> [Double]) -> Block {
        let directions = spec.bidirectional ? 2 : 1
        let width = spec.splitInput ? x.channels / 2 : x.channels
        let h = spec.units
        var y = Block(length: x.length, channels: directions * h, values: [])
        y.values = .init(repeating: 0, count: x.length * y.channels)
        for direction in 0..<directions {
            let (inputWeights, recurrent, bias) = (take(4 * h * width), take(4 * h * h), take(4 * h))
            let first = spec.splitInput ? direction * width : 0
            var gateInputs: [Double] = []
            for p in 0..<x.length {
                for j in 0..<4 * h {
                    gateInputs.append(
                        (0..<width).reduce(bias[j]) { $0 + inputWeights[j * width + $1] * x[p, first + $1] })
                }
            }
            let geometry = LSTMGeometry(
                rows: 1, length: x.length, units: h, paddedUnits: h, isReversed: direction == 1, outputStride: h)
            let trace = Twin.lstmForward(gateInputs: gateInputs, weights: recurrent, geometry: geometry)
            for p in 0..<x.length {
                for u in 0..<h { y.values[p * y.channels + direction * h + u] = trace.hidden[p * h + u] }
            }
        }
        guard !spec.returnSequences else { return y }
        let last = (0..<y.channels).map { y[$0 < h ? x.length - 1 : 0, $0] }
        return Block(length: 1, channels: y.channels, values: last)
    }
}
