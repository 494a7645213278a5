// TomtomTests: motifs compared as a whole; python/tests has the slow twin of every distance.

import DeepMotifCore
import DeepMotifMotifs
import Testing

/// Matrices of random probabilities (width, 4).
private func randomMotifs(widths: [Int], seed: UInt64) -> [[Double]] {
    var random = RandomSource(seed: seed, purpose: .simulation)
    return widths.map { width in
        (0..<width).flatMap { _ in
            let raw = (0..<4).map { _ in random.uniform() + 0.01 }
            let sum = raw.reduce(0, +)
            return raw.map { $0 / sum }
        }
    }
}

private func turned(_ motif: [Double]) -> [Double] { motif.reversed() }

/// Motifs in memory of their own, which the engine borrows.
private final class Motifs {
    let columns: Buffer<Double>
    let widths: Buffer<Int64>
    let sites: Buffer<Double>

    init(_ matrices: [[Double]], sites count: Double = 20) throws {
        let flat = Array(matrices.joined())
        columns = try Buffer(count: flat.count)
        widths = try Buffer(count: matrices.count)
        sites = try Buffer(count: matrices.count)
        for (i, value) in flat.enumerated() { columns.pointer[i] = value }
        for (i, matrix) in matrices.enumerated() {
            widths.pointer[i] = Int64(matrix.count / 4)
            sites.pointer[i] = count
        }
    }

    func view(_ name: String) throws -> MotifColumns {
        try MotifColumns(
            probabilities: columns.readOnly, widths: widths.readOnly, sites: sites.readOnly, count: widths.count,
            name: name)
    }
}

private struct Outcome: Equatable {
    let pValues: [Double]
    let qValues: [Double]
    let offsets: [Int32]
    let overlaps: [Int32]
    let reversed: [UInt8]
    let order: [Int64]
}

private func array<Element>(_ buffer: Buffer<Element>) -> [Element] {
    Array(UnsafeBufferPointer(start: buffer.pointer, count: buffer.count))
}

private func compare(
    _ queries: [[Double]], _ targets: [[Double]], _ options: TomtomOptions = TomtomOptions(), threads: Int = 1
) throws -> Outcome {
    let querySide = try Motifs(queries)
    let targetSide = try Motifs(targets)
    let size = queries.count * targets.count
    let p = try Buffer<Double>(count: size)
    let q = try Buffer<Double>(count: size)
    let offsets = try Buffer<Int32>(count: size)
    let overlaps = try Buffer<Int32>(count: size)
    let reversed = try Buffer<UInt8>(count: size)
    let order = try Buffer<Int64>(count: size)
    try Tomtom.compare(
        queries: try querySide.view("queries"), targets: try targetSide.view("targets"), options: options,
        threads: threads,
        results: TomtomResults(
            pValues: p.pointer, qValues: q.pointer, offsets: offsets.pointer, overlaps: overlaps.pointer,
            reversed: reversed.pointer, order: order.pointer))
    return Outcome(
        pValues: array(p), qValues: array(q), offsets: array(offsets), overlaps: array(overlaps),
        reversed: array(reversed), order: array(order))
}

@Suite struct TomtomTests {
    @Test(arguments: TomtomDistance.allCases, [true, false])
    func findsTheMotifItself(distance: TomtomDistance, complete: Bool) throws {
        let targets = randomMotifs(widths: (0..<60).map { 8 + $0 % 7 }, seed: 1)
        var options = TomtomOptions()
        options.distance = distance
        options.completeScores = complete
        let result = try compare([targets[5], turned(targets[7])], targets, options)
        for (query, target, strand) in [(0, 5, 0), (1, 7, 1)] {
            let i = query * targets.count + target
            #expect(result.order[query * targets.count] == Int64(target))
            #expect(result.offsets[i] == 0)
            #expect(result.overlaps[i] == Int32(targets[target].count / 4))
            #expect(result.reversed[i] == UInt8(strand))
            #expect(result.pValues[i] < 1e-3)
        }
    }

    @Test func overhangsHaveTheirSign() throws {
        var targets = randomMotifs(widths: (0..<40).map { _ in 10 }, seed: 2)
        let inner = Array(targets[0][(3 * 4)..<(9 * 4)])
        var result = try compare([inner], targets)
        #expect(result.order[0] == 0)
        #expect(result.offsets[0] == 3)
        #expect(result.overlaps[0] == 6)
        let query = targets[0]
        targets[0] = inner
        result = try compare([query], targets)
        #expect(result.order[0] == 0)
        #expect(result.offsets[0] == -3)
        #expect(result.overlaps[0] == 6)
    }

