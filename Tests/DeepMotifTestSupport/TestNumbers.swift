// TestNumbers: reproducible inputs and comparisons against an error model. Test support.

import DeepMotifCore

/// Unit roundoff of Float: half the distance from 1 to the next number.
package let unitRoundoff = 0x1p-24

/// Uniform numbers in -bound ... bound.
package func testFloats(_ count: Int, seed: UInt64, bound: Float = 1) -> [Float] {
    var source = RandomSource(seed: seed, purpose: .simulation)
    return (0..<count).map { _ in (2 * source.uniformFloat() - 1) * bound }
}

/// The same with about `density` of the elements different from zero.
package func sparseFloats(_ count: Int, seed: UInt64, density: Double) -> [Float] {
    var source = RandomSource(seed: seed, purpose: .simulation)
    return (0..<count).map { _ in
        let value = 2 * source.uniformFloat() - 1
        return source.uniform() < density ? value : 0
    }
}

/// Codes 0 ... 4; one in ten is unknown.
package func testCodes(_ count: Int, seed: UInt64) -> [UInt8] {
    var source = RandomSource(seed: seed, purpose: .simulation)
    return (0..<count).map { _ in source.below(10) == 0 ? 4 : UInt8(source.below(4)) }
}

extension Array where Element == Float {
    package var doubles: [Double] { map(Double.init) }
    package var magnitudes: [Double] { map { abs(Double($0)) } }
}

extension Array where Element == Double {
    package var magnitudes: [Double] { map(abs) }
    package var floats: [Float] { map { Float($0) } }
    package var largest: Double { reduce(0) { Swift.max($0, abs($1)) } }
}

/// The largest |actual - expected| / allowed; infinity where a NaN or a count differs. A test demands at most 1.
package func worstRatio(_ actual: [Float], _ expected: [Double], allowed: [Double]) -> Double {
    guard actual.count == expected.count, allowed.count == expected.count else { return .infinity }
    var worst = 0.0
    for i in actual.indices {
        let difference = abs(Double(actual[i]) - expected[i])
        if difference == 0 { continue }
        let ratio = difference / allowed[i]
        worst = ratio.isNaN ? .infinity : max(worst, ratio)
    }
    return worst
}

/// Bound of a sum of `terms` products in any order of summation, fused or not: (terms + 2) u sum |a b| (Higham 2002,
/// section 3.1), plus the smallest normal number for what underflows.
package func summationBounds(terms: Int, magnitudes: [Double]) -> [Double] {
    magnitudes.map { Double(terms + 2) * unitRoundoff * $0 + Double(Float.leastNormalMagnitude) }
}
