// Loss: what a batch's scores are compared with. Networks room.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable

/// The targets of a call, by row of the caller's sequences.
package enum Targets: @unchecked Sendable {
    /// (N,) class indices.
    case labels(UnsafePointer<Int32>)
    /// (N, C) 0, 1 or 255 = missing.
    case flags(UnsafePointer<UInt8>)
    /// (N, C), NaN = missing.
    case values(Floats)
}

/// The targets of a call and their comparison with scores. `row` is a row's number in the caller's sequences.
package protocol Loss: Sendable {
    /// Throws where a target of one of the rows is out of range, naming the row.
    func validate(rows: UnsafePointer<Int64>, count: Int) throws(DeepMotifError)
}

/// A loss that is a weighted mean over the rows of a batch.
package protocol RowLoss: Loss {
    /// What the row counts in the mean.
    func weight(row: Int) -> Double

    /// Returns weight x loss of one row and writes its gradient (C,) with respect to the scores, times `scale`. The
    /// gradient may lie where the scores do.
    func evaluate(row: Int, scores: Floats, scale: Double, gradient: MutableFloats) -> Double
}

/// A loss that sees the scores of a whole batch at once.
package protocol BatchLoss: Loss {
    /// Writes the gradient (count, C) of the batch's loss with respect to the scores (count, C) and returns the sums whose
    /// ratio that loss is.
    func evaluate(
        rows: UnsafePointer<Int64>, count: Int, scores: Floats, gradient: MutableFloats
    ) -> TrainingSums
}

extension TrainerOptions {
    /// The loss of these options on a call's targets of C classes. Throws where the targets are of another kind.
    func makeLoss(
        _ targets: Targets, classWeights: Floats?, classes: Int
    ) throws(DeepMotifError) -> any Loss {
        try checkClassWeights(classWeights, classes)
        switch (output, targets) {
        case (DM_OUTPUT_SOFTMAX, .labels(let labels)):
            return SoftmaxLoss(labels: labels, classWeights: classWeights, classes: classes)
        case (DM_OUTPUT_SIGMOID, .flags(let flags)):
            return SigmoidLoss(flags: flags, positiveWeights: classWeights, classes: classes)
        case (DM_OUTPUT_SIGMOID, .values(let values)):
            return SigmoidLoss(values: values, positiveWeights: classWeights, classes: classes)
        case (DM_OUTPUT_LINEAR, .values(let values)):
            guard classWeights == nil else {
                throw .invalidArgument("class weights must be null for a linear output, which has no classes")
            }
            switch loss {
            case DM_LOSS_POISSON: return PoissonLoss(targets: values, classes: classes)
            case DM_LOSS_CORRELATION: return CorrelationLoss(targets: values, classes: classes)
            default: return SquaredLoss(targets: values, classes: classes)
            }
        default:
            throw .invalidArgument(
                "targets must be labels for softmax, flags or values for sigmoid and values for linear; "
                    + "got \(targets.name) for output \(output)")
        }
    }

    private func checkClassWeights(_ weights: Floats?, _ classes: Int) throws(DeepMotifError) {
        guard let weights else { return }
        for c in 0..<classes where !(weights[c] >= 0 && weights[c].isFinite) {
            throw .invalidArgument("class weights must be finite and not negative; got \(weights[c]) at \(c)")
        }
    }
}

extension Targets {
    var name: String {
        switch self {
        case .labels: "labels"
        case .flags: "flags"
        case .values: "values"
        }
    }
}

/// Throws where a target of the rows is present but not allowed, naming row and column.
func checkTargets(
    _ values: Floats, classes: Int, rows: UnsafePointer<Int64>, count: Int, expected: String,
    isAllowed: (Float) -> Bool
) throws(DeepMotifError) {
    for i in 0..<count {
        let row = values + Int(rows[i]) * classes
        for c in 0..<classes where !row[c].isNaN && !isAllowed(row[c]) {
            throw .invalidArgument("targets must be \(expected); got \(row[c]) in row \(rows[i]), column \(c)")
        }
    }
}
