// DinucleotideShuffleTests: what a shuffle keeps, and that it is uniform over all sequences that keep it.

import DeepMotifCore
import DeepMotifSequences
import Testing

/// Codes of letters, N and everything else as the unknown one.
func codes(_ text: String) -> [UInt8] {
    text.map { UInt8(Array("ACGT").firstIndex(of: $0) ?? 4) }
}

private func shuffles(_ row: [UInt8], times: Int, seed: UInt64 = 1, threads: Int = 1) throws -> [[UInt8]] {
    let input = Array((0..<times).map { _ in row }.joined())
    var output = [UInt8](repeating: 255, count: input.count)
    try dinucleotideShuffle(
        codes: input, count: times, length: row.count, seed: seed, firstRow: 0, threads: threads, shuffled: &output)
    return (0..<times).map { Array(output[($0 * row.count)..<(($0 + 1) * row.count)]) }
}

private func dinucleotides(_ row: [UInt8]) -> [Int] {
    var counts = [Int](repeating: 0, count: 25)
    for (a, b) in zip(row, row.dropFirst()) { counts[Int(a) * 5 + Int(b)] += 1 }
    return counts
}

/// All orders of the letters that keep the dinucleotide counts, by depth-first search over the remaining pairs.
private func allShuffles(_ row: [UInt8]) -> Set<[UInt8]> {
    var found = Set<[UInt8]>()
    var left = dinucleotides(row)
    func extend(_ walk: [UInt8]) {
        if walk.count == row.count {
            if walk.sorted() == row.sorted() { found.insert(walk) }
            return
        }
        for next in 0..<5 as Range<UInt8> {
            let pair = Int(walk[walk.count - 1]) * 5 + Int(next)
            if left[pair] == 0 { continue }
            left[pair] -= 1
            extend(walk + [next])
            left[pair] += 1
        }
    }
    for first in Set(row) { extend([first]) }
    return found
}

@Suite struct DinucleotideShuffleTests {
    @Test(arguments: ["", "A", "AC", "ACA", "AAAA", "ACGT", "NNANN", "ACCCACGATGATG", "GGGGGGGGGGGGGGGGGGGGGGGGGGGA"])
    func keepsDinucleotides(_ text: String) throws {
        let expected = dinucleotides(codes(text))
        for shuffled in try shuffles(codes(text), times: 50) { #expect(dinucleotides(shuffled) == expected) }
    }

    @Test func keepsDinucleotidesOfRandomSequences() throws {
        var random = RandomSource(seed: 3, purpose: .simulation)
        for length in [4, 5, 17, 101, 1000] {
            for letters in 1...5 {
                let row = (0..<length).map { _ in UInt8(random.below(letters)) }
                let shuffled = try shuffles(row, times: 1)[0]
                #expect(dinucleotides(shuffled) == dinucleotides(row))
                #expect(shuffled.first == row.first && shuffled.last == row.last)
            }
        }
    }

    /// Chi-square of the counts of every possible shuffle. Its mean is the degrees of freedom d and its deviation
    /// sqrt(2 d); 6 deviations are passed by chance less than once in a million even with its skew.
    @Test(arguments: [("ACCCACGATGATG", 27), ("ACGNTACGANCGA", 0), ("AACCAACCAA", 0), ("NACNANCAN", 0)])
    func isUniform(_ text: String, _ known: Int) throws {
        let row = codes(text)
        let all = allShuffles(row)
        if known > 0 { #expect(all.count == known) }
        #expect(all.count > 3)
        var counts: [[UInt8]: Int] = [:]
        let draws = 2000 * all.count
        for shuffled in try shuffles(row, times: draws) { counts[shuffled, default: 0] += 1 }
        #expect(Set(counts.keys) == all)
        var chiSquare = 0.0
        for count in counts.values { chiSquare += Double((count - 2000) * (count - 2000)) / 2000 }
        let freedom = Double(all.count - 1)
        #expect(chiSquare < freedom + 6 * (2 * freedom).squareRoot())
    }

    @Test func threadsAndBlocksDoNotMatter() throws {
        var random = RandomSource(seed: 9, purpose: .simulation)
        let length = 60
        let input = (0..<(200 * length)).map { _ in UInt8(random.below(5)) }
        var one = [UInt8](repeating: 0, count: input.count)
        var four = one
        var late = [UInt8](repeating: 0, count: 50 * length)
        try dinucleotideShuffle(
            codes: input, count: 200, length: length, seed: 5, firstRow: 0, threads: 1, shuffled: &one)
        try dinucleotideShuffle(
            codes: input, count: 200, length: length, seed: 5, firstRow: 0, threads: 4, shuffled: &four)
        #expect(one == four)
        try input.withUnsafeBufferPointer { codes throws(DeepMotifError) in
            try dinucleotideShuffle(
                codes: codes.baseAddress! + 150 * length, count: 50, length: length, seed: 5, firstRow: 150, threads: 2,
                shuffled: &late)
        }
        #expect(late == Array(one[(150 * length)...]))
        #expect(one != input)
    }
}
