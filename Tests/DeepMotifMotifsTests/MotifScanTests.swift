// MotifScanTests: window scores and exact p-values against enumeration.

import DeepMotifCore
import DeepMotifMotifs
import Testing

private func randomMatrix(width: Int, seed: UInt64) -> [Double] {
    var random = RandomSource(seed: seed, purpose: .simulation)
    return (0..<(width * 4)).map { _ in 2 * random.normal() }
}

/// Score and probability of every word, in the order of its letters as base-4 digits.
private func words(_ matrix: [Double], width: Int, background: [Double]) -> [(score: Double, probability: Double)] {
    (0..<(1 << (2 * width))).map { word in
        var score = 0.0
        var probability = 1.0
        for k in 0..<width {
            let letter = (word >> (2 * k)) & 3
            score += matrix[k * 4 + letter]
            probability *= background[letter]
        }
        return (score, probability)
    }
}

@Suite struct MotifScanTests {
    @Test func scoresAreSumsOfWindows() throws {
        let matrix = randomMatrix(width: 3, seed: 1)
        let motif = try LogOdds(matrix, width: 3)
        let codes: [UInt8] = [0, 1, 2, 3, 4, 0, 0, 0, 3, 2, 1, 0, 1, 2, 3, 0]
        var scores = [Double](repeating: .nan, count: 12)
        try motif.scores(codes: codes, count: 2, length: 8, threads: 2, scores: &scores)
        for row in 0..<2 {
            for start in 0..<6 {
                var sum = 0.0
                for k in 0..<3 {
                    let letter = Int(codes[row * 8 + start + k])
                    sum += letter == 4 ? -.infinity : matrix[k * 4 + letter]
                }
                #expect(scores[row * 6 + start] == sum)
            }
        }
    }

    @Test func refusesWhatIsNoMotif() throws {
        #expect(throws: DeepMotifError.self) { try LogOdds([0, 0, .nan, 0], width: 1) }
        #expect(throws: DeepMotifError.self) { try LogOdds([0, 0, .infinity, 0], width: 1) }
        #expect(throws: DeepMotifError.self) { try LogOdds([], width: 0) }
        let motif = try LogOdds([Double](repeating: 0, count: 12), width: 3)
        var scores = [0.0]
        #expect(throws: DeepMotifError.self) {
            try motif.scores(codes: [0, 0], count: 1, length: 2, threads: 1, scores: &scores)
        }
        for wrong in [[0.5, 0.5, 0, 0], [0.5, 0.5, 0.5, 0.5], [.nan, 0.3, 0.3, 0.4]] {
            #expect(throws: DeepMotifError.self) { try ScoreDistribution(motif, background: wrong) }
        }
    }

    /// Sums of 4^K probabilities in another order: relative error below 4^K epsilon.
    @Test(arguments: 1...8)
    func enumeration(_ width: Int) throws {
        let background = [0.3, 0.2, 0.22, 0.28]
        let matrix = randomMatrix(width: width, seed: UInt64(width))
        let distribution = try ScoreDistribution(try LogOdds(matrix, width: width), background: background)
        let all = words(matrix, width: width, background: background).sorted { $0.score > $1.score }
        var tail = 0.0
        let tolerance = Double(1 << (2 * width)) * 0x1p-52
        for (i, word) in all.enumerated() {
            tail += word.probability
            if i % 97 > 3 && i > 10 { continue }
            #expect(abs(distribution.pValue(word.score) - tail) <= tolerance * tail)
        }
        #expect(distribution.pValue(-.infinity) == 1)
        #expect(distribution.pValue(1e6) == 0)
    }

    /// Equal entries make many equal scores, which differ by the order of summation only.
    @Test func tiesCountAsEqual() throws {
        let row = [1.1, -0.3, -0.3, -2.7]
        let matrix = Array((0..<7).map { _ in row }.joined())
        let background = [Double](repeating: 0.25, count: 4)
        let distribution = try ScoreDistribution(try LogOdds(matrix, width: 7), background: background)
        // Six As and one letter of -0.3: 1 + 7 x 2 words of 4^7 are at least as good.
        #expect(abs(distribution.pValue(6 * 1.1 - 0.3) - 15.0 / 16384) < 1e-15)
        #expect(abs(distribution.pValue(-0.3 + 1.1 * 6) - 15.0 / 16384) < 1e-15)
    }

    @Test func impossibleLettersHaveNoMass() throws {
        let matrix: [Double] = [1, -.infinity, -.infinity, 0, 0, 0, 0, 0]
        let distribution = try ScoreDistribution(
            try LogOdds(matrix, width: 2), background: [Double](repeating: 0.25, count: 4))
        #expect(distribution.pValue(1) == 0.25)
        #expect(distribution.pValue(-100) == 0.5)
        #expect(distribution.pValue(-.infinity) == 1)
    }

    /// Wide motifs: the tail exactly, the rest within what half a grid step a position may change (header of the ABI).
    /// Positions where all letters score alike make a wide motif of one that can be enumerated.
    @Test func wideMotifsAgreeWithEnumeration() throws {
        let width = 8
        let background = [0.3, 0.2, 0.22, 0.28]
        let matrix = randomMatrix(width: width, seed: 77)
        var wide = Array(matrix[0..<12])
        wide += [Double](repeating: 0.5, count: 12) + Array(matrix[12...]) + [Double](repeating: -0.5, count: 12)
        let distribution = try ScoreDistribution(try LogOdds(wide, width: width + 6), background: background)
        let all = words(matrix, width: width, background: background).sorted { $0.score > $1.score }
        var tails: [Double] = []
        for word in all { tails.append((tails.last ?? 0) + word.probability) }
        // 4^6 words of the wide motif for each here: only the first few are in the range that is summed word by word,
        // or, with whole branches at once, in a few steps.
        for i in [0, 1, 2, 3] {
            #expect(abs(distribution.pValue(all[i].score) - tails[i]) <= 1e-9 * tails[i])
        }
        let slack = Double(width) / 2 * 0x1p-12
        for i in stride(from: 4, to: all.count, by: 1511) {
            let p = distribution.pValue(all[i].score)
            let above = all.firstIndex { $0.score < all[i].score + slack }!
            let below = all.lastIndex { $0.score > all[i].score - slack }!
            #expect(tails[above] * (1 - 1e-9) <= p && p <= tails[below] * (1 + 1e-9))
        }
    }

    /// The best word of a wide sharp motif and no other: the product of its letters' probabilities.
    @Test func bestWordOfAWideMotif() throws {
        let width = 30
        var matrix: [Double] = []
        for k in 0..<width {
            for letter in 0..<4 { matrix.append(letter == k % 4 ? 1.9 : -3.3 - Double(k) / 7) }
        }
        let background = [0.3, 0.2, 0.2, 0.3]
        let distribution = try ScoreDistribution(try LogOdds(matrix, width: width), background: background)
        let best = (0..<width).reduce(1.0) { $0 * background[$1 % 4] }
        #expect(abs(distribution.pValue(Double(width) * 1.9) / best - 1) < 1e-12)
        #expect(abs(distribution.pValue(-1e9) - 1) < 1e-9)
    }
}
