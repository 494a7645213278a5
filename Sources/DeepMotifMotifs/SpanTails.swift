// SpanTails: the distribution of the summed score of neighbouring query columns. Motifs room.

import DeepMotifCore

/// For spans of query columns, P(sum of their steps >= s) with one random target column against each.
package final class SpanTails {
    private let targetWidths: [Int]
    private let widestTarget: Int
    private let levels = TomtomWorker.levels
    private var width = 0

    /// How often a query column scores each step, (K, levels + 1).
    private let histogram: Buffer<Int>
    /// Tails of all kept spans, one after the other.
    private var arena: [Double] = []
    /// Of span (first, count), at first * (K + 1) + count: start in the arena, lowest sum, length of its tail.
    private var places: [Place] = []
    private let front: Buffer<Double>
    private let back: Buffer<Double>

    private struct Place {
        var start = 0
        var lowest = 0
        var length = 0
    }

    /// Zeros on both sides of a distribution, so that four shifts of it can be added in one go.
    private let margin = 4

    package init(widest: Int, targetWidths: [Int]) throws(DeepMotifError) {
        self.targetWidths = Set(targetWidths).sorted()
        widestTarget = targetWidths.max() ?? 0
        histogram = try Buffer(count: widest * (levels + 1))
        front = try Buffer(count: widest * levels + 2 * margin + levels + 1)
        back = try Buffer(count: front.count)
    }

    /// Where the caller counts the steps of query column `column`, before `prepare`.
    package func counts(of column: Int) -> UnsafeMutablePointer<Int> { histogram.pointer + column * (levels + 1) }

    /// Computes the spans that alignments with the targets have: all that reach an end of the query, and those as wide
    /// as a target.
    package func prepare(width: Int) {
        self.width = width
        arena.removeAll(keepingCapacity: true)
        places = Array(repeating: Place(), count: width * (width + 1))
        let distributions = (0..<width).map { distribution(of: $0) }
        let inner = targetWidths.last { $0 < width } ?? 0
        for first in 0..<width {
            let reach = min(width - first, first == 0 ? widestTarget : inner)
            extend(distributions[first..<(first + reach)]) { count in (first, count) }
        }
        // The rest of those that end with the query grow towards its start.
        extend(distributions.suffix(widestTarget).reversed()) { count in (width - count, count) }
    }

    /// Sums the columns in this order; `span` names the span of the first so many.
    private func extend(_ columns: some Collection<Column>, span: (Int) -> (first: Int, count: Int)) {
        var (now, next) = (front.pointer, back.pointer)
        clear(now, 1)
        now[margin] = 1
        var length = 1
        var lowest = 0
        for (index, column) in columns.enumerated() {
            convolve(now, length, with: column.probabilities, to: next)
            length += column.span
            lowest += column.lowest
            swap(&now, &next)
            let (first, count) = span(index + 1)
            let place = first * (width + 1) + count
            if isNeeded(first: first, count: count), places[place].length == 0 {
                keep(now, length: length, lowest: lowest, at: place)
            }
        }
    }

    private func isNeeded(first: Int, count: Int) -> Bool {
        first == 0 || first + count == width || targetWidths.contains(count)
    }

    /// Probabilities of the steps lowest ... lowest + span of a column, padded with zeros to whole fours.
    private struct Column {
        var probabilities: [Double]
        var lowest: Int
        var span: Int
    }

    private func distribution(of column: Int) -> Column {
        let counts = counts(of: column)
        let levelsUsed = (0...levels).filter { counts[$0] > 0 }
        let total = Double(levelsUsed.reduce(0) { $0 + counts[$1] })
        guard let lowest = levelsUsed.first, let highest = levelsUsed.last else {
            return Column(probabilities: [1, 0, 0, 0], lowest: 0, span: 0)
        }
        var probabilities = (lowest...highest).map { Double(counts[$0]) / total }
        while probabilities.count % 4 != 0 { probabilities.append(0) }
        return Column(probabilities: probabilities, lowest: lowest, span: highest - lowest)
    }

    private func clear(_ values: UnsafeMutablePointer<Double>, _ length: Int) {
        for i in 0..<(length + 2 * margin) { values[i] = 0 }
    }

    /// The distribution of the sum; `now` has `length` values behind its margin.
    private func convolve(
        _ now: UnsafeMutablePointer<Double>, _ length: Int, with column: [Double],
        to next: UnsafeMutablePointer<Double>
    ) {
        clear(next, length + column.count)
        for first in Swift.stride(from: 0, to: column.count, by: 4) {
            let a = column[first]
            let b = column[first + 1]
            let c = column[first + 2]
            let d = column[first + 3]
            let target = next + margin + first
            let source = UnsafePointer(now + margin)
            for i in 0..<(length + 3) {
                let left = a * source[i] + b * source[i &- 1]
                let right = c * source[i &- 2] + d * source[i &- 3]
                target[i] += left + right
            }
        }
    }

    private func keep(_ values: UnsafeMutablePointer<Double>, length: Int, lowest: Int, at index: Int) {
        let start = arena.count
        places[index] = Place(start: start, lowest: lowest, length: length)
        arena.append(contentsOf: UnsafeBufferPointer(start: values + margin, count: length))
        arena.withUnsafeMutableBufferPointer { arena in
            var sum = 0.0
            for i in Swift.stride(from: start + length - 1, through: start, by: -1) {
                sum += arena[i]
                arena[i] = sum
            }
        }
    }

    /// P(sum >= steps) for the `count` columns from `first` on, one of the spans of `prepare`.
    package func tail(from first: Int, count: Int, steps: Int) -> Double {
        let place = places[first * (width + 1) + count]
        let index = steps - place.lowest
        if index <= 0 { return 1 }
        return index < place.length ? min(arena[place.start + index], 1) : 0
    }
}
