// TwinNetwork: a small network beside its naive Double twin, which reads the exported parameters. Tests of the views.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifNetworks
import DeepMotifSequences
import DeepMotifTestSupport

/// A network and the same function in Double, by definition and one sequence at a time.
struct TwinNetwork {
    let name: String
    let specs: [LayerSpec]
    let length: Int
    let network: Network
    let parameters: [String: [Double]]

    init(
        _ name: String, _ specs: [LayerSpec], length: Int = 14, seed: UInt64 = 3,
        level: Int32 = InstructionLevel.current
    ) throws {
        self.name = name
        self.specs = specs
        self.length = length
        network = try Network(layers: specs, length: length, seed: seed, kernels: .table(level: level))
        // Larger than at initialisation, so that gates and probabilities leave the linear range.
        var values = testFloats(network.parameterCount, seed: seed, bound: 0.7)
        network.setParameters(&values)
        parameters = TwinNetwork.named(values, network)
    }

    /// The same layers with parameters of the caller's making.
    init(_ name: String, _ specs: [LayerSpec], length: Int, values: [Float]) throws {
        self.name = name
        self.specs = specs
        self.length = length
        network = try Network(layers: specs, length: length, seed: 0)
        network.setParameters(values)
        parameters = TwinNetwork.named(values, network)
    }

    private static func named(_ values: [Float], _ network: Network) -> [String: [Double]] {
        var parameters: [String: [Double]] = [:]
        var start = 0
        for array in network.parameterArrays {
            let count = array.dimensions.reduce(1, *)
            parameters[array.name] = values[start..<(start + count)].map(Double.init)
            start += count
        }
        return parameters
    }

    // MARK: The twin

    /// Scores (C,) of one sequence of letters (L, 4).
    func scores(_ letters: [Double]) -> [Double] {
        run(0..<specs.count, letters, length: letters.count / 4)
    }

    /// Layers of `range` on one sequence of activations (length, channels).
    func run(_ range: Range<Int>, _ input: [Double], length: Int) -> [Double] {
        var x = input
        var length = length
        for index in range {
            let channels = x.count / length
            (x, length) = apply(specs[index], network.layerNames[index], x, Shape(length: length, channels: channels))
        }
        return x
    }

    private func apply(_ spec: LayerSpec, _ name: String, _ x: [Double], _ shape: Shape) -> ([Double], Int) {
        switch spec.kind {
        case DM_LAYER_CONV1D: return convolve(spec, name, x, shape)
        case DM_LAYER_RELU: return (x.map { max($0, 0) }, shape.length)
        case DM_LAYER_MAX_POOL1D:
            let length = (shape.length - spec.width) / spec.stride + 1
            let y = Twin.maxPool(
                x: x, channels: shape.channels, width: spec.width, stride: spec.stride, outputLength: length)
            return (y.y, length)
        case DM_LAYER_GLOBAL_MAX_POOL1D:
            let y = Twin.maxPool(x: x, channels: shape.channels, width: shape.length, stride: 1, outputLength: 1)
            return (y.y, 1)
        case DM_LAYER_GLOBAL_AVERAGE_POOL1D:
            let y = Twin.averagePool(x: x, channels: shape.channels, width: shape.length, stride: 1, outputLength: 1)
            return (y, 1)
        case DM_LAYER_LSTM:
            let states = lstm(spec, name, x, shape)
            return spec.returnSequences ? (states, shape.length) : (lastStates(states, spec, shape.length), 1)
        case DM_LAYER_GRU: return (gru(spec, name, x, shape), shape.length)
        case DM_LAYER_TANH: return (x.map(Twin.hyperbolicTangent), shape.length)
        case DM_LAYER_GELU: return (x.map { Twin.gelu($0, approximate: false) }, shape.length)
        case DM_LAYER_FLATTEN: return (x, 1)
        case DM_LAYER_DENSE:
            let y = Twin.multiply(
                a: x, lda: shape.channels, b: parameters["\(name).weight"]!, rowStride: 1,
                columnStride: shape.channels, bias: parameters["\(name).bias"]!, m: shape.length, n: spec.units,
                k: shape.channels)
            return (y, shape.length)
        default: return (x, shape.length)
        }
    }

