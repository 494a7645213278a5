// MarkovChainTests: frequencies, reproducibility and refusals of background sequences.

import DeepMotifCore
import DeepMotifSequences
import Testing

@Suite struct MarkovChainTests {
    private let initial = [0.1, 0.2, 0.3, 0.4]
    private let transitions = [0.7, 0.1, 0.1, 0.1, 0, 0, 1, 0, 0.25, 0.25, 0.25, 0.25, 0.5, 0, 0, 0.5]

    /// Every count is binomial given its row's total: 5 deviations bound it but for one run in 10^6.
    @Test func frequenciesAreThoseAsked() throws {
        let chain = try MarkovChain(initial: initial, transitions: transitions)
        let (count, length) = (4000, 30)
        var codes = [UInt8](repeating: 9, count: count * length)
        chain.sample(count: count, length: length, seed: 4, threads: 2, codes: &codes)
        var first = [Int](repeating: 0, count: 4)
        var pairs = [Int](repeating: 0, count: 16)
        for row in 0..<count {
            first[Int(codes[row * length])] += 1
            for i in 1..<length { pairs[Int(codes[row * length + i - 1]) * 4 + Int(codes[row * length + i])] += 1 }
        }
        func check(_ observed: Int, of total: Int, _ p: Double) {
            let deviation = (Double(total) * p * (1 - p)).squareRoot()
            #expect(abs(Double(observed) - Double(total) * p) <= 5 * deviation)
        }
        for letter in 0..<4 {
            check(first[letter], of: count, initial[letter])
            let total = pairs[(letter * 4)..<(letter * 4 + 4)].reduce(0, +)
            for next in 0..<4 { check(pairs[letter * 4 + next], of: total, transitions[letter * 4 + next]) }
        }
    }

    @Test func threadsDoNotMatter() throws {
        let chain = try MarkovChain(initial: initial, transitions: transitions)
        var one = [UInt8](repeating: 0, count: 500 * 41)
        var three = one
        chain.sample(count: 500, length: 41, seed: 8, threads: 1, codes: &one)
        chain.sample(count: 500, length: 41, seed: 8, threads: 3, codes: &three)
        #expect(one == three)
    }

    @Test func refusesWhatIsNoDistribution() {
        let even = [Double](repeating: 0.25, count: 16)
        for wrong in [[0.5, 0.5, 0.5, 0.5], [-0.5, 0.5, 0.5, 0.5], [.nan, 0, 0, 1], [.infinity, 0, 0, 0]] {
            #expect(throws: DeepMotifError.self) { try MarkovChain(initial: wrong, transitions: even) }
            #expect(throws: DeepMotifError.self) {
                try MarkovChain(initial: even, transitions: Array(even[0..<12]) + wrong)
            }
        }
    }
}
