// OutputFunction: from scores to probabilities. Networks room.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Applies DM_OUTPUT_... to rows of scores (count, classes); in place is allowed. Softmax and sigmoid are computed in
/// Double: the output is small and its tails matter to losses and metrics.
package func applyOutput(_ output: Int32, scores: Floats, count: Int, classes: Int, values: MutableFloats) {
    switch output {
    case DM_OUTPUT_SOFTMAX:
        for row in 0..<count { softmax(scores + row * classes, classes, values + row * classes) }
    case DM_OUTPUT_SIGMOID:
        for i in 0..<(count * classes) { values[i] = Float(1 / (1 + exp(-Double(scores[i])))) }
    default:
        for i in 0..<(count * classes) { values[i] = scores[i] }
    }
}

/// One row; the largest score is subtracted first so that nothing overflows.
private func softmax(_ scores: Floats, _ classes: Int, _ values: MutableFloats) {
    let top = logSumExp(scores, classes)
    for c in 0..<classes { values[c] = Float(exp(Double(scores[c]) - top)) }
}

/// log of the sum of exponentials of one row.
func logSumExp(_ scores: Floats, _ classes: Int) -> Double {
    var largest = -Double.infinity
    for c in 0..<classes { largest = max(largest, Double(scores[c])) }
    guard largest.isFinite else { return largest }
    var sum = 0.0
    for c in 0..<classes { sum += exp(Double(scores[c]) - largest) }
    return largest + log(sum)
}