    private func convolve(_ spec: LayerSpec, _ name: String, _ x: [Double], _ shape: Shape) -> ([Double], Int) {
        let isSame = spec.padding == DM_PADDING_SAME
        let length = isSame ? shape.length : shape.length - spec.width + 1
        let geometry = ConvolutionGeometry(
            length: shape.length, outputLength: length, channels: shape.channels, filters: spec.units,
            width: spec.width, stride: 1, dilation: 1, padding: isSame ? (spec.width - 1) / 2 : 0)
        let torch = parameters["\(name).weight"]!
        var weights: [Double] = []
        for k in 0..<spec.width {
            for c in 0..<shape.channels {
                for f in 0..<spec.units { weights.append(torch[(f * shape.channels + c) * spec.width + k]) }
            }
        }
        return (Twin.convolve(x: x, weights: weights, bias: parameters["\(name).bias"]!, geometry: geometry), length)
    }

    private func lstm(_ spec: LayerSpec, _ name: String, _ x: [Double], _ shape: Shape) -> [Double] {
        let suffixes = spec.bidirectional ? ["", "_reverse"] : [""]
        let read = spec.splitInput ? shape.channels / 2 : shape.channels
        let width = spec.units * suffixes.count
        var y = [Double](repeating: 0, count: shape.length * width)
        for (direction, suffix) in suffixes.enumerated() {
            let first = spec.splitInput ? direction * read : 0
            let part = Array(x[first...])
            let gateInputs = Twin.multiply(
                a: part, lda: shape.channels, b: parameters["\(name).weight_ih\(suffix)"]!, rowStride: 1,
                columnStride: read, bias: parameters["\(name).bias\(suffix)"]!, m: shape.length, n: 4 * spec.units,
                k: read)
            let geometry = LSTMGeometry(
                rows: 1, length: shape.length, units: spec.units, paddedUnits: spec.units,
                isReversed: direction == 1, outputStride: spec.units)
            let trace = Twin.lstmForward(
                gateInputs: gateInputs, weights: parameters["\(name).weight_hh\(suffix)"]!, geometry: geometry)
            for p in 0..<shape.length {
                for u in 0..<spec.units {
                    y[p * width + direction * spec.units + u] = trace.hidden[p * spec.units + u]
                }
            }
        }
        return y
    }

    private func gru(_ spec: LayerSpec, _ name: String, _ x: [Double], _ shape: Shape) -> [Double] {
        let states = (spec.bidirectional ? ["", "_reverse"] : [""]).map { suffix in
            GRUTwin(
                units: spec.units, inputWeights: parameters["\(name).weight_ih\(suffix)"]!,
                recurrentWeights: parameters["\(name).weight_hh\(suffix)"]!,
                inputBias: parameters["\(name).bias_ih\(suffix)"]!,
                recurrentBias: parameters["\(name).bias_hh\(suffix)"]
            ).states(x, length: shape.length, isReversed: suffix != "")
        }
        return (0..<shape.length).flatMap { p in
            states.flatMap { $0[(p * spec.units)..<((p + 1) * spec.units)] }
        }
    }

    /// Each direction's state where it ends.
    private func lastStates(_ states: [Double], _ spec: LayerSpec, _ length: Int) -> [Double] {
        let last = Array(states[((length - 1) * states.count / length)...])
        guard spec.bidirectional else { return last }
        return Array(last[..<spec.units]) + Array(states[spec.units..<(2 * spec.units)])
    }

    // MARK: Quantities

    /// The quantity of one sequence, by definition.
    func value(_ quantity: TargetQuantityCase, _ letters: [Double]) -> Double {
        quantity.value(scores(letters))
    }

    /// Gradient (L, 4) of the quantity by central differences. In Double with steps of 1e-6 the error is below 1e-9.
    func gradient(_ quantity: TargetQuantityCase, _ letters: [Double]) -> [Double] {
        letters.indices.map { index in
            var moved = letters
            moved[index] += 1e-6
            let above = value(quantity, moved)
            moved[index] -= 2e-6
            return (above - value(quantity, moved)) / 2e-6
        }
    }
}

/// A quantity as the caller names it, and by definition in Double.
struct TargetQuantityCase: Sendable {
    var target = 1
    var quantity = DM_TARGET_SCORE
    var output = DM_OUTPUT_SOFTMAX

    func value(_ scores: [Double]) -> Double {
        if quantity == DM_TARGET_SCORE { return scores[target] }
        return Twin.logarithm(probability(scores))
    }

    func probability(_ scores: [Double]) -> Double {
        if output == DM_OUTPUT_SIGMOID { return Twin.sigmoid(scores[target]) }
        return Twin.exponential(scores[target]) / scores.reduce(0) { $0 + Twin.exponential($1) }
    }

    static let all: [TargetQuantityCase] = [
        .init(), .init(target: 0), .init(quantity: DM_TARGET_LOG_PROBABILITY),
        .init(quantity: DM_TARGET_LOG_PROBABILITY, output: DM_OUTPUT_SIGMOID),
    ]
}
