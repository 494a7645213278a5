// ScoreDistribution: exact p-values of motif scores. Motifs room.
//
// The p-value of a score s is P(S >= s) for the score S of K independent letters of the background. Up to
// `exactWidth` positions it is a sum over all words, made cheap by cutting the motif into two halves whose words are
// sorted. Wider motifs use the distribution of the score rounded to a grid (Staden 1989; Wu et al. 2000); there the
// extreme tail, where single words count, is summed word by word.

import DeepMotifCore

/// The distribution of the score of random letters.
package struct ScoreDistribution: Sendable {
    private enum Form: Sendable {
        case words(WordHalves)
        case grid(ScoreGrid, TailWords)
    }

    private let form: Form

    /// Motifs up to this width are summed over all words.
    package static let exactWidth = 12

    /// background (4,): positive, sum within 1e-6 of 1.
    package init(_ logOdds: LogOdds, background: UnsafePointer<Double>) throws(DeepMotifError) {
        var letters: [Double] = []
        for letter in 0..<letterCount {
            guard background[letter].isFinite, background[letter] > 0 else {
                throw .invalidArgument("background must be positive; got \(background[letter]) for letter \(letter)")
            }
            letters.append(background[letter])
        }
        let sum = letters.reduce(0, +)
        guard abs(sum - 1) <= 1e-6 else { throw .invalidArgument("background must sum to 1; got \(sum)") }
        letters = letters.map { $0 / sum }
        if logOdds.width <= ScoreDistribution.exactWidth {
            form = .words(WordHalves(logOdds, background: letters))
        } else {
            form = .grid(try ScoreGrid(logOdds, background: letters), TailWords(logOdds, background: letters))
        }
    }

    /// P(S >= score). Words whose score differs from `score` by rounding only count as equal to it.
    package func pValue(_ score: Double) -> Double {
        switch form {
        case .words(let words): return words.tail(score)
        case .grid(let grid, let words):
            let estimate = grid.tail(score)
            return words.expected(estimate) <= TailWords.limit ? words.tail(score) ?? estimate : estimate
        }
    }
}

/// How far apart two sums of the same K terms in another order may lie: K rounding errors of the largest partial sum.
private func tolerance(_ logOdds: LogOdds) -> Double {
    var largest = 0.0
    for k in 0..<logOdds.width {
        largest += logOdds.row(k).reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
    }
    return Double(2 * logOdds.width) * 0x1p-53 * largest
}

// MARK: - All words

/// All words of both halves of a motif, sorted by score.
private struct WordHalves: Sendable {
    private let left: [(score: Double, probability: Double)]
    private let rightScores: [Double]
    /// Probability of the right words from an index on; one more entry than words, the last 0.
    private let rightTails: [Double]
    private let slack: Double

    init(_ logOdds: LogOdds, background: [Double]) {
        let middle = logOdds.width / 2
        left = WordHalves.words(logOdds, 0..<middle, background)
        let right = WordHalves.words(logOdds, middle..<logOdds.width, background)
        rightScores = right.map(\.score)
        var tails = [Double](repeating: 0, count: right.count + 1)
        for i in right.indices.reversed() { tails[i] = tails[i + 1] + right[i].probability }
        rightTails = tails
        slack = tolerance(logOdds)
    }

    /// Words of the positions with a finite score, by ascending score.
    private static func words(
        _ logOdds: LogOdds, _ positions: Range<Int>, _ background: [Double]
    ) -> [(score: Double, probability: Double)] {
        var words = [(score: 0.0, probability: 1.0)]
        for k in positions {
            var longer: [(score: Double, probability: Double)] = []
            longer.reserveCapacity(words.count * letterCount)
            for letter in 0..<letterCount where logOdds.values[k * letterCount + letter].isFinite {
                let value = logOdds.values[k * letterCount + letter]
                for word in words { longer.append((word.score + value, word.probability * background[letter])) }
            }
            words = longer
        }
        return words.sorted { $0.score < $1.score }
    }

    func tail(_ score: Double) -> Double {
        if score == -.infinity { return 1 }
        var sum = 0.0
        var first = rightScores.count
        for word in left {
            // Ascending left scores need ever lower right ones.
            while first > 0, word.score + rightScores[first - 1] >= score - slack { first -= 1 }
            sum += word.probability * rightTails[first]
        }
        return min(sum, 1)
    }
}

// MARK: - Rounded scores

/// The distribution of the score rounded to a grid of 2^-12 bits, or coarser where the range has more than 2^20 steps.
private struct ScoreGrid: Sendable {
    private let lowest: Double
    private let step: Double
    /// Probability of a rounded score at an index or above; one more entry than scores, the last 0.
    private let tails: [Double]

    private static let maximumSteps = 1 << 20

