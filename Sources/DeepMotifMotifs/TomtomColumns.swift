// TomtomColumns: columns of motifs, one plane a letter, ready for the distances. Motifs room.

import DeepMotifCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The columns of all motifs after the pseudocount; with `reversed`, every motif is followed by its reverse complement.
struct TomtomColumns: Sendable {
    /// Widths and first columns of the motifs, reverse complements included.
    let widths: [Int]
    let starts: [Int]
    let count: Int
    /// Probabilities, (4, count).
    let letters: Buffer<Double>
    /// What the distance needs beside them, (4, count): deviations from the mean (Pearson), logarithms (Kullback and
    /// Leibler), log-odds (ALLR), counts (BLiC).
    let derived: Buffer<Double>
    /// Per column: the sum of squared deviations (Pearson), the number of sites (ALLR), the terms of this column alone
    /// (BLiC).
    let scalar: Buffer<Double>

    init(_ motifs: MotifColumns, options: TomtomOptions, reversed: Bool, name: String) throws(DeepMotifError) {
        let copies = reversed ? 2 : 1
        var widths: [Int] = []
        var starts: [Int] = []
        var total = 0
        for width in motifs.widths {
            for _ in 0..<copies {
                widths.append(width)
                starts.append(total)
                total += width
            }
        }
        self.widths = widths
        self.starts = starts
        count = total
        letters = try Buffer(count: letterCount * total)
        derived = try Buffer(count: letterCount * total)
        scalar = try Buffer(count: total)
        fill(motifs, options: options, copies: copies)
        if options.distance.needsPositive { try checkPositive(copies: copies, name: name) }
        derive(motifs, options: options, copies: copies)
    }

    /// Probabilities with the pseudocount; the second copy of a motif turned round.
    private func fill(_ motifs: MotifColumns, options: TomtomOptions, copies: Int) {
        var source = motifs.probabilities
        for (i, width) in motifs.widths.enumerated() {
            let sites = motifs.sites[i]
            for k in 0..<width {
                for letter in 0..<letterCount {
                    let pseudo = options.pseudocount * options.background[letter]
                    let value = (source[letter] * sites + pseudo) / (sites + options.pseudocount)
                    letters.pointer[letter * count + starts[i * copies] + k] = value
                    guard copies == 2 else { continue }
                    let mirrored = starts[i * 2 + 1] + width - 1 - k
                    letters.pointer[(letterCount - 1 - letter) * count + mirrored] = value
                }
                source += letterCount
            }
        }
    }

    private func checkPositive(copies: Int, name: String) throws(DeepMotifError) {
        for column in 0..<count {
            for letter in 0..<letterCount where !(letters.pointer[letter * count + column] > 0) {
                let motif = (starts.lastIndex { $0 <= column } ?? 0) / copies
                throw .invalidArgument(
                    "\(name)[\(motif)] has a probability of 0, which this distance cannot compare; "
                        + "give a pseudocount above 0")
            }
        }
    }

    private func derive(_ motifs: MotifColumns, options: TomtomOptions, copies: Int) {
        for i in widths.indices {
            let sites = motifs.sites[i / copies]
            for column in starts[i]..<(starts[i] + widths[i]) {
                switch options.distance {
                case .euclidean, .sandelin: break
                case .pearson:
                    scalar.pointer[column] = set(column) { p, _ in p - 0.25 }.reduce(0) { $0 + $1 * $1 }
                case .kullback: _ = set(column) { p, _ in log10(p) }
                case .allr:
                    _ = set(column) { p, letter in log(p / options.background[letter]) }
                    scalar.pointer[column] = sites
                case .blic1, .blic5:
                    let counts = set(column) { p, _ in p * sites }
                    scalar.pointer[column] = BLiC(options).single(SIMD4(counts[0], counts[1], counts[2], counts[3]))
                }
            }
        }
    }

    private func set(_ column: Int, _ value: (Double, Int) -> Double) -> [Double] {
        (0..<letterCount).map { letter in
            let result = value(letters.pointer[letter * count + column], letter)
            derived.pointer[letter * count + column] = result
            return result
        }
    }

    /// The four values of a column.
    func probabilities(_ column: Int) -> SIMD4<Double> { gather(letters, column) }
    func derivedValues(_ column: Int) -> SIMD4<Double> { gather(derived, column) }

    private func gather(_ planes: Buffer<Double>, _ column: Int) -> SIMD4<Double> {
        let p = planes.pointer + column
        return SIMD4(p[0], p[count], p[2 * count], p[3 * count])
    }
}
