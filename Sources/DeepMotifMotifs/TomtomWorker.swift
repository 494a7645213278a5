// TomtomWorker: one query against all targets, with memory that serves one query after the other. Motifs room.
//
// Scores are whole numbers: of one column pair 0 ... 100 steps, of an overlap their sum. For complete scores the
// median of every query column, the score of leaving it unaligned, is moved to 0, which the steps count as `zero`:
// the score of an alignment is then the sum over its overlap of (steps - zero).

import DeepMotifCore

final class TomtomWorker: @unchecked Sendable {
    private let targets: TomtomColumns
    private let options: TomtomOptions
    private let copies: Int

    /// Column scores (K, columns) of the query.
    private let raw: Buffer<Double>
    /// The same in steps: (columns, stride), query columns from last to first and then zeros.
    private let steps: Buffer<UInt16>
    private let select: RankSelector
    private let spans: SpanTails
    private let diagonals: Buffer<UInt16>

    private var width = 0
    private var stride = 0
    /// Steps of the score 0 of a column pair.
    private var zero = 0
    private var best: [Alignment] = []

    static let levels = 100

    /// An alignment of the query with one target in one orientation.
    private struct Alignment {
        var score = 0
        var overlap = 0
        var offset = 0
        var pValue = 2.0
    }

    init(targets: TomtomColumns, widest: Int, options: TomtomOptions) throws(DeepMotifError) {
        self.targets = targets
        self.options = options
        copies = options.reverseComplement ? 2 : 1
        raw = try Buffer(count: widest * targets.count)
        steps = try Buffer(count: TomtomWorker.padded(widest) * targets.count)
        select = try RankSelector(count: targets.count)
        spans = try SpanTails(widest: widest, targetWidths: targets.widths)
        diagonals = try Buffer(count: TomtomWorker.padded(widest) + (targets.widths.max() ?? 0))
        best = Array(repeating: Alignment(), count: targets.widths.count)
    }

    /// Query columns in memory: whole vectors of 8.
    private static func padded(_ width: Int) -> Int { (width + 7) / 8 * 8 }

    /// Finds the best alignment of each target in each orientation, and its p-value.
    func compare(query: Int, of queries: TomtomColumns) {
        width = queries.widths[query]
        stride = TomtomWorker.padded(width)
        for k in 0..<width {
            targets.scores(
                column: queries.starts[query] + k, of: queries, options: options,
                scores: raw.pointer + k * targets.count)
        }
        quantise()
        spans.prepare(width: width)
        for target in targets.widths.indices { align(target) }
    }

    // MARK: Steps

    /// Moves the medians to 0 (complete scores) and rounds to steps.
    private func quantise() {
        let count = targets.count
        var shifts = [Double](repeating: 0, count: width)
        var lowest = Double.infinity
        var highest = -Double.infinity
        for k in 0..<width {
            let row = raw.pointer + k * count
            let (least, most) = extremes(row, count)
            if options.completeScores {
                // The lower of the two middle ranks, as MEME Suite counts them.
                let first = max(count / 2 - 1, 0)
                let second = max((count + 1) / 2 - 1, first)
                shifts[k] = select.meanOfRanks(first, second, of: row, least: least, most: most)
            }
            lowest = min(lowest, least - shifts[k])
            highest = max(highest, most - shifts[k])
        }
        if lowest == highest { lowest = highest - 1 }
        let grid = StepGrid(lowest: lowest, highest: highest, levels: TomtomWorker.levels)
        zero = options.completeScores ? grid.zero : 0
        for k in 0..<width {
            store(row: k, shift: shifts[k], grid: grid)
        }
        for k in width..<stride {
            for i in 0..<count { steps.pointer[i * stride + k] = 0 }
        }
    }

    private func store(row k: Int, shift: Double, grid: StepGrid) {
        let count = targets.count
        let row = raw.pointer + k * count
        let column = steps.pointer + (width - 1 - k)
        let counts = spans.counts(of: k)
        for i in 0..<(TomtomWorker.levels + 1) { counts[i] = 0 }
        for i in 0..<count {
            let level = grid.level(row[i] - shift)
            column[i &* stride] = UInt16(truncatingIfNeeded: level)
            counts[level] += 1
        }
    }

    private func extremes(_ row: UnsafePointer<Double>, _ count: Int) -> (Double, Double) {
        var least = SIMD4<Double>(repeating: row[0])
        var most = least
        var i = 0
        while i + 4 <= count {
            let values = SIMD4(row[i], row[i + 1], row[i + 2], row[i + 3])
            least.replace(with: values, where: values .< least)
            most.replace(with: values, where: values .> most)
            i += 4
        }
        var (low, high) = (least.min(), most.max())
        while i < count {
            low = min(low, row[i])
            high = max(high, row[i])
            i += 1
        }
        return (low, high)
    }

    // MARK: Alignments

