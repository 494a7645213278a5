// SequencePiece: part of the sequences of a scan, and how it is cut for threads. Motifs room.

import DeepMotifCore
import DeepMotifSequences

/// Codes (N, L) that were validated, of which windows start at positions 0 ..< starts of each sequence.
package struct SequencePiece: @unchecked Sendable {
    let codes: UnsafePointer<UInt8>
    let count: Int
    let length: Int
    let starts: Int

    package init(
        codes: UnsafePointer<UInt8>, count: Int, length: Int, starts: Int
    ) throws(DeepMotifError) {
        guard starts >= 0, starts <= length else {
            throw .invalidArgument("starts must be in 0 ... \(length); got \(starts)")
        }
        try SequenceBatch(form: .codes(codes), count: count, length: length).validate()
        self.codes = codes
        self.count = count
        self.length = length
        self.starts = starts
    }

    /// Neighbouring windows of one task: whole sequences, or part of one.
    struct Span: @unchecked Sendable {
        let codes: UnsafePointer<UInt8>
        /// Letters behind `codes` that the windows may touch.
        let letters: Int
        let firstSequence: Int
        let sequences: Int
        let firstStart: Int
        /// Starts and letters of each sequence, counted from its first start.
        let starts: Int
        let length: Int
    }

    /// Spans of about `size` starts; windows reach up to `overlap` letters beyond their span.
    func spans(of size: Int, overlap: Int) -> [Span] {
        guard starts > 0, count > 0 else { return [] }
        if length <= size {
            let rows = max(1, size / length)
            return stride(from: 0, to: count, by: rows).map { first in
                let taken = min(rows, count - first)
                return Span(
                    codes: codes + first * length, letters: taken * length, firstSequence: first, sequences: taken,
                    firstStart: 0, starts: starts, length: length)
            }
        }
        var spans: [Span] = []
        for row in 0..<count {
            for first in stride(from: 0, to: starts, by: size) {
                let taken = min(size, starts - first)
                let letters = min(length - first, taken + overlap)
                spans.append(
                    Span(
                        codes: codes + row * length + first, letters: letters, firstSequence: row, sequences: 1,
                        firstStart: first, starts: taken, length: letters))
            }
        }
        return spans
    }

    /// Windows of this width that have no unknown letter.
    func knownWindows(width: Int) -> Int {
        var total = 0
        for row in 0..<count {
            let letters = codes + row * length
            var first = 0
            for position in 0...length where position == length || letters[position] >= letterCount {
                total += max(0, min(position - width + 1, starts) - first)
                first = position + 1
            }
        }
        return total
    }
}
