// InputGradient: what each letter at each position would do to a class. Interpretation room.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifNetworks
import DeepMotifSequences

extension SequenceBatch {
    /// The sequences of `range` alone, borrowed like the whole.
    func rows(_ range: Range<Int>) -> SequenceBatch {
        switch form {
        case .codes(let codes):
            return SequenceBatch(form: .codes(codes + range.lowerBound * length), count: range.count, length: length)
        case .letters(let letters):
            let first = letters + range.lowerBound * length * letterCount
            return SequenceBatch(form: .letters(first), count: range.count, length: length)
        }
    }
}

/// Sequences that are worked on together, so that memory stays bounded for any N: about `floats` floats at
/// `floatsPerRow` each. A multiple of 64, which keeps the network's own blocks whole.
func blockRows(floatsPerRow: Int, floats: Int = 1 << 21) -> Int {
    max(floats / max(floatsPerRow, 1) / 64, 1) * 64
}

extension Network {
    /// Gradient (N, L, 4) of `quantity` with respect to every letter, at zero for letters that are absent too
    /// (Simonyan, Vedaldi and Zisserman 2014). `isCentered` subtracts the mean over the four letters, the part of the
    /// gradient that points off the simplex of one-hot sequences (Majdandzic and Koo 2022).
    package func inputGradient(
        _ sequences: SequenceBatch, of quantity: TargetQuantity, isCentered: Bool, threads: Int,
        gradient: MutableFloats
    ) throws(DeepMotifError) {
        guard sequences.count > 0 else { return }
        try inputGradient(sequences, threads: threads, inputGradient: gradient, scores: nil) { _, scores, seed in
            quantity.writeGradient(scores, to: seed)
        }
        if isCentered { centerLetters(gradient, positions: sequences.count * sequences.length) }
    }
}

/// Subtracts from each position's four values their mean.
func centerLetters(_ values: MutableFloats, positions: Int) {
    for position in 0..<positions {
        let letters = values + position * letterCount
        let mean = (letters[0] + letters[1] + letters[2] + letters[3]) * 0.25
        for letter in 0..<letterCount { letters[letter] -= mean }
    }
}
