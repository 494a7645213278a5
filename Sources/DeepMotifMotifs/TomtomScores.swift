// TomtomScores: the score of one query column with every target column. Motifs room.

import DeepMotifCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension TomtomColumns {
    /// Scores (count,) of these targets with a column of the queries.
    func scores(
        column: Int, of queries: TomtomColumns, options: TomtomOptions, scores: UnsafeMutablePointer<Double>
    ) {
        let q = queries.probabilities(column)
        let derivedQ = queries.derivedValues(column)
        let scalarQ = queries.scalar.pointer[column]
        switch options.distance {
        case .euclidean: for i in 0..<count { scores[i] = -squaredDistance(q, i).squareRoot() }
        case .sandelin: for i in 0..<count { scores[i] = 2 - squaredDistance(q, i) }
        case .pearson: pearson(derivedQ, scalarQ, scores)
        case .kullback: kullback(q, derivedQ, scores)
        case .allr: allr(q, derivedQ, scalarQ, scores)
        case .blic1, .blic5:
            let measure = BLiC(options)
            for i in 0..<count {
                let common = measure.common(derivedQ + derivedValues(i))
                scores[i] = common - scalarQ - scalar.pointer[i]
            }
        }
    }

    @inline(__always)
    private func squaredDistance(_ q: SIMD4<Double>, _ i: Int) -> Double {
        let t = letters.pointer
        let a = q[0] - t[i]
        let c = q[1] - t[count &+ i]
        let g = q[2] - t[2 &* count &+ i]
        let u = q[3] - t[3 &* count &+ i]
        return a * a + c * c + g * g + u * u
    }

    /// Pearson's correlation of the four probabilities; a column without preference correlates with nothing.
    private func pearson(_ q: SIMD4<Double>, _ norm: Double, _ scores: UnsafeMutablePointer<Double>) {
        let t = derived.pointer
        for i in 0..<count {
            let left = q[0] * t[i] + q[1] * t[count &+ i]
            let right = q[2] * t[2 &* count &+ i] + q[3] * t[3 &* count &+ i]
            let length = (norm * scalar.pointer[i]).squareRoot()
            let value = (left + right) / length
            scores[i] = length == 0 ? 0 : value
        }
    }

    /// Minus the mean of both Kullback-Leibler divergences, in decimal digits.
    private func kullback(_ q: SIMD4<Double>, _ logs: SIMD4<Double>, _ scores: UnsafeMutablePointer<Double>) {
        let t = letters.pointer
        let l = derived.pointer
        for i in 0..<count {
            let a = (q[0] - t[i]) * (logs[0] - l[i])
            let c = (q[1] - t[count &+ i]) * (logs[1] - l[count &+ i])
            let g = (q[2] - t[2 &* count &+ i]) * (logs[2] - l[2 &* count &+ i])
            let u = (q[3] - t[3 &* count &+ i]) * (logs[3] - l[3 &* count &+ i])
            scores[i] = -(a + c + g + u) / 2
        }
    }

    /// Average log-likelihood ratio (Wang and Stormo 2003).
    private func allr(
        _ q: SIMD4<Double>, _ odds: SIMD4<Double>, _ sites: Double, _ scores: UnsafeMutablePointer<Double>
    ) {
        let t = letters.pointer
        let l = derived.pointer
        for i in 0..<count {
            var targets = 0.0
            var queries = 0.0
            var mass = 0.0
            for letter in 0..<letterCount {
                let p = t[letter &* count &+ i]
                targets += p * odds[letter]
                queries += q[letter] * l[letter &* count &+ i]
                mass += p
            }
            let n = scalar.pointer[i]
            scores[i] = (n * targets + sites * queries) / (sites * q.sum() + n * mass)
        }
    }
}

/// Bayesian likelihood two-component score of two columns of counts (Habib et al. 2008, equation 2), with one Dirichlet
/// prior or a mixture of five.
struct BLiC {
    private let mixture: Bool
    private let logBackground: SIMD4<Double>

    init(_ options: TomtomOptions) {
        mixture = options.distance == .blic5
        let b = options.background
        logBackground = SIMD4(log(b[0]), log(b[1]), log(b[2]), log(b[3]))
    }

    /// Log-likelihood of the counts under the source estimated from them.
    func single(_ counts: SIMD4<Double>) -> Double { (counts * logSource(counts)).sum() }

    /// The terms of the counts of both columns together: twice their likelihood, less that of the background.
    func common(_ counts: SIMD4<Double>) -> Double { (counts * (2 * logSource(counts) - logBackground)).sum() }

    private func logSource(_ counts: SIMD4<Double>) -> SIMD4<Double> {
        let source = mixture ? mixedSource(counts) : (counts + 1) / (counts.sum() + 4)
        return SIMD4(log(source[0]), log(source[1]), log(source[2]), log(source[3]))
    }

    /// Mean of the components' estimates by their posterior. Four components favour one letter (5, 1, 1, 1), the fifth
    /// none (2, 2, 2, 2); the gamma functions of their likelihoods cancel to these products.
    private func mixedSource(_ counts: SIMD4<Double>) -> SIMD4<Double> {
        let one: SIMD4<Double> = counts + 1
        let two: SIMD4<Double> = counts + 2
        let upper: SIMD4<Double> = (counts + 3) * (counts + 4)
        let favours: SIMD4<Double> = one * two * upper * (1 / 24)
        let even: Double = one[0] * one[1] * one[2] * one[3]
        let sum: Double = favours.sum()
        var estimate: SIMD4<Double> = one * sum
        estimate += favours * 4
        estimate += two * even
        let weight: Double = (sum + even) * (counts.sum() + 8)
        return estimate / weight
    }
}
