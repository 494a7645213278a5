// ScanWorker: finds the windows of a span that may be hits. Motifs room.

import DeepMotifCore

/// Memory of one thread, used for one span after the other.
final class ScanWorker: @unchecked Sendable {
    /// Letters that one look-up covers.
    static let letters = 6
    private static let entries = 1 << (2 * letters)

    /// Index of the letters p ..< p + 6 at every position p, unknown ones counted as A.
    private let indices: Buffer<UInt16>
    private let passed: Buffer<Int32>
    private var tables: Buffer<UInt32>
    private var span: SequencePiece.Span?

    init(capacity: Int) throws(DeepMotifError) {
        indices = try Buffer(count: capacity + LogOdds.maximumWidth + ScanWorker.letters)
        passed = try Buffer(count: capacity + 1)
        tables = try Buffer(count: ((LogOdds.maximumWidth + 5) / ScanWorker.letters) * ScanWorker.entries)
    }

    /// Prepares the look-up of a span.
    func index(_ span: SequencePiece.Span) {
        self.span = span
        for p in span.letters..<indices.count { indices.pointer[p] = 0 }
        var index: UInt32 = 0
        for p in stride(from: span.letters - 1, through: 0, by: -1) {
            let letter = span.codes[p] > 3 ? 0 : span.codes[p]
            index = (index &>> 2) | (UInt32(letter) &<< UInt32(2 * (ScanWorker.letters - 1)))
            indices.pointer[p] = UInt16(truncatingIfNeeded: index)
        }
    }

    /// Windows of the span whose exact score reaches the floor of its strand.
    func candidates(_ strands: [LogOdds], floors: SIMD2<Double>) -> [MotifHit] {
        guard let span, let width = strands.first?.width, width <= span.length else { return [] }
        let table = ShortfallTable(strands, floors: floors, tables: tables.pointer)
        var hits: [MotifHit] = []
        let starts = min(span.starts, span.length - width + 1)
        for row in 0..<span.sequences {
            let first = row * span.length
            let found = table.find(indices.pointer + first, count: starts, passed: passed.pointer)
            for i in 0..<found {
                let start = Int(passed.pointer[i])
                let letters = span.codes + first + start
                for (strand, matrix) in strands.enumerated() {
                    guard let score = matrix.score(letters), score >= floors[strand] else { continue }
                    hits.append(
                        MotifHit(
                            sequence: Int64(span.firstSequence + row), start: Int64(span.firstStart + start),
                            score: score, reversed: strand == 1))
                }
            }
        }
        return hits
    }
}

extension LogOdds {
    /// The score of a window, nil where it has an unknown letter.
    fileprivate func score(_ letters: UnsafePointer<UInt8>) -> Double? {
        values.withUnsafeBufferPointer { values in
            var sum = 0.0
            for k in 0..<width {
                let letter = Int(letters[k])
                guard letter < letterCount else { return nil }
                sum += values[k &* letterCount &+ letter]
            }
            return sum
        }
    }
}

/// How far six letters keep a window below the best score, in steps rounded down, the strands in 16 bits each. Windows
/// that fall short by more than the allowed number of steps are no hits.
struct ShortfallTable {
    private let tables: UnsafeMutablePointer<UInt32>
    private let count: Int
    private let bias: UInt32

    private static let entries = 1 << (2 * ScanWorker.letters)
    /// The top bit of each half: set where the strand's window falls too short.
    private static let tooShort: UInt32 = 0x8000_8000

    init(_ strands: [LogOdds], floors: SIMD2<Double>, tables: UnsafeMutablePointer<UInt32>) {
        let width = strands[0].width
        self.tables = tables
        count = (width + ScanWorker.letters - 1) / ScanWorker.letters
        // The sum of all tables stays below 2^15.
        let allowed = min(4000, 32000 / count - 1)
        bias = UInt32(0x7FFF - allowed) &* 0x0001_0001
        var columns = [SIMD4<UInt32>](repeating: .zero, count: width)
        for strand in 0..<2 {
            let matrix = strand < strands.count ? strands[strand] : nil
            ShortfallTable.add(matrix, floor: floors[strand], allowed: allowed, strand: strand, to: &columns)
        }
        let limit = UInt32(allowed + 1)
        for part in 0..<count {
            let first = part * ScanWorker.letters
            let own = columns[first..<min(first + ScanWorker.letters, width)]
            ShortfallTable.fill(tables + part * ShortfallTable.entries, Array(own), limit: limit)
        }
    }

