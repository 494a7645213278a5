// MotifScanner: hits of many motifs in long sequences. Motifs room.
//
// Sequences come in pieces. A window is first looked up: six letters at a time index a table of how far they keep the
// window below the best score, in whole steps rounded down, both strands in one word. What may be a hit is then scored
// exactly, and gets its p-value when all pieces have been seen.

import DeepMotifCore
import DeepMotifSequences

/// A window that scores high enough.
package struct MotifHit: Sendable {
    package var sequence: Int64
    package var start: Int64
    package var score: Double
    package var pValue = 1.0
    package var qValue = 1.0
    package var reversed: Bool
}

package final class MotifScanner: @unchecked Sendable {
    /// Matrices on the given strand and, where both are scanned, of the reverse complements.
    let forward: [LogOdds]
    let reverse: [LogOdds]
    let background: [Double]
    let pValue: Double
    /// Scores below these have p-values above the threshold.
    private var floors: [SIMD2<Double>]
    /// Candidates of each motif, in order of sequence, start and strand; hits once their p-values are known.
    package private(set) var hits: [[MotifHit]]
    /// Windows without unknown letters, by width.
    private var windows: [Int: Int]

    /// Window starts of one task.
    static let span = 1 << 17
    /// Motifs of one task.
    static let group = 32

    package init(
        forward: [LogOdds], reverse: [LogOdds], background: UnsafePointer<Double>, pValue: Double, threads: Int
    ) throws(DeepMotifError) {
        guard pValue > 0, pValue <= 1 else {
            throw .invalidArgument("p_value must be above 0 and at most 1; got \(pValue)")
        }
        self.forward = forward
        self.reverse = reverse
        self.background = try ScoreDistribution.checked(background)
        self.pValue = pValue
        hits = Array(repeating: [], count: forward.count)
        windows = Dictionary(forward.map { ($0.width, 0) }, uniquingKeysWith: { a, _ in a })
        floors = []
        let found = try Buffer<SIMD2<Double>>(count: forward.count)
        let shared = Shared(floors: found.pointer)
        let letters = self.background
        parallelFor(chunks: forward.count, threads: threads) { motif, _ in
            let least = forward[motif].floor(pValue: pValue, background: letters)
            // No score is above infinity: a strand that is not scanned.
            let other = reverse.isEmpty ? .infinity : reverse[motif].floor(pValue: pValue, background: letters)
            shared.floors[motif] = SIMD2(least, other)
        }
        floors = (0..<forward.count).map { found.pointer[$0] }
    }

    private struct Shared: @unchecked Sendable {
        let floors: UnsafeMutablePointer<SIMD2<Double>>
    }

    /// The widest motif.
    package var widest: Int { forward.reduce(0) { max($0, $1.width) } }

    // MARK: Windows

    /// Looks at the windows that start at positions 0 ..< starts of each sequence. `firstSequence` and `firstPosition`
    /// are the place of the piece in the whole; pieces come in order.
    package func scan(
        _ piece: SequencePiece, firstSequence: Int64, firstPosition: Int64, threads: Int
    ) throws(DeepMotifError) {
        let spans = piece.spans(of: MotifScanner.span, overlap: widest - 1)
        let groups = (forward.count + MotifScanner.group - 1) / MotifScanner.group
        var workers: [ScanWorker] = []
        for _ in 0..<max(1, min(threads, spans.count * groups)) {
            workers.append(try ScanWorker(capacity: spans.reduce(0) { max($0, $1.letters) }))
        }
        let slots = try Buffer<Unmanaged<Found>?>(count: spans.count * groups)
        let shared = Slots(slots: slots.pointer, workers: workers)
        parallelFor(chunks: spans.count * groups, threads: threads) { task, worker in
            let found = Found()
            let scratch = shared.workers[worker]
            scratch.index(spans[task / groups])
            for motif in chunkRange(task % groups, of: groups, count: self.forward.count) {
                found.hits.append((motif, self.candidates(motif, scratch)))
            }
            shared.slots[task] = Unmanaged.passRetained(found)
        }
        for task in 0..<(spans.count * groups) {
            guard let found = slots.pointer[task]?.takeRetainedValue() else { continue }
            for (motif, list) in found.hits {
                for var hit in list {
                    hit.sequence += firstSequence
                    hit.start += firstPosition
                    hits[motif].append(hit)
                }
            }
        }
        for width in windows.keys { windows[width, default: 0] += piece.knownWindows(width: width) }
    }

    private final class Found {
        var hits: [(motif: Int, hits: [MotifHit])] = []
    }

    private struct Slots: @unchecked Sendable {
        let slots: UnsafeMutablePointer<Unmanaged<Found>?>
        let workers: [ScanWorker]
    }

    private func candidates(_ motif: Int, _ worker: ScanWorker) -> [MotifHit] {
        let strands = reverse.isEmpty ? [forward[motif]] : [forward[motif], reverse[motif]]
        return worker.candidates(strands, floors: floors[motif])
    }

    // MARK: P-values

    /// Gives the hits of these motifs their p-values and q-values (Benjamini and Hochberg 1995, over the windows of a
    /// motif) and drops those above the threshold.
    package func finish(motifs: Range<Int>, threads: Int) throws(DeepMotifError) {
        let lists = try Buffer<Unmanaged<Found>?>(count: motifs.count)
        let shared = Slots(slots: lists.pointer, workers: [])
        parallelFor(chunks: motifs.count, threads: threads) { index, _ in
            let motif = motifs.lowerBound + index
            let found = Found()
            if let list = try? self.finished(motif) { found.hits.append((motif, list)) }
            shared.slots[index] = Unmanaged.passRetained(found)
        }
        var complete = true
        for index in 0..<motifs.count {
            guard let list = lists.pointer[index]?.takeRetainedValue().hits.first else {
                complete = false
                continue
            }
            hits[list.motif] = list.hits
        }
        // The distribution of a checked matrix can fail for want of memory only.
        guard complete else { throw .memory(bytes: MemoryLayout<MotifHit>.stride * hits.count) }
    }

    private func finished(_ motif: Int) throws(DeepMotifError) -> [MotifHit] {
        var list = hits[motif]
        guard !list.isEmpty else { return list }
        let symmetric = background[0] == background[3] && background[1] == background[2]
        var distributions = [try distribution(forward[motif], floor: floors[motif][0])]
        if !reverse.isEmpty, !symmetric {
            distributions.append(try distribution(reverse[motif], floor: floors[motif][1]))
        }
        for strand in distributions.indices {
            var last = (score: Double.nan, pValue: 1.0)
            let mine = list.indices.filter { distributions.count == 1 || list[$0].reversed == (strand == 1) }
            for i in mine.sorted(by: { list[$0].score < list[$1].score }) {
                if list[i].score != last.score {
                    last = (list[i].score, distributions[strand].pValue(list[i].score))
                }
                list[i].pValue = last.pValue
            }
        }
        list.removeAll { $0.pValue > pValue }
        let strands = reverse.isEmpty ? 1.0 : 2.0
        setQValues(&list, tests: Double(windows[forward[motif].width] ?? 0) * strands)
        return list
    }

    private func distribution(_ matrix: LogOdds, floor: Double) throws(DeepMotifError) -> ScoreDistribution {
        try background.withUnsafeBufferPointer { letters throws(DeepMotifError) in
            guard let letters = letters.baseAddress else { throw .invalidArgument("background must not be empty") }
            return try ScoreDistribution(matrix, background: letters, minimum: floor)
        }
    }

    private func setQValues(_ list: inout [MotifHit], tests: Double) {
        var least = 1.0
        let order = list.indices.sorted { list[$0].pValue < list[$1].pValue }
        for (rank, i) in order.enumerated().reversed() {
            least = min(least, list[i].pValue * tests / Double(rank + 1))
            list[i].qValue = least
        }
    }
}