    init(_ logOdds: LogOdds, background: [Double]) throws(DeepMotifError) {
        var lowest = 0.0
        var range = 0.0
        for k in 0..<logOdds.width {
            let finite = logOdds.row(k).filter(\.isFinite)
            let least = finite.min() ?? 0
            lowest += least
            range += (finite.max() ?? 0) - least
        }
        guard range.isFinite else { throw .invalidArgument("log_odds must have a finite range") }
        step = max(0x1p-12, range / Double(ScoreGrid.maximumSteps))
        self.lowest = lowest
        tails = ScoreGrid.tails(logOdds, background: background, step: step, capacity: Int(range / step))
    }

    /// The distribution after all positions, one convolution each, summed from above.
    private static func tails(_ logOdds: LogOdds, background: [Double], step: Double, capacity: Int) -> [Double] {
        // Rounding each entry may exceed the rounded range by half a step a position.
        var now = [Double](repeating: 0, count: capacity + logOdds.width + 2)
        var next = now
        now[0] = 1
        var top = 0
        for k in 0..<logOdds.width {
            let row = logOdds.row(k)
            let least = row.filter(\.isFinite).min() ?? 0
            let shifts = row.map { $0.isFinite ? Int((($0 - least) / step).rounded()) : -1 }
            let reach = top + max(0, shifts.max() ?? 0)
            for i in 0...reach { next[i] = 0 }
            for letter in 0..<letterCount where shifts[letter] >= 0 {
                add(now, count: top + 1, times: background[letter], to: &next, at: shifts[letter])
            }
            top = reach
            swap(&now, &next)
        }
        var tails = [Double](repeating: 0, count: top + 2)
        for i in stride(from: top, through: 0, by: -1) { tails[i] = tails[i + 1] + now[i] }
        return tails
    }

    private static func add(
        _ source: [Double], count: Int, times factor: Double, to target: inout [Double], at shift: Int
    ) {
        source.withUnsafeBufferPointer { source in
            target.withUnsafeMutableBufferPointer { target in
                for i in 0..<count { target[i + shift] += source[i] * factor }
            }
        }
    }

    func tail(_ score: Double) -> Double {
        if score == -.infinity { return 1 }
        let index = ((score - lowest) / step).rounded()
        if index <= 0 { return min(tails[0], 1) }
        return index < Double(tails.count) ? min(tails[Int(index)], 1) : 0
    }
}

// MARK: - The extreme tail

/// Sums the words above a score one by one, whole branches at once where their worst word is above it: affordable, and
/// needed, where few words are left.
private struct TailWords: Sendable {
    /// Finite entries of each position, best first.
    private let entries: [[(score: Double, probability: Double)]]
    /// Best and worst score, and probability of a finite one, of all positions from an index on.
    private let best: [Double]
    private let worst: [Double]
    private let mass: [Double]
    private let slack: Double

    /// Up to this many expected words the tail is summed; the search gives up at 16 times as many steps.
    static let limit = 16384.0

    init(_ logOdds: LogOdds, background: [Double]) {
        var rows: [[(score: Double, probability: Double)]] = []
        for k in 0..<logOdds.width {
            let row = zip(logOdds.row(k), background).filter { $0.0.isFinite }
            rows.append(row.map { (score: $0.0, probability: $0.1) }.sorted { $0.score > $1.score })
        }
        // Positions that decide most come first, so that hopeless prefixes end early.
        func spread(_ row: [(score: Double, probability: Double)]) -> Double {
            (row.first?.score ?? 0) - (row.last?.score ?? 0)
        }
        entries = rows.sorted { spread($0) > spread($1) }
        var best = [Double](repeating: 0, count: logOdds.width + 1)
        var worst = best
        var mass = [Double](repeating: 1, count: logOdds.width + 1)
        for k in entries.indices.reversed() {
            best[k] = best[k + 1] + (entries[k].first?.score ?? -.infinity)
            worst[k] = worst[k + 1] + (entries[k].last?.score ?? 0)
            mass[k] = mass[k + 1] * entries[k].reduce(0) { $0 + $1.probability }
        }
        self.best = best
        self.worst = worst
        self.mass = mass
        slack = tolerance(logOdds)
    }

    /// Expected number of words in a tail of this probability, were all letters equally likely.
    func expected(_ probability: Double) -> Double {
        entries.reduce(probability) { words, _ in words * Double(letterCount) }
    }

    /// P(S >= score), nil where too many words had to be looked at.
    func tail(_ score: Double) -> Double? {
        var steps = Int(TailWords.limit) * 16
        let sum = extend(position: 0, score: 0, threshold: score - slack, steps: &steps)
        return steps > 0 ? sum : nil
    }

    /// Probability that the positions from `position` on lift `score` to the threshold.
    private func extend(position: Int, score: Double, threshold: Double, steps: inout Int) -> Double {
        if score + worst[position] >= threshold { return mass[position] }
        var sum = 0.0
        for entry in position < entries.count ? entries[position] : [] {
            steps -= 1
            let longer = score + entry.score
            if steps <= 0 || longer + best[position + 1] < threshold { break }
            let rest = extend(position: position + 1, score: longer, threshold: threshold, steps: &steps)
            sum += entry.probability * rest
        }
        return sum
    }
}
