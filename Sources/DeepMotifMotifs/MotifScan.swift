// MotifScan: log-odds scores of every window. Motifs room.

import DeepMotifCore
import DeepMotifSequences

/// A log-odds matrix (K, 4), checked: finite or -infinity.
package struct LogOdds: Sendable {
    package let width: Int
    /// (K, 4) by positions.
    package let values: [Double]

    /// Widths above this are no motifs but mistakes; it also bounds the work of one p-value.
    package static let maximumWidth = 1000

    package init(_ values: UnsafePointer<Double>, width: Int) throws(DeepMotifError) {
        guard width >= 1, width <= LogOdds.maximumWidth else {
            throw .invalidArgument("width must be in 1 ... \(LogOdds.maximumWidth); got \(width)")
        }
        self.width = width
        self.values = Array(UnsafeBufferPointer(start: values, count: width * letterCount))
        for (i, value) in self.values.enumerated() {
            guard value.isFinite || value == -.infinity else {
                throw .invalidArgument(
                    "log_odds must be finite or -infinity; got \(value) at position \(i / letterCount), "
                        + "letter \(i % letterCount)")
            }
        }
    }

    /// Log-odds of the four letters at a position.
    package func row(_ position: Int) -> [Double] {
        Array(values[(position * letterCount)..<((position + 1) * letterCount)])
    }

    /// Scores (N, L - K + 1) of codes that were validated; windows with an unknown letter get -infinity.
    package func scores(
        codes: UnsafePointer<UInt8>, count: Int, length: Int, threads: Int, scores: UnsafeMutablePointer<Double>
    ) throws(DeepMotifError) {
        guard width <= length else {
            throw .shape("sequences must be at least as long as the motif, \(width) positions; got \(length)")
        }
        let windows = length - width + 1
        // A fifth column makes unknown letters -infinity without a branch in the loop.
        let table = try Buffer<Double>(count: width * (letterCount + 1))
        for k in 0..<width {
            for letter in 0..<letterCount { table.pointer[k * 5 + letter] = values[k * letterCount + letter] }
            table.pointer[k * 5 + letterCount] = -.infinity
        }
        let source = Sendables(codes: codes, scores: scores)
        let width = width
        parallelFor(chunks: count, threads: threads) { row, _ in
            let letters = source.codes + row * length
            let result = source.scores + row * windows
            for start in 0..<windows {
                var sum = 0.0
                for k in 0..<width { sum += table.pointer[k &* 5 &+ Int(letters[start &+ k])] }
                result[start] = sum
            }
        }
    }
}

/// The caller's pointers, handed to threads that touch disjoint rows.
private struct Sendables: @unchecked Sendable {
    let codes: UnsafePointer<UInt8>
    let scores: UnsafeMutablePointer<Double>
}