    @Test func threadsDoNotMatter() throws {
        let queries = randomMotifs(widths: [3, 12, 7, 20, 1], seed: 3)
        let targets = randomMotifs(widths: (1...31).map { $0 }, seed: 4)
        #expect(try compare(queries, targets, threads: 1) == compare(queries, targets, threads: 4))
    }

    @Test func refusesWhatCannotBeCompared() throws {
        let targets = randomMotifs(widths: [4, 5], seed: 5)
        #expect(throws: DeepMotifError.self) { try compare(targets, []) }
        #expect(throws: DeepMotifError.self) { try compare([[]], targets) }
        for wrong in [-0.1, 1.5, .nan, .infinity] {
            #expect(throws: DeepMotifError.self) { try compare([[wrong, 0.2, 0.3, 0.4]], targets) }
        }
        for sites in [0, -1, .nan, .infinity] {
            let side = try Motifs(targets, sites: sites)
            #expect(throws: DeepMotifError.self) { try side.view("targets") }
        }
        let tooWide = [[Double](repeating: 0.25, count: 4 * (MotifColumns.maximumWidth + 1))]
        #expect(throws: DeepMotifError.self) { try compare(tooWide, targets) }
        var options = TomtomOptions()
        options.background = [0.5, 0.5, 0.5, 0.5]
        #expect(throws: DeepMotifError.self) { try compare(targets, targets, options) }
        options = TomtomOptions()
        options.minimumOverlap = 0
        #expect(throws: DeepMotifError.self) { try compare(targets, targets, options) }
    }

    /// The widest motifs allowed against wide and narrow targets stay in memory and in range. Debug builds are slow.
    @Test func widestMotifs() throws {
        #if DEBUG
            let widest = 60
        #else
            let widest = MotifColumns.maximumWidth
        #endif
        let queries = randomMotifs(widths: [widest, 1], seed: 6)
        let result = try compare(queries, randomMotifs(widths: [4, 1, 30], seed: 7) + [queries[0]])
        #expect(result.order[0] == 3)
        #expect(result.offsets[3] == 0)
        #expect(result.pValues.allSatisfy { $0 >= 0 && $0 <= 1 })
    }
}

@Suite struct RankSelectorTests {
    @Test(arguments: [1, 2, 3, 17, 1000])
    func equalsSorting(count: Int) throws {
        var random = RandomSource(seed: UInt64(count), purpose: .simulation)
        // Many ties, and one value far away that crowds the others into few bins.
        var values = (0..<count).map { _ in (random.uniform() * 50).rounded() }
        values[count / 2] = 1e6
        let selector = try RankSelector(count: count)
        let sorted = values.sorted()
        for first in 0..<count {
            for second in first..<min(first + 2, count) {
                let mean = selector.meanOfRanks(first, second, of: values, least: sorted[0], most: sorted[count - 1])
                #expect(mean == (sorted[first] + sorted[second]) / 2)
            }
        }
    }
}

@Suite struct SpanTailsTests {
    /// Every combination of one step a column, counted.
    @Test func enumeration() throws {
        let counts = [[3: 2, 10: 1], [0: 1, 1: 3, 100: 1], [50: 4]]
        let spans = try SpanTails(widest: 3, targetWidths: [2])
        for (column, steps) in counts.enumerated() {
            let histogram = spans.counts(of: column)
            for i in 0...100 { histogram[i] = steps[i] ?? 0 }
        }
        spans.prepare(width: 3)
        for (first, count) in [(0, 1), (0, 2), (1, 2), (2, 1)] {
            var sums = [(steps: 0, probability: 1.0)]
            for column in counts[first..<(first + count)] {
                let total = Double(column.values.reduce(0, +))
                sums = sums.flatMap { sum in
                    column.map { (sum.steps + $0.key, sum.probability * Double($0.value) / total) }
                }
            }
            for threshold in -1...202 {
                let expected = sums.filter { $0.steps >= threshold }.reduce(0) { $0 + $1.probability }
                // Sums of at most 6 terms near 1.
                #expect(abs(spans.tail(from: first, count: count, steps: threshold) - expected) <= 8 * 0x1p-53)
            }
        }
    }
}

@Suite struct StepGridTests {
    @Test(arguments: [(-1.3, 0.9), (-0.2, 0.0), (0.0, 1.0), (-350.5, 120.25), (-1e-3, 1e-3)])
    func zeroIsAStep(lowest: Double, highest: Double) {
        let grid = StepGrid(lowest: lowest, highest: highest, levels: 100)
        #expect(grid.level(0) == grid.zero)
        #expect(grid.level(lowest) >= 0)
        #expect(grid.level(highest) <= 100)
        #expect(grid.level(highest) >= grid.level(lowest))
        #expect(grid.level(.nan) == 0)
    }
}
