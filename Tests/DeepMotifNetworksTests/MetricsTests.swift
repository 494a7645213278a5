// MetricsTests: against the definitions, counted pair by pair.

import DeepMotifCore
import DeepMotifNetworks
import Testing

@Suite struct MetricsTests {
    /// Scores on a coarse grid, so that ties are frequent.
    private func draw(_ count: Int, seed: UInt64) -> ([Float], [Int32]) {
        var random = RandomSource(seed: seed, purpose: .simulation)
        let labels = (0..<count).map { $0 < 2 ? Int32($0) : Int32(random.below(2)) }
        let scores = labels.map { Float(random.below(7)) - 3 + Float($0) }
        return (scores, labels)
    }

    /// Pairs won, one half at the two zeros: 1 + 1.5 + 3 of 9.
    @Test func rocAUCRanksSignsZerosAndInfinities() throws {
        let scores: [Float] = [0, .infinity, -0.0, -.infinity, 2, -1e-40]
        #expect(try Metrics.rocAUC(scores: scores, labels: [1, 1, 0, 0, 0, 1], count: 6) == 5.5 / 9)
    }

    @Test(arguments: [2, 3, 17, 200])
    func rocAUCCountsPairs(count: Int) throws {
        let (scores, labels) = draw(count, seed: UInt64(count))
        var wins = 0.0
        var pairs = 0.0
        for i in 0..<count where labels[i] == 1 {
            for j in 0..<count where labels[j] == 0 {
                pairs += 1
                wins += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0
            }
        }
        #expect(try Metrics.rocAUC(scores: scores, labels: labels, count: count) == wins / pairs)
    }

    @Test(arguments: [2, 3, 17, 200])
    func averagePrecisionByThresholds(count: Int) throws {
        let (scores, labels) = draw(count, seed: UInt64(count))
        var expected = 0.0
        var positives = 0.0
        for i in 0..<count where labels[i] == 1 {
            let called = (0..<count).filter { scores[$0] >= scores[i] }
            expected += Double(called.filter { labels[$0] == 1 }.count) / Double(called.count)
            positives += 1
        }
        let value = try Metrics.averagePrecision(scores: scores, labels: labels, count: count)
        // Sums of up to `count` ratios: rounding stays below count ulps of 1.
        #expect(abs(value - expected / positives) <= Double(count) * Double.ulpOfOne)
    }

    @Test func infiniteScoresRank() throws {
        #expect(try Metrics.rocAUC(scores: [-.infinity, .infinity, 0], labels: [0, 1, 0], count: 3) == 1)
    }

    @Test func oneClassIsAnError() {
        #expect(throws: DeepMotifError.self) { try Metrics.rocAUC(scores: [1, 2], labels: [1, 1], count: 2) }
        #expect(throws: DeepMotifError.self) { try Metrics.rocAUC(scores: [], labels: [], count: 0) }
        #expect(throws: DeepMotifError.self) { try Metrics.rocAUC(scores: [.nan, 2], labels: [0, 1], count: 2) }
        #expect(throws: DeepMotifError.self) {
            try Metrics.averagePrecision(scores: [1, 2], labels: [0, 3], count: 2)
        }
    }

    @Test func logLossOfKnownProbabilities() throws {
        // -log(1/2) and -log(1/4): the mean is 1.5 log 2, exact up to the rounding of two logarithms.
        let value = try Metrics.logLoss(probabilities: [0.5, 0.5, 0.75, 0.25], labels: [0, 1], count: 2, classes: 2)
        #expect(abs(value - 1.5 * 0.693147180559945309) < 4 * Double.ulpOfOne)
        let hopeless = try Metrics.logLoss(probabilities: [1, 0], labels: [1], count: 1, classes: 2)
        #expect(hopeless.isFinite && hopeless > 100)
    }

    @Test func matthewsOfTwoClasses() throws {
        let predicted: [Int32] = [1, 1, 1, 0, 0, 0, 0, 1]
        let labels: [Int32] = [1, 1, 0, 0, 0, 1, 0, 1]
        // tp 3, tn 3, fp 1, fn 1: (9 - 1) / sqrt(4^4).
        #expect(try Metrics.matthews(predicted: predicted, labels: labels, count: 8, classes: 2) == 0.5)
        #expect(try Metrics.matthews(predicted: labels, labels: labels, count: 8, classes: 2) == 1)
        #expect(try Metrics.matthews(predicted: [0, 0], labels: [0, 1], count: 2, classes: 2) == 0)
    }
}