    /// Writes the steps of one strand's letters into its half; nil: a strand that has no hits.
    private static func add(
        _ matrix: LogOdds?, floor: Double, allowed: Int, strand: Int, to columns: inout [SIMD4<UInt32>]
    ) {
        let rows = matrix.map { matrix in (0..<matrix.width).map { matrix.row($0) } } ?? []
        let best = rows.reduce(0) { $0 + ($1.max() ?? 0) }
        // A little less than the exact scale, so that no rounding error drops a window at the floor.
        let scale = floor == -.infinity ? 0 : Double(allowed) / max(best - floor, 1e-6) * (1 - 1e-9)
        for k in columns.indices {
            for letter in 0..<letterCount {
                var steps = Double(allowed + 1)
                if k < rows.count, scale > 0 { steps = ((rows[k].max() ?? 0) - rows[k][letter]) * scale }
                if k < rows.count, scale == 0 { steps = 0 }
                let whole = steps < Double(allowed + 1) ? UInt32(steps) : UInt32(allowed + 1)
                columns[k][letter] |= whole &<< UInt32(16 * strand)
            }
        }
    }

    /// Sums of up to six columns for all their letters, the first letter in the highest bits; each half limited.
    private static func fill(_ table: UnsafeMutablePointer<UInt32>, _ columns: [SIMD4<UInt32>], limit: UInt32) {
        table[0] = 0
        var size = 1
        // Positions beyond the motif do not matter: their letters come last and change nothing.
        let padding = [SIMD4<UInt32>](repeating: .zero, count: ScanWorker.letters - columns.count)
        for column in (columns + padding) {
            for prefix in stride(from: size - 1, through: 0, by: -1) {
                let sum = table[prefix]
                for letter in stride(from: letterCount - 1, through: 0, by: -1) {
                    let both = sum &+ column[letter]
                    let low = min(both & 0xFFFF, limit)
                    let high = min(both &>> 16, limit)
                    table[prefix &* letterCount &+ letter] = (high &<< 16) | low
                }
            }
            size *= letterCount
        }
    }

    /// Starts, among the first `count`, of windows that may reach the floor on either strand; returns their number.
    func find(_ indices: UnsafePointer<UInt16>, count starts: Int, passed: UnsafeMutablePointer<Int32>) -> Int {
        let size = ShortfallTable.entries
        switch count {
        case 1: return find(starts, passed) { i in tables[Int(indices[i])] }
        case 2:
            return find(starts, passed) { i in
                tables[Int(indices[i])] &+ tables[size &+ Int(indices[i &+ 6])]
            }
        case 3:
            return find(starts, passed) { i in
                let two = tables[Int(indices[i])] &+ tables[size &+ Int(indices[i &+ 6])]
                return two &+ tables[2 &* size &+ Int(indices[i &+ 12])]
            }
        default:
            return find(starts, passed) { i in
                var sum: UInt32 = 0
                for part in 0..<count { sum &+= tables[part &* size &+ Int(indices[i &+ 6 &* part])] }
                return sum
            }
        }
    }

    @inline(__always)
    private func find(_ starts: Int, _ passed: UnsafeMutablePointer<Int32>, _ sum: (Int) -> UInt32) -> Int {
        var found = 0
        for i in 0..<max(starts, 0) where (sum(i) &+ bias) & ShortfallTable.tooShort != ShortfallTable.tooShort {
            passed[found] = Int32(truncatingIfNeeded: i)
            found += 1
        }
        return found
    }
}
