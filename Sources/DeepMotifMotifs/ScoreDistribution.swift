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

    /// background (4,): positive, sum within 1e-6 of 1. Scores below `minimum` are not asked for.
    package init(
        _ logOdds: LogOdds, background: UnsafePointer<Double>, minimum: Double = -.infinity
    ) throws(DeepMotifError) {
        let letters = try ScoreDistribution.checked(background)
        if logOdds.width <= ScoreDistribution.exactWidth {
            form = .words(WordHalves(logOdds, background: letters))
        } else {
            form = .grid(
                try ScoreGrid(logOdds, background: letters, minimum: minimum),
                TailWords(logOdds, background: letters))
        }
    }

    /// Letter probabilities that sum to 1.
    static func checked(_ background: UnsafePointer<Double>) throws(DeepMotifError) -> [Double] {
        var letters: [Double] = []
        for letter in 0..<letterCount {
            guard background[letter].isFinite, background[letter] > 0 else {
                throw .invalidArgument("background must be positive; got \(background[letter]) for letter \(letter)")
            }
            letters.append(background[letter])
        }
        let sum = letters.reduce(0, +)
        guard abs(sum - 1) <= 1e-6 else { throw .invalidArgument("background must sum to 1; got \(sum)") }
        return letters.map { $0 / sum }
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
    /// Steps of the best score.
    private let top: Int
    /// Probability of a rounded score at most so many steps below the best.
    private let tails: [Double]

    private static let maximumSteps = 1 << 20

    init(_ logOdds: LogOdds, background: [Double], minimum: Double) throws(DeepMotifError) {
        var lowest = 0.0
        var range = 0.0
        for k in 0..<logOdds.width {
            let finite = logOdds.row(k).filter(\.isFinite)
            let least = finite.min() ?? 0
            lowest += least
            range += (finite.max() ?? 0) - least
        }
        guard range.isFinite else { throw .invalidArgument("log_odds must have a finite range") }
        let step = max(0x1p-12, range / Double(ScoreGrid.maximumSteps))
        let shifts = (0..<logOdds.width).map { ScoreGrid.shifts(logOdds.row($0), step: step) }
        let top = shifts.reduce(0) { $0 + ($1.max() ?? 0) }
        var reach = top
        if minimum > lowest { reach = max(0, min(top, top + 1 - Int((minimum - lowest) / step))) }
        tails = ScoreGrid.tails(shifts, background: background, reach: reach)
        self.lowest = lowest
        self.step = step
        self.top = top
    }

    /// Steps of the four letters above the lowest possible one; -1 for an impossible one.
    private static func shifts(_ row: [Double], step: Double) -> [Int] {
        let least = row.filter(\.isFinite).min() ?? 0
        return row.map { $0.isFinite ? Int((($0 - least) / step).rounded()) : -1 }
    }

    /// The distribution of the steps below the best score, up to `reach`: one convolution a position, then summed.
    private static func tails(_ shifts: [[Int]], background: [Double], reach: Int) -> [Double] {
        var now = [Double](repeating: 0, count: reach + 1)
        var next = now
        now[0] = 1
        var used = 1
        for row in shifts {
            let most = max(0, row.max() ?? 0)
            let missing = row.map { $0 < 0 ? -1 : most - $0 }
            let longer = min(reach + 1, used + max(0, missing.max() ?? 0))
            for i in 0..<longer { next[i] = 0 }
            for letter in 0..<letterCount where missing[letter] >= 0 {
                let count = min(used, longer - missing[letter])
                add(now, count: count, times: background[letter], to: &next, at: missing[letter])
            }
            used = longer
            swap(&now, &next)
        }
        var sum = 0.0
        return (0..<used).map { i in
            sum += now[i]
            return sum
        }
    }

    private static func add(
        _ source: [Double], count: Int, times factor: Double, to target: inout [Double], at shift: Int
    ) {
        guard count > 0 else { return }
        source.withUnsafeBufferPointer { source in
            target.withUnsafeMutableBufferPointer { target in
                for i in 0..<count { target[i + shift] += source[i] * factor }
            }
        }
    }

    func tail(_ score: Double) -> Double {
        if score == -.infinity { return 1 }
        // Below the lowest and above the highest score, however far.
        let index = max(0, min(((score - lowest) / step).rounded(), Double(top + 1)))
        let missing = top - Int(index)
        if missing < 0 { return 0 }
        return missing < tails.count ? min(tails[missing], 1) : 1
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
