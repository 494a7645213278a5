// Saliency: gradient times input at every position. Interpretation room.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifNetworks
import DeepMotifSequences

extension Network {
    /// Gradient of `quantity` times the input, summed over the letters, (N, L); its magnitude unless `isSigned`
    /// (Lanchantin, Singh, Wang and Qi 2017, the first view). Unknown letters get zero.
    package func saliency(
        _ sequences: SequenceBatch, of quantity: TargetQuantity, isSigned: Bool, isCentered: Bool, threads: Int,
        saliency: MutableFloats
    ) throws(DeepMotifError) {
        let length = sequences.length
        let rows = min(blockRows(floatsPerRow: length * letterCount), sequences.count)
        guard rows > 0 else { return }
        let gradient = try Buffer<Float>(count: rows * length * letterCount)
        for start in stride(from: 0, to: sequences.count, by: rows) {
            let block = sequences.rows(start..<min(start + rows, sequences.count))
            try inputGradient(
                block, of: quantity, isCentered: isCentered, threads: threads, gradient: gradient.pointer)
            let target = saliency + start * length
            gradientTimesInput(block, gradient: gradient.readOnly, product: target)
            if !isSigned {
                for i in 0..<(block.count * length) { target[i] = abs(target[i]) }
            }
        }
    }
}

/// Sum over the letters of gradient (N, L, 4) times input, (N, L).
func gradientTimesInput(_ sequences: SequenceBatch, gradient: Floats, product: MutableFloats) {
    let positions = sequences.count * sequences.length
    switch sequences.form {
    case .codes(let codes):
        for i in 0..<positions {
            product[i] = codes[i] < unknownCode ? gradient[i * letterCount + Int(codes[i])] : 0
        }
    case .letters(let letters):
        for i in 0..<positions {
            var sum: Float = 0
            for j in (i * letterCount)..<((i + 1) * letterCount) { sum += gradient[j] * letters[j] }
            product[i] = sum
        }
    }
}
