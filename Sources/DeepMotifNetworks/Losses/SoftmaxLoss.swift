// SoftmaxLoss: negative log-likelihood of class labels. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// -log softmax(scores)[label], weighted by the label's class as in PyTorch.
struct SoftmaxLoss: RowLoss, @unchecked Sendable {
    /// (N,) class indices.
    let labels: UnsafePointer<Int32>
    /// (C,) or nil for ones.
    let classWeights: Floats?
    let classes: Int

    func validate(rows: UnsafePointer<Int64>, count: Int) throws(DeepMotifError) {
        for i in 0..<count {
            let label = labels[Int(rows[i])]
            guard label >= 0, label < classes else {
                throw .invalidArgument("labels must be in 0 ..< \(classes); got \(label) in row \(rows[i])")
            }
        }
    }

    func weight(row: Int) -> Double {
        classWeights.map { Double($0[Int(labels[row])]) } ?? 1
    }

    func evaluate(row: Int, scores: Floats, scale: Double, gradient: MutableFloats) -> Double {
        let label = Int(labels[row])
        let weight = weight(row: row)
        let top = logSumExp(scores, classes)
        let loss = weight * (top - Double(scores[label]))
        for c in 0..<classes {
            let probability = exp(Double(scores[c]) - top)
            gradient[c] = Float(scale * weight * (probability - (c == label ? 1 : 0)))
        }
        return loss
    }
}
