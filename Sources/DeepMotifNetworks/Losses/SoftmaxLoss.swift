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
package struct SoftmaxLoss: Loss, @unchecked Sendable {
    /// (N,) class indices.
    package let labels: UnsafePointer<Int32>
    /// (C,) or nil for ones.
    package let classWeights: Floats?

    package init(labels: UnsafePointer<Int32>, classWeights: Floats?) {
        self.labels = labels
        self.classWeights = classWeights
    }

    package func validate(rows: UnsafePointer<Int64>, count: Int, classes: Int) throws(DeepMotifError) {
        if let classWeights {
            for c in 0..<classes where !(classWeights[c] >= 0 && classWeights[c].isFinite) {
                throw .invalidArgument("class weights must be finite and not negative; got \(classWeights[c]) at \(c)")
            }
        }
        for i in 0..<count {
            let label = labels[Int(rows[i])]
            guard label >= 0, label < classes else {
                throw .invalidArgument("labels must be in 0 ..< \(classes); got \(label) in row \(rows[i])")
            }
        }
    }

    package func weight(row: Int) -> Double {
        classWeights.map { Double($0[Int(labels[row])]) } ?? 1
    }

    package func evaluate(
        row: Int, scores: Floats, classes: Int, scale: Double, gradient: MutableFloats
    ) -> Double {
        let label = Int(labels[row])
        let weight = weight(row: row)
        let top = logSumExp(scores, classes)
        for c in 0..<classes {
            let probability = exp(Double(scores[c]) - top)
            gradient[c] = Float(scale * weight * (probability - (c == label ? 1 : 0)))
        }
        return weight * (top - Double(scores[label]))
    }
}