    /// Overlap number d (0 ... K + w - 2) has the query's first column on target column d - K + 1.
    private func align(_ target: Int) {
        let w = targets.widths[target]
        let sums = diagonals.pointer
        for i in 0..<(w + stride) { sums[i] = 0 }
        var column = steps.pointer + targets.starts[target] * stride
        for t in 0..<w {
            let diagonal = sums + t
            for i in 0..<stride { diagonal[i] &+= column[i] }
            column += stride
        }
        let narrowest = min(options.minimumOverlap, width, w)
        var found = Alignment()
        for d in (narrowest - 1)..<(width + w - narrowest) {
            let overlap = d < width ? min(d + 1, w) : min(width, w + width - 1 - d)
            let first = max(width - 1 - d, 0)
            let score = Int(sums[d]) - overlap * zero
            if options.completeScores {
                guard found.overlap == 0 || score > found.score || (score == found.score && overlap > found.overlap)
                else { continue }
                found = Alignment(score: score, overlap: overlap, offset: d + 1 - width)
            } else {
                let p = spans.tail(from: first, count: overlap, steps: score)
                guard p < found.pValue || (p == found.pValue && overlap > found.overlap) else { continue }
                found = Alignment(score: score, overlap: overlap, offset: d + 1 - width, pValue: p)
            }
        }
        found.pValue =
            options.completeScores
            ? bestOfAll(score: found.score, targetWidth: w)
            : atLeastOnce(found.pValue, tries: copies * (width + w - 2 * narrowest + 1))
        best[target] = found
    }

    /// Probability that the best alignment with a target of this width, in any orientation, scores at least `score`,
    /// the alignments taken as independent. The chance of any of several events is built up by p + q - pq, which keeps
    /// small probabilities to full precision.
    private func bestOfAll(score: Int, targetWidth w: Int) -> Double {
        var any = 0.0
        for d in 0..<(width + w - 1) {
            let overlap = d < width ? min(d + 1, w) : min(width, w + width - 1 - d)
            let first = max(width - 1 - d, 0)
            let p = spans.tail(from: first, count: overlap, steps: score + overlap * zero)
            for _ in 0..<copies { any += p * (1 - any) }
        }
        return any
    }

    private func atLeastOnce(_ p: Double, tries: Int) -> Double {
        var any = 0.0
        for _ in 0..<tries { any += p * (1 - any) }
        return any
    }

    // MARK: Results

    /// The better orientation of every target, q-values (Benjamini and Hochberg 1995) and the order.
    func write(row: Int, of results: TomtomResults) {
        let count = best.count / copies
        let base = row * count
        for target in 0..<count {
            var chosen = best[target * copies]
            results.reversed[base + target] = 0
            if copies == 2, isBetter(best[target * 2 + 1], than: chosen) {
                chosen = best[target * 2 + 1]
                results.reversed[base + target] = 1
            }
            results.pValues[base + target] = min(chosen.pValue, 1)
            results.offsets[base + target] = Int32(truncatingIfNeeded: chosen.offset)
            results.overlaps[base + target] = Int32(truncatingIfNeeded: chosen.overlap)
        }
        let p = results.pValues + base
        let order = (0..<count).sorted { a, b in
            if p[a] != p[b] { return p[a] < p[b] }
            let (left, right) = (results.overlaps[base + a], results.overlaps[base + b])
            if left != right { return left > right }
            let (s, t) = (results.reversed[base + a], results.reversed[base + b])
            return s != t ? s < t : a < b
        }
        var least = 1.0
        for rank in Swift.stride(from: count - 1, through: 0, by: -1) {
            let target = order[rank]
            least = min(least, p[target] * Double(count) / Double(rank + 1))
            results.qValues[base + target] = least
            results.order[base + rank] = Int64(target)
        }
    }

    /// Ties are judged at single precision, as MEME Suite does: p-values near 1 differ in their last digits only.
    private func isBetter(_ a: Alignment, than b: Alignment) -> Bool {
        let (p, q) = (Float(a.pValue), Float(b.pValue))
        return p < q || (p == q && a.overlap > b.overlap)
    }
}

/// Rounds column scores to 0 ... levels steps such that the score 0 is a whole number of steps.
package struct StepGrid {
    private let offset: Double
    private let scale: Double
    private let levels: Double
    package let zero: Int

    package init(lowest: Double, highest: Double, levels: Int) {
        let whole = (Double(levels) / (highest - lowest.rounded(.down))).rounded(.down)
        if whole >= 1 {
            offset = lowest.rounded(.down)
            scale = whole
        } else {
            // A range above `levels`, where a whole number of steps a unit would be none.
            let step = (highest - lowest) / Double(levels - 1)
            offset = (lowest / step).rounded(.down) * step
            scale = 1 / step
        }
        zero = Int((-offset * scale).rounded())
        self.levels = Double(levels)
    }

    /// The nearest step, halves upwards.
    @inline(__always)
    package func level(_ score: Double) -> Int {
        let steps = (score - offset) * scale + 0.5
        // Written so that NaN, too, ends inside: the conversion must not trap.
        return Int(steps > 0 ? (steps < levels ? steps : levels) : 0)
    }
}
