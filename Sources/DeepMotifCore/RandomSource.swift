// RandomSource: the one random generator of the engine, split by purpose. Core room.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a stream of random numbers is for; one purpose never disturbs another.
package enum RandomPurpose: UInt64, Sendable {
    case initialization = 1
    case shuffling
    case dropout
    case dinucleotideShuffle
    case simulation
    case classOptimization
    case featureMaps
}

/// SplitMix64's finalizer: a bijection of 64 bits in which every input bit moves every output bit.
@inlinable
package func mixBits(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z &>> 31)
}

/// xoshiro256++ (Blackman and Vigna 2019), seeded from (seed, purpose, stream) by SplitMix64.
package struct RandomSource: RandomNumberGenerator, Sendable {
    private var s0: UInt64
    private var s1: UInt64
    private var s2: UInt64
    private var s3: UInt64

    package init(seed: UInt64, purpose: RandomPurpose, stream: UInt64 = 0) {
        var state = RandomSource.key(seed: seed, purpose: purpose, stream: stream)
        func draw() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            return mixBits(state)
        }
        s0 = draw()
        s1 = draw()
        s2 = draw()
        s3 = draw()
    }

    /// 64 bits that name a stream: the seed of a generator, or the key of a counter-based one (dropout).
    package static func key(seed: UInt64, purpose: RandomPurpose, stream: UInt64) -> UInt64 {
        let first = mixBits(seed &+ 0x9E37_79B9_7F4A_7C15 &* purpose.rawValue)
        return mixBits(first ^ mixBits(stream &+ 0xD1B5_4A32_D192_ED03))
    }

    package mutating func next() -> UInt64 {
        let sum = s0 &+ s3
        let result = ((sum &<< 23) | (sum &>> 41)) &+ s0
        let shifted = s1 &<< 17
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= shifted
        s3 = (s3 &<< 45) | (s3 &>> 19)
        return result
    }

    /// Uniform in [0, 1) with 53 random bits.
    package mutating func uniform() -> Double {
        Double(next() &>> 11) * 0x1p-53
    }

    /// Uniform in [0, 1) with 24 random bits.
    package mutating func uniformFloat() -> Float {
        Float(next() &>> 40) * 0x1p-24
    }

    /// Uniform in 0 ..< bound without bias (Lemire 2019).
    package mutating func below(_ bound: Int) -> Int {
        precondition(bound > 0)
        let range = UInt64(bound)
        var product = next().multipliedFullWidth(by: range)
        if product.low < range {
            let threshold = (0 &- range) % range
            while product.low < threshold { product = next().multipliedFullWidth(by: range) }
        }
        return Int(product.high)
    }

    /// Standard normal (Box and Muller 1958; one of the pair is used, so every draw costs the same two words).
    package mutating func normal() -> Double {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * Double.pi * uniform())
    }

    /// Fisher-Yates shuffle.
    package mutating func shuffle<Element: BitwiseCopyable>(_ items: UnsafeMutablePointer<Element>, count: Int) {
        guard count > 1 else { return }
        for i in stride(from: count - 1, to: 0, by: -1) {
            let j = below(i + 1)
            let kept = items[i]
            items[i] = items[j]
            items[j] = kept
        }
    }
}