extension LogOdds {
    /// A score with P(S >= score) above `pValue`, as high as it can be told cheaply: the distribution of the distance
    /// from the best score, rounded up to a coarse grid.
    func floor(pValue: Double, background: [Double]) -> Double {
        let rows = (0..<width).map { row($0) }
        let best = rows.reduce(0) { $0 + ($1.max() ?? 0) }
        guard pValue < 1, best.isFinite else { return -.infinity }
        var range = 0.0
        for row in rows { range += (row.max() ?? 0) - (row.filter(\.isFinite).min() ?? 0) }
        let unit = max(1.0 / 32, range / 8192)
        var now = [1.0]
        for row in rows {
            let most = row.max() ?? 0
            let shifts = row.map { $0.isFinite ? Int(((most - $0) / unit).rounded(.up)) : -1 }
            var next = [Double](repeating: 0, count: now.count + (shifts.max() ?? 0))
            for letter in 0..<letterCount where shifts[letter] >= 0 {
                for i in now.indices { next[i + shifts[letter]] += now[i] * background[letter] }
            }
            now = next
        }
        var sum = 0.0
        for (distance, probability) in now.enumerated() {
            sum += probability
            // A margin for the rounding of both sums.
            if sum > pValue * (1 + 1e-9) { return best - Double(distance + 1) * unit }
        }
        return -.infinity
    }
}
