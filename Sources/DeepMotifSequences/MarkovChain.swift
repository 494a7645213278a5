// MarkovChain: background sequences from a first-order Markov chain. Sequences room.

import DeepMotifCore

/// A first-order Markov chain over the four letters.
package struct MarkovChain: Sendable {
    /// Cumulative probabilities: 4 of the first letter, then 4 behind each letter; the last of each row is 1.
    private let cumulative: [Double]

    /// initial (4,) and transitions (4, 4) by rows. Throws where a row is no distribution: entries finite and not
    /// negative, sum within 1e-6 of 1.
    package init(initial: UnsafePointer<Double>, transitions: UnsafePointer<Double>) throws(DeepMotifError) {
        var cumulative: [Double] = []
        for row in 0...letterCount {
            let name = row == 0 ? "initial" : "row \(row - 1) of transitions"
            let values = row == 0 ? initial : transitions + (row - 1) * letterCount
            var sum = 0.0
            for letter in 0..<letterCount {
                guard values[letter].isFinite, values[letter] >= 0 else {
                    throw .invalidArgument("\(name) must hold probabilities; got \(values[letter])")
                }
                sum += values[letter]
                cumulative.append(sum)
            }
            guard abs(sum - 1) <= 1e-6 else {
                throw .invalidArgument("\(name) must sum to 1; got \(sum)")
            }
            for letter in 1...letterCount { cumulative[cumulative.count - letter] /= sum }
        }
        self.cumulative = cumulative
    }

    /// `count` independent sequences; row i draws from the stream (seed, i).
    package func sample(count: Int, length: Int, seed: UInt64, threads: Int, codes: UnsafeMutablePointer<UInt8>) {
        let rowsPerChunk = max(1, 4096 / max(length, 1))
        let target = Borrowed(codes)
        parallelFor(chunks: (count + rowsPerChunk - 1) / rowsPerChunk, threads: threads) { chunk, _ in
            for row in (chunk * rowsPerChunk)..<min((chunk + 1) * rowsPerChunk, count) {
                var random = RandomSource(seed: seed, purpose: .simulation, stream: UInt64(row))
                sampleRow(target.pointer + row * length, length: length, random: &random)
            }
        }
    }

    private func sampleRow(_ codes: UnsafeMutablePointer<UInt8>, length: Int, random: inout RandomSource) {
        cumulative.withUnsafeBufferPointer { table in
            var row = 0
            for i in 0..<length {
                let u = random.uniform()
                // The number of the three inner bounds at or below u: a letter of probability 0 is never drawn.
                let at = row * letterCount
                let letter = (table[at] <= u ? 1 : 0) + (table[at + 1] <= u ? 1 : 0) + (table[at + 2] <= u ? 1 : 0)
                codes[i] = UInt8(letter)
                row = letter + 1
            }
        }
    }
}
