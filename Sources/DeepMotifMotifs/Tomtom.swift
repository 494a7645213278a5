// Tomtom: how similar motifs are, with p-values. Motifs room.
//
// Gupta et al. 2007 (column scores, p-values by dynamic programming over the scores of all target columns) and Tanaka
// et al. 2011 (complete scores: unaligned query columns score the median of their column). The distances, the 100
// score steps and the handling of ties are those of MEME Suite's program.

import DeepMotifCore

/// How two columns are compared; more is more similar.
package enum TomtomDistance: Int32, CaseIterable, Sendable {
    case pearson = 0
    case euclidean = 1
    case kullback = 2
    case sandelin = 3
    case allr = 4
    case blic1 = 5
    case blic5 = 6

    /// Whether a probability of 0 has no score.
    var needsPositive: Bool { self == .kullback || self == .allr }
}

/// What a comparison is to be.
package struct TomtomOptions: Sendable {
    package var distance = TomtomDistance.pearson
    /// Unaligned query columns count (Tanaka et al. 2011); otherwise only the overlap does.
    package var completeScores = true
    /// Targets are compared in both orientations.
    package var reverseComplement = true
    /// Narrower overlaps are not looked at, down to the width of the narrower motif.
    package var minimumOverlap = 1
    /// Total pseudocount, spread by the background.
    package var pseudocount = 0.1
    package var background = [0.25, 0.25, 0.25, 0.25]

    package init() {}

    package func validate() throws(DeepMotifError) {
        guard minimumOverlap >= 1 else {
            throw .invalidArgument("min_overlap must be at least 1; got \(minimumOverlap)")
        }
        guard pseudocount.isFinite, pseudocount >= 0 else {
            throw .invalidArgument("pseudocount must be at least 0; got \(pseudocount)")
        }
        for value in background where !(value.isFinite && value > 0) {
            throw .invalidArgument("background must be positive; got \(value)")
        }
        let sum = background.reduce(0, +)
        guard background.count == letterCount, abs(sum - 1) <= 1e-6 else {
            throw .invalidArgument("background must be 4 values of sum 1; got sum \(sum)")
        }
    }
}

/// Motifs one after the other: columns (sum of widths, 4), with widths and numbers of sites.
package struct MotifColumns: @unchecked Sendable {
    let probabilities: UnsafePointer<Double>
    let widths: [Int]
    let sites: [Double]

    /// Scores of an overlap are kept in 16 bits.
    package static let maximumWidth = 500

    /// `name` is what the caller calls these motifs.
    package init(
        probabilities: UnsafePointer<Double>, widths: UnsafePointer<Int64>, sites: UnsafePointer<Double>, count: Int,
        name: String
    ) throws(DeepMotifError) {
        self.probabilities = probabilities
        self.widths = (0..<count).map { Int(truncatingIfNeeded: widths[$0]) }
        self.sites = (0..<count).map { sites[$0] }
        var column = 0
        for i in 0..<count {
            guard self.widths[i] >= 1, self.widths[i] <= MotifColumns.maximumWidth else {
                throw .invalidArgument(
                    "\(name)[\(i)] must have 1 ... \(MotifColumns.maximumWidth) positions; got \(self.widths[i])")
            }
            guard self.sites[i] > 0, self.sites[i] <= 1e12 else {
                throw .invalidArgument("\(name)[\(i)] must have a positive number of sites; got \(self.sites[i])")
            }
            for k in 0..<(self.widths[i] * letterCount) {
                let value = probabilities[column * letterCount + k]
                guard value >= 0, value <= 1.01 else {
                    throw .invalidArgument(
                        "\(name)[\(i)] must hold probabilities; got \(value) at position \(k / letterCount)")
                }
            }
            column += self.widths[i]
        }
    }
}

/// The caller's arrays (Q, T); row q belongs to query q.
package struct TomtomResults: @unchecked Sendable {
    package let pValues: UnsafeMutablePointer<Double>
    package let qValues: UnsafeMutablePointer<Double>
    package let offsets: UnsafeMutablePointer<Int32>
    package let overlaps: UnsafeMutablePointer<Int32>
    /// 1 where the target's reverse complement is the better match.
    package let reversed: UnsafeMutablePointer<UInt8>
    /// Targets of a query, best first.
    package let order: UnsafeMutablePointer<Int64>

    package init(
        pValues: UnsafeMutablePointer<Double>, qValues: UnsafeMutablePointer<Double>,
        offsets: UnsafeMutablePointer<Int32>, overlaps: UnsafeMutablePointer<Int32>,
        reversed: UnsafeMutablePointer<UInt8>, order: UnsafeMutablePointer<Int64>
    ) {
        self.pValues = pValues
        self.qValues = qValues
        self.offsets = offsets
        self.overlaps = overlaps
        self.reversed = reversed
        self.order = order
    }
}

package enum Tomtom {
    /// Compares every query with every target.
    package static func compare(
        queries: MotifColumns, targets: MotifColumns, options: TomtomOptions, threads: Int, results: TomtomResults
    ) throws(DeepMotifError) {
        try options.validate()
        let count = targets.widths.count
        guard count > 0 else { throw .invalidArgument("targets must hold at least one motif") }
        let queryCount = queries.widths.count
        guard queryCount > 0 else { return }
        let querySide = try TomtomColumns(queries, options: options, reversed: false, name: "queries")
        let targetSide = try TomtomColumns(
            targets, options: options, reversed: options.reverseComplement, name: "targets")
        let widest = queries.widths.max() ?? 0
        var workers: [TomtomWorker] = []
        for _ in 0..<max(1, min(threads, queryCount)) {
            workers.append(try TomtomWorker(targets: targetSide, widest: widest, options: options))
        }
        let pool = workers
        parallelFor(chunks: queryCount, threads: threads) { query, worker in
            pool[worker].compare(query: query, of: querySide)
            pool[worker].write(row: query, of: results)
        }
    }
}
