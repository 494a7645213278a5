// SigmoidLoss: cross-entropy of independent labels. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The flag of a label that is not known.
let missingFlag: UInt8 = 255

/// -(w t log sigmoid(s) + (1 - t) log(1 - sigmoid(s))) of every target t that is present; PyTorch's BCEWithLogitsLoss
/// with its positive weights w.
struct SigmoidLoss: RowLoss, @unchecked Sendable {
    /// (N, C) 0, 1 or 255, where the targets are flags.
    let flags: UnsafePointer<UInt8>?
    /// (N, C) in [0, 1] or NaN, where they are values.
    let values: Floats?
    /// (C,) or nil for ones.
    let positiveWeights: Floats?
    let classes: Int

    init(
        flags: UnsafePointer<UInt8>? = nil, values: Floats? = nil, positiveWeights: Floats?, classes: Int
    ) {
        self.flags = flags
        self.values = values
        self.positiveWeights = positiveWeights
        self.classes = classes
    }

    func validate(rows: UnsafePointer<Int64>, count: Int) throws(DeepMotifError) {
        if let values {
            try checkTargets(values, classes: classes, rows: rows, count: count, expected: "in [0, 1] or NaN") {
                $0 >= 0 && $0 <= 1
            }
        }
        guard let flags else { return }
        for i in 0..<count {
            let row = flags + Int(rows[i]) * classes
            for c in 0..<classes where row[c] > 1 && row[c] != missingFlag {
                throw .invalidArgument(
                    "targets must be 0, 1 or 255 (missing); got \(row[c]) in row \(rows[i]), column \(c)")
            }
        }
    }

    /// The target, NaN where it is missing.
    private func target(_ index: Int) -> Double {
        if let flags { return flags[index] == missingFlag ? .nan : Double(flags[index]) }
        return values.map { Double($0[index]) } ?? .nan
    }

    func weight(row: Int) -> Double {
        var present = 0
        for c in 0..<classes where !target(row * classes + c).isNaN { present += 1 }
        return Double(present)
    }

    /// With e = exp(-|s|), log sigmoid(s) = min(s, 0) - log(1 + e): nothing overflows and small losses keep their digits.
    func evaluate(row: Int, scores: Floats, scale: Double, gradient: MutableFloats) -> Double {
        var loss = 0.0
        for c in 0..<classes {
            let target = target(row * classes + c)
            guard !target.isNaN else {
                gradient[c] = 0
                continue
            }
            let score = Double(scores[c])
            let weight = positiveWeights.map { Double($0[c]) } ?? 1
            let e = exp(-abs(score))
            let softplus = log1p(e)
            // log(1 + exp(-s)) and log(1 + exp(s)).
            let (positive, negative) = (max(-score, 0) + softplus, max(score, 0) + softplus)
            loss += weight * target * positive + (1 - target) * negative
            let probability = score >= 0 ? 1 / (1 + e) : e / (1 + e)
            let complement = score >= 0 ? e / (1 + e) : 1 / (1 + e)
            gradient[c] = Float(scale * ((1 - target) * probability - weight * target * complement))
        }
        return loss
    }
}
