// TargetQuantity: the number that a view explains or maximises, and its gradient. Interpretation room.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifNetworks

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The score of one class, or the logarithm of its probability, as a function of a sequence's scores (C,).
package struct TargetQuantity: Sendable, Equatable {
    /// Index of the class.
    package let target: Int
    /// Number of scores.
    package let classes: Int
    /// DM_TARGET_...: the score before the output function, or the log of the probability behind it.
    package let quantity: Int32
    /// DM_OUTPUT_...
    package let output: Int32

    /// Throws where the class is out of range, a constant is unknown, or the output has no probabilities.
    package init(target: Int, quantity: Int32, output: Int32, classes: Int) throws(DeepMotifError) {
        guard target >= 0, target < classes else {
            throw .invalidArgument("target must be in 0 ... \(classes - 1); got \(target)")
        }
        guard output == DM_OUTPUT_SOFTMAX || output == DM_OUTPUT_SIGMOID || output == DM_OUTPUT_LINEAR else {
            throw .invalidArgument("output must be one of DM_OUTPUT_...; got \(output)")
        }
        guard quantity == DM_TARGET_SCORE || quantity == DM_TARGET_LOG_PROBABILITY else {
            throw .invalidArgument("quantity must be one of DM_TARGET_...; got \(quantity)")
        }
        guard quantity == DM_TARGET_SCORE || output != DM_OUTPUT_LINEAR else {
            throw .invalidArgument("a model with a linear output has no probabilities: ask for the score")
        }
        self.target = target
        self.classes = classes
        self.quantity = quantity
        self.output = output
    }

    /// The quantity itself. In Double: the log of a probability near 1 is the difference of two close numbers.
    package func value(_ scores: Floats) -> Double {
        let score = Double(scores[target])
        guard quantity == DM_TARGET_LOG_PROBABILITY else { return score }
        if output == DM_OUTPUT_SIGMOID { return min(score, 0) - log1p(exp(-abs(score))) }
        let highest = highestScore(scores)
        var sum = 0.0
        for c in 0..<classes { sum += exp(Double(scores[c]) - highest) }
        return score - highest - log(sum)
    }

    /// The gradient (C,) of the quantity with respect to the scores.
    package func writeGradient(_ scores: Floats, to gradient: MutableFloats) {
        for c in 0..<classes { gradient[c] = 0 }
        guard quantity == DM_TARGET_LOG_PROBABILITY else {
            gradient[target] = 1
            return
        }
        if output == DM_OUTPUT_SIGMOID {
            gradient[target] = Float(1 / (1 + exp(Double(scores[target]))))
            return
        }
        let highest = highestScore(scores)
        var sum = 0.0
        var others = 0.0
        for c in 0..<classes {
            let weight = exp(Double(scores[c]) - highest)
            sum += weight
            if c != target { others += weight }
        }
        for c in 0..<classes { gradient[c] = Float(-exp(Double(scores[c]) - highest) / sum) }
        // 1 - p from the other classes: near p = 1 the difference itself would keep no digit.
        gradient[target] = Float(others / sum)
    }

    private func highestScore(_ scores: Floats) -> Double {
        var highest = scores[0]
        for c in 1..<max(classes, 1) { highest = max(highest, scores[c]) }
        return Double(highest)
    }
}
