// SequenceBatch: borrowed sequences, as codes or as letters. Sequences room.

import DeepMotifCore
import DeepMotifKernelTable

/// N sequences of L positions, borrowed from the caller for the duration of one call.
package struct SequenceBatch: @unchecked Sendable {
    /// The two forms: codes (N, L), or one-hot or soft letters (N, L, 4).
    package enum Form {
        case codes(UnsafePointer<UInt8>)
        case letters(Floats)
    }

    package let form: Form
    package let count: Int
    package let length: Int

    package init(form: Form, count: Int, length: Int) {
        self.form = form
        self.count = count
        self.length = length
    }

    /// Throws where a code is above 4 or a letter is not finite, naming the sequence and the position.
    package func validate() throws(DeepMotifError) {
        let total = count * length
        switch form {
        case .codes(let codes):
            guard !areCodes(codes, total) else { return }
            for i in 0..<total where codes[i] > unknownCode {
                throw .invalidArgument(
                    "codes must be 0-4; got \(codes[i]) in sequence \(i / length), position \(i % length)")
            }
        case .letters(let letters):
            guard !areFinite(letters, total * letterCount) else { return }
            for i in 0..<(total * letterCount) where !letters[i].isFinite {
                let position = i / letterCount
                throw .invalidArgument(
                    "letters must be finite; got \(letters[i]) in sequence \(position / length), "
                        + "position \(position % length)")
            }
        }
    }
}

/// Whether no code is above 4. Without an early exit, so that the compiler makes vectors of it.
package func areCodes(_ codes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    var largest: UInt8 = 0
    for i in 0..<count { largest = max(largest, codes[i]) }
    return largest <= unknownCode
}

/// Whether all numbers are finite: x - x is zero for those alone.
package func areFinite(_ values: Floats, _ count: Int) -> Bool {
    var isFinite = true
    for i in 0..<count { isFinite = isFinite && (values[i] - values[i] == 0) }
    return isFinite
}
