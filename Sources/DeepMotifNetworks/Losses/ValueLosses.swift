// ValueLosses: regression. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Number of targets of a row that are not NaN.
private func presentCount(_ targets: Floats, row: Int, classes: Int) -> Double {
    var present = 0
    for c in 0..<classes where !targets[row * classes + c].isNaN { present += 1 }
    return Double(present)
}

/// (s - t)^2 of every target t that is present; PyTorch's MSELoss.
struct SquaredLoss: RowLoss, @unchecked Sendable {
    /// (N, C), NaN = missing.
    let targets: Floats
    let classes: Int

    func validate(rows: UnsafePointer<Int64>, count: Int) throws(DeepMotifError) {
        try checkTargets(targets, classes: classes, rows: rows, count: count, expected: "finite or NaN") {
            $0.isFinite
        }
    }

    func weight(row: Int) -> Double { presentCount(targets, row: row, classes: classes) }

    func evaluate(row: Int, scores: Floats, scale: Double, gradient: MutableFloats) -> Double {
        var loss = 0.0
        for c in 0..<classes {
            let target = targets[row * classes + c]
            guard !target.isNaN else {
                gradient[c] = 0
                continue
            }
            let difference = Double(scores[c]) - Double(target)
            loss += difference * difference
            gradient[c] = Float(scale * 2 * difference)
        }
        return loss
    }
}

/// exp(s) - t s of every target t >= 0 that is present: the score is the logarithm of a rate. PyTorch's PoissonNLLLoss
/// with log_input and without the constant that belongs to the target.
struct PoissonLoss: RowLoss, @unchecked Sendable {
    /// (N, C), NaN = missing.
    let targets: Floats
    let classes: Int

    func validate(rows: UnsafePointer<Int64>, count: Int) throws(DeepMotifError) {
        let expected = "finite and not negative, or NaN"
        try checkTargets(targets, classes: classes, rows: rows, count: count, expected: expected) {
            $0.isFinite && $0 >= 0
        }
    }

    func weight(row: Int) -> Double { presentCount(targets, row: row, classes: classes) }

    func evaluate(row: Int, scores: Floats, scale: Double, gradient: MutableFloats) -> Double {
        var loss = 0.0
        for c in 0..<classes {
            let target = Double(targets[row * classes + c])
            guard !target.isNaN else {
                gradient[c] = 0
                continue
            }
            let score = Double(scores[c])
            let rate = exp(score)
            loss += rate - target * score
            gradient[c] = Float(scale * (rate - target))
        }
        return loss
    }
}

/// 1 - Pearson's correlation of the scores and the targets of each task over the present rows of a batch; the mean over
/// the tasks whose targets vary. A task whose scores do not vary has correlation 0 and no gradient.
struct CorrelationLoss: BatchLoss, @unchecked Sendable {
    /// (N, C), NaN = missing.
    let targets: Floats
    let classes: Int

    func validate(rows: UnsafePointer<Int64>, count: Int) throws(DeepMotifError) {
        try SquaredLoss(targets: targets, classes: classes).validate(rows: rows, count: count)
    }

    /// Means, centred sums of squares and products of one task.
    private struct Moments {
        var count = 0.0
        var scoreMean = 0.0
        var targetMean = 0.0
        var scores = 0.0
        var targets = 0.0
        var products = 0.0
    }

    private func moments(
        _ task: Int, rows: UnsafePointer<Int64>, count: Int, scores: Floats
    ) -> Moments {
        var result = Moments()
        func forEach(_ body: (_ score: Double, _ target: Double) -> Void) {
            for i in 0..<count {
                let target = targets[Int(rows[i]) * classes + task]
                if !target.isNaN { body(Double(scores[i * classes + task]), Double(target)) }
            }
        }
        forEach {
            result.count += 1
            result.scoreMean += $0
            result.targetMean += $1
        }
        guard result.count > 0 else { return result }
        result.scoreMean /= result.count
        result.targetMean /= result.count
        forEach {
            let (s, t) = ($0 - result.scoreMean, $1 - result.targetMean)
            result.scores += s * s
            result.targets += t * t
            result.products += s * t
        }
        return result
    }

    /// With r = P / sqrt(S T), dr/ds_i = (t_i - t) / sqrt(S T) - r (s_i - s) / S.
    func evaluate(
        rows: UnsafePointer<Int64>, count: Int, scores: Floats, gradient: MutableFloats
    ) -> TrainingSums {
        var sums = TrainingSums()
        for i in 0..<(count * classes) { gradient[i] = 0 }
        var correlations: [(task: Int, moments: Moments)] = []
        for task in 0..<classes {
            let moments = moments(task, rows: rows, count: count, scores: scores)
            guard moments.targets > 0 else { continue }
            sums.weight += 1
            // What rounding leaves of constant scores is no variation.
            let noise = 0x1p-46 * moments.count * moments.scoreMean * moments.scoreMean
            let root = (moments.scores * moments.targets).squareRoot()
            if moments.scores <= noise || root == 0 {
                sums.loss += 1
                continue
            }
            sums.loss += 1 - moments.products / root
            correlations.append((task, moments))
        }
        for (task, moments) in correlations {
            let root = (moments.scores * moments.targets).squareRoot()
            let slope = moments.products / root / moments.scores
            for i in 0..<count {
                let target = Double(targets[Int(rows[i]) * classes + task])
                guard !target.isNaN else { continue }
                let score = Double(scores[i * classes + task]) - moments.scoreMean
                let part = slope * score - (target - moments.targetMean) / root
                gradient[i * classes + task] = Float(part / sums.weight)
            }
        }
        return sums
    }
}
