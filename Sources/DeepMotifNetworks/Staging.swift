// Staging: the rows of a batch, gathered and checked. Networks room.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifSequences

/// Memory for the sequences of one batch, kept between batches.
final class Staging {
    private var codes: Buffer<UInt8>?
    private var letters: Buffer<Float>?

    /// Copies the rows behind each other, each with its reverse complement behind it where both strands are wanted.
    /// Throws where a code is above 4 or a letter is not finite. The rows were checked.
    func gather(
        _ sequences: SequenceBatch, rows: UnsafePointer<Int64>, count: Int, bothStrands: Bool
    ) throws(DeepMotifError) -> LayerInput {
        let length = sequences.length
        let copies = bothStrands ? 2 : 1
        switch sequences.form {
        case .codes(let source):
            let target = try Staging.memory(&codes, count: count * copies * length)
            for i in 0..<count {
                let row = source + Int(rows[i]) * length
                guard areCodes(row, length) else { throw badRow(sequences, row: Int(rows[i])) }
                let copy = target + i * copies * length
                copy.update(from: row, count: length)
                if bothStrands { Staging.reverseComplement(row, to: copy + length, count: length) }
            }
            return .codes(UnsafePointer(target))
        case .letters(let source):
            let width = length * letterCount
            let target = try Staging.memory(&letters, count: count * copies * width)
            for i in 0..<count {
                let row = source + Int(rows[i]) * width
                guard areFinite(row, width) else { throw badRow(sequences, row: Int(rows[i])) }
                let copy = target + i * copies * width
                copy.update(from: row, count: width)
                // A C G T backwards are the complements: positions and letters are reversed in one.
                if bothStrands { for j in 0..<width { copy[width + j] = row[width - 1 - j] } }
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

    private static func reverseComplement(
        _ codes: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, count: Int
    ) {
        for i in 0..<count {
            let code = codes[count - 1 - i]
            target[i] = code < unknownCode ? 3 - code : unknownCode
        }
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
