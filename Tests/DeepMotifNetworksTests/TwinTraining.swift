// TwinTraining: losses and update rules once more, by their formulas in Double.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifNetworks
import DeepMotifSequences
import DeepMotifTestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// A loss with targets for `rows` sequences of 3 classes.
enum LossCase: String, CaseIterable, CustomTestStringConvertible, Sendable {
    case softmax, flags, fractions, squares, poisson, correlation

    var testDescription: String { rawValue }

    static let rows = 9
    static let classes = 3

    var options: TrainerOptions {
        var options = TrainerOptions(learningRate: 1, gradientClip: 0)
        switch self {
        case .softmax: break
        case .flags, .fractions: options.output = DM_OUTPUT_SIGMOID
        case .squares: (options.output, options.loss) = (DM_OUTPUT_LINEAR, DM_LOSS_DEFAULT)
        case .poisson: (options.output, options.loss) = (DM_OUTPUT_LINEAR, DM_LOSS_POISSON)
        case .correlation: (options.output, options.loss) = (DM_OUTPUT_LINEAR, DM_LOSS_CORRELATION)
        }
        return options
    }

    /// Values (rows, classes); NaN = missing. Labels are those of column 0.
    var values: [Float] {
        var source = RandomSource(seed: 8, purpose: .simulation)
        return (0..<Self.rows * Self.classes).map { _ in
            let isMissing = source.below(5) == 0
            let uniform = source.uniformFloat()
            switch self {
            case .softmax: return (uniform * 3).rounded(.down)
            case .flags: return isMissing ? .nan : uniform.rounded()
            case .fractions, .squares, .correlation: return isMissing ? .nan : uniform
            case .poisson: return isMissing ? .nan : (4 * uniform).rounded(.down)
            }
        }
    }

    func targets(_ inputs: Inputs) -> Targets {
        switch self {
        case .softmax:
            return .labels(inputs((0..<Self.rows).map { Int32(values[$0 * Self.classes]) }))
        case .flags: return .flags(inputs(values.map { $0.isNaN ? 255 : UInt8($0) }))
        default: return .values(inputs(values))
        }
    }

    /// The mean loss of a batch, and how many values it is the mean of.
    func loss(_ scores: [[Double]]) -> (value: Double, weight: Double) {
        var terms: [Double] = []
        if self == .correlation {
            terms = (0..<Self.classes).map { 1 - correlation(scores, task: $0) }
        } else {
            for (row, s) in scores.enumerated() {
                let own = values[(row * Self.classes)..<((row + 1) * Self.classes)].map(Double.init)
                if self == .softmax {
                    terms.append(log(s.reduce(0) { $0 + exp($1) }) - s[Int(own[0])])
                    continue
                }
                for (score, target) in zip(s, own) where !target.isNaN { terms.append(term(score, target)) }
            }
        }
        return (terms.reduce(0, +) / Double(terms.count), Double(terms.count))
    }

    private func term(_ score: Double, _ target: Double) -> Double {
        switch self {
        case .squares: return (score - target) * (score - target)
        case .poisson: return exp(score) - target * score
        default:
            let p = 1 / (1 + exp(-score))
            return -(target * log(p) + (1 - target) * log(1 - p))
        }
    }

    private func correlation(_ scores: [[Double]], task: Int) -> Double {
        var pairs: [(Double, Double)] = []
        for (row, s) in scores.enumerated() {
            let target = Double(values[row * Self.classes + task])
            if !target.isNaN { pairs.append((s[task], target)) }
        }
        let n = Double(pairs.count)
        let x = pairs.reduce(0) { $0 + $1.0 } / n
        let y = pairs.reduce(0) { $0 + $1.1 } / n
        let xy = pairs.reduce(0) { $0 + ($1.0 - x) * ($1.1 - y) }
        let xx = pairs.reduce(0) { $0 + ($1.0 - x) * ($1.0 - x) }
        let yy = pairs.reduce(0) { $0 + ($1.1 - y) * ($1.1 - y) }
        return xy / (xx * yy).squareRoot()
    }
}

/// An update rule on one parameter, PyTorch's formulas in Double.
struct TwinRule: CustomTestStringConvertible, Sendable {
    var name: String
    var options: TrainerOptions

    var testDescription: String { name }

    static let all: [TwinRule] = [
        .init(name: "adam", options: .init(optimizer: DM_OPTIMIZER_ADAM, weightDecay: 0.1)),
        .init(name: "adamw", options: .init(optimizer: DM_OPTIMIZER_ADAMW, weightDecay: 0.1)),
        .init(name: "sgd", options: .init(optimizer: DM_OPTIMIZER_SGD, weightDecay: 0.1)),
        .init(name: "momentum", options: .init(optimizer: DM_OPTIMIZER_SGD, momentum: 0.75, weightDecay: 0.1)),
        .init(name: "rmsprop", options: .init(optimizer: DM_OPTIMIZER_RMSPROP, weightDecay: 0.1)),
        .init(name: "rmsprop momentum", options: .init(optimizer: DM_OPTIMIZER_RMSPROP, momentum: 0.5)),
        .init(name: "adadelta", options: .init(optimizer: DM_OPTIMIZER_ADADELTA, weightDecay: 0.1)),
    ]

    /// The parameter after step `number`; `memory` holds two numbers, zero at first.
    func step(_ parameter: Double, _ gradient: Double, _ memory: inout [Double], number: Int) -> Double {
        let rate = Double(options.learningRate)
        let epsilon = Double(options.epsilon)
        let decay = Double(options.weightDecay)
        let clip = options.gradientClip > 0 ? Double(options.gradientClip) : .infinity
        let clamped = min(max(gradient, -clip), clip)
        let g = options.optimizer == DM_OPTIMIZER_ADAMW ? clamped : clamped + decay * parameter
        func average(_ old: Double, _ new: Double, _ rho: Float) -> Double {
            Double(rho) * old + (1 - Double(rho)) * new
        }
        switch options.optimizer {
        case DM_OPTIMIZER_SGD:
            memory[0] = Double(options.momentum) * memory[0] + g
            return parameter - rate * memory[0]
        case DM_OPTIMIZER_RMSPROP:
            memory[0] = average(memory[0], g * g, options.rho)
            memory[1] = Double(options.momentum) * memory[1] + g / (memory[0].squareRoot() + epsilon)
            return parameter - rate * memory[1]
        case DM_OPTIMIZER_ADADELTA:
            memory[0] = average(memory[0], g * g, options.rho)
            let change = (memory[1] + epsilon).squareRoot() / (memory[0] + epsilon).squareRoot() * g
            memory[1] = average(memory[1], change * change, options.rho)
            return parameter - rate * change
        default:
            let kept = options.optimizer == DM_OPTIMIZER_ADAMW ? parameter * (1 - rate * decay) : parameter
            memory[0] = average(memory[0], g, options.beta1)
            memory[1] = average(memory[1], g * g, options.beta2)
            let first = memory[0] / (1 - pow(Double(options.beta1), Double(number)))
            let second = memory[1] / (1 - pow(Double(options.beta2), Double(number)))
            return kept - rate * first / (second.squareRoot() + epsilon)
        }
    }
}
