// Staging: the rows of a batch, gathered and checked. Networks room.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifSequences

/// Memory for the sequences of one batch, kept between batches.
final class Staging {
    private var codes: Buffer<UInt8>?
    private var letters: Buffer<Float>?

    /// Copies the rows behind each other. Throws where a code is above 4 or a letter is not finite. The rows were
    /// checked.
    func gather(
        _ sequences: SequenceBatch, rows: UnsafePointer<Int64>, count: Int
    ) throws(DeepMotifError) -> LayerInput {
        let length = sequences.length
        switch sequences.form {
        case .codes(let source):
            let target = try Staging.memory(&codes, count: count * length)
            for i in 0..<count {
                let row = source + Int(rows[i]) * length
                guard Staging.areCodes(row, length) else { throw badRow(sequences, row: Int(rows[i])) }
                (target + i * length).update(from: row, count: length)
            }
            return .codes(UnsafePointer(target))
        case .letters(let source):
            let target = try Staging.memory(&letters, count: count * length * letterCount)
            for i in 0..<count {
                let row = source + Int(rows[i]) * length * letterCount
                guard Staging.areFinite(row, length * letterCount) else { throw badRow(sequences, row: Int(rows[i])) }
                (target + i * length * letterCount).update(from: row, count: length * letterCount)
            }
            return .dense(Floats(target))
        }
    }

    private static func memory<Element>(
        _ buffer: inout Buffer<Element>?, count: Int
    ) throws(DeepMotifError) -> UnsafeMutablePointer<Element> {
        if let buffer, buffer.count >= count { return buffer.pointer }
        let fresh = try Buffer<Element>(count: count)
        buffer = fresh
        return fresh.pointer
    }

    /// Without an early exit, so that the compiler makes vectors of it.
    private static func areCodes(_ row: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var largest: UInt8 = 0
        for i in 0..<count { largest = max(largest, row[i]) }
        return largest <= unknownCode
    }

    /// x - x is zero for finite numbers alone.
    private static func areFinite(_ row: Floats, _ count: Int) -> Bool {
        var isFinite = true
        for i in 0..<count { isFinite = isFinite && (row[i] - row[i] == 0) }
        return isFinite
    }

    /// The error of a row that failed, with its place in the caller's sequences.
    private func badRow(_ sequences: SequenceBatch, row: Int) -> DeepMotifError {
        do throws(DeepMotifError) {
            try sequences.validate()
        } catch {
            return error
        }
        return .invalidArgument("sequence \(row) changed while it was read")
    }
}
