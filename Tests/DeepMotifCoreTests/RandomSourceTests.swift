// RandomSourceTests: streams are reproducible, independent and unbiased.

import DeepMotifCore
import Testing

@Suite struct RandomSourceTests {
    @Test func sameKeySameNumbers() {
        var a = RandomSource(seed: 7, purpose: .shuffling, stream: 3)
        var b = RandomSource(seed: 7, purpose: .shuffling, stream: 3)
        for _ in 0..<100 { #expect(a.next() == b.next()) }
    }

    @Test func purposesAndStreamsDiffer() {
        var seen = Set<UInt64>()
        for stream in 0..<100 as Range<UInt64> {
            for purpose in [RandomPurpose.initialization, .shuffling, .dropout] {
                var source = RandomSource(seed: 1, purpose: purpose, stream: stream)
                seen.insert(source.next())
            }
        }
        #expect(seen.count == 300)
    }

    /// The count of each face of a 6-sided die is binomial: 5 standard deviations bound it but for one run in 10^6.
    @Test func belowIsUniform() {
        var source = RandomSource(seed: 11, purpose: .simulation)
        var counts = [Int](repeating: 0, count: 6)
        let draws = 60_000
        for _ in 0..<draws { counts[source.below(6)] += 1 }
        let deviation = (Double(draws) * (1.0 / 6) * (5.0 / 6)).squareRoot()
        for count in counts { #expect(abs(Double(count) - Double(draws) / 6) < 5 * deviation) }
    }

    /// Standard error of the mean of n normals is 1/sqrt(n), of their variance sqrt(2/n); 5 of each are allowed.
    @Test func normalHasUnitVariance() {
        var source = RandomSource(seed: 5, purpose: .initialization)
        let n = 40_000
        var sum = 0.0
        var squares = 0.0
        for _ in 0..<n {
            let x = source.normal()
            sum += x
            squares += x * x
        }
        #expect(abs(sum / Double(n)) < 5 / Double(n).squareRoot())
        #expect(abs(squares / Double(n) - 1) < 5 * (2 / Double(n)).squareRoot())
    }
}
