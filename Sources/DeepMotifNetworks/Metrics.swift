// Metrics: how good predictions are, in Double. Networks room.

import DeepMotifCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Measures of a classifier. Labels are class indices.
package enum Metrics {
    /// Area under the ROC curve: the probability that a positive scores above a negative, ties counting half
    /// (Mann and Whitney 1947).
    package static func rocAUC(
        scores: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int
    ) throws(DeepMotifError) -> Double {
        let (order, positives) = try ranking(scores: scores, labels: labels, count: count)
        let negatives = count - positives
        // Twice the number of negatives below each positive, a tie counting one: whole numbers, so no rounding.
        var twice = 0
        var below = 0
        var start = 0
        while start < count {
            var end = start
            var tiedPositives = 0
            while end < count, scores[order[end]] == scores[order[start]] {
                tiedPositives += Int(labels[order[end]])
                end += 1
            }
            let tiedNegatives = end - start - tiedPositives
            twice += tiedPositives * (2 * below + tiedNegatives)
            below += tiedNegatives
            start = end
        }
        return Double(twice) / (2 * Double(positives) * Double(negatives))
    }

    /// Average precision: the mean over positives of the precision at their score, with tied scores entering together
    /// (the step-wise area under the precision-recall curve, as scikit-learn's).
    package static func averagePrecision(
        scores: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int
    ) throws(DeepMotifError) -> Double {
        let (order, positives) = try ranking(scores: scores, labels: labels, count: count)
        var sum = 0.0
        var found = 0
        var end = count
        while end > 0 {
            var start = end
            var tiedPositives = 0
            while start > 0, scores[order[start - 1]] == scores[order[end - 1]] {
                start -= 1
                tiedPositives += Int(labels[order[start]])
            }
            found += tiedPositives
            sum += Double(tiedPositives) * Double(found) / Double(count - start)
            end = start
        }
        return sum / Double(positives)
    }

    /// Mean negative log of the probability (count, classes) of the label; a probability of zero counts as the smallest
    /// positive float, so that one hopeless call does not hide all others.
    package static func logLoss(
        probabilities: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int, classes: Int
    ) throws(DeepMotifError) -> Double {
        guard count > 0 else { throw .invalidArgument("log loss needs at least one prediction") }
        try check(labels, count: count, classes: classes, name: "labels")
        var sum = 0.0
        for row in 0..<count {
            let probability = probabilities[row * classes + Int(labels[row])]
            guard probability >= 0, probability <= 1.001 else {
                throw .invalidArgument("probabilities must be in 0 ... 1; got \(probability) in row \(row)")
            }
            sum -= log(Double(min(max(probability, .leastNonzeroMagnitude), 1)))
        }
        return sum / Double(count)
    }

    /// Matthews correlation coefficient, Gorodkin's R_K (2004) for more than two classes; 0 where a denominator vanishes.
    package static func matthews(
        predicted: UnsafePointer<Int32>, labels: UnsafePointer<Int32>, count: Int, classes: Int
    ) throws(DeepMotifError) -> Double {
        guard classes >= 1 else { throw .invalidArgument("classes must be at least 1; got \(classes)") }
        try check(labels, count: count, classes: classes, name: "labels")
        try check(predicted, count: count, classes: classes, name: "predicted")
        var truth = [Double](repeating: 0, count: classes)
        var calls = [Double](repeating: 0, count: classes)
        var correct = 0.0
        for row in 0..<count {
            truth[Int(labels[row])] += 1
            calls[Int(predicted[row])] += 1
            if labels[row] == predicted[row] { correct += 1 }
        }
        let total = Double(count)
        var products = 0.0
        var truthSquares = 0.0
        var callSquares = 0.0
        for k in 0..<classes {
            products += truth[k] * calls[k]
            truthSquares += truth[k] * truth[k]
            callSquares += calls[k] * calls[k]
        }
        let spread = (total * total - callSquares) * (total * total - truthSquares)
        return spread > 0 ? (correct * total - products) / spread.squareRoot() : 0
    }

    /// Indices by rising score, and the number of positives. Throws unless both classes occur and scores are numbers.
    private static func ranking(
        scores: UnsafePointer<Float>, labels: UnsafePointer<Int32>, count: Int
    ) throws(DeepMotifError) -> ([Int], Int) {
        try check(labels, count: count, classes: 2, name: "labels")
        var positives = 0
        for row in 0..<count {
            positives += Int(labels[row])
            guard !scores[row].isNaN else { throw .invalidArgument("scores must not be NaN; row \(row) is") }
        }
        guard positives > 0, positives < count else {
            throw .invalidArgument("labels must hold both classes; got \(positives) positives of \(count)")
        }
        return (order(of: scores, count: count), positives)
    }

    /// Row numbers by rising score: a radix sort, eleven bits at a time, since training ranks the scores of every pass.
    /// Fewer than 2^32 rows.
    private static func order(of scores: UnsafePointer<Float>, count: Int) -> [Int] {
        var items = (0..<count).map { row in
            // As whole numbers these bits are in the order of the scores.
            let bits = scores[row].bitPattern
            return (key: bits >> 31 == 0 ? bits | 1 << 31 : ~bits, row: UInt32(truncatingIfNeeded: row))
        }
        var sorted = items
        for shift in stride(from: 0 as UInt32, to: 32, by: 11) {
            var starts = [Int](repeating: 0, count: 2049)
            for item in items { starts[Int(item.key >> shift & 2047) + 1] += 1 }
            for digit in 0..<2048 { starts[digit + 1] += starts[digit] }
            for item in items {
                let digit = Int(item.key >> shift & 2047)
                sorted[starts[digit]] = item
                starts[digit] += 1
            }
            swap(&items, &sorted)
        }
        return items.map { Int($0.row) }
    }

    private static func check(
        _ labels: UnsafePointer<Int32>, count: Int, classes: Int, name: String
    ) throws(DeepMotifError) {
        for row in 0..<count where labels[row] < 0 || Int(labels[row]) >= classes {
            throw .invalidArgument("\(name) must be in 0 ..< \(classes); got \(labels[row]) in row \(row)")
        }
    }
}
