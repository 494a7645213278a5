// Peak: multiply-adds on registers alone, the yardstick that the benchmark holds the products against.

import DeepMotifKernelTable

/// Multiply-adds of one step of `multiplyAddLoop`, each of laneCount elements.
private let chains = 12

/// Runs `steps` steps of independent multiply-adds and returns how many floating-point operations that were.
package func multiplyAddLoop(_ steps: Int, _ result: MutableFloats) -> Int {
    let factor = Lanes(repeating: 0.999_999)
    let term = Lanes(repeating: 1e-6)
    // Different starts, or equal chains would be computed once.
    var (a, b, c) = (Lanes(repeating: 10), Lanes(repeating: 2), Lanes(repeating: 3))
    var (d, e, f) = (Lanes(repeating: 4), Lanes(repeating: 5), Lanes(repeating: 6))
    var (g, h, i) = (Lanes(repeating: 7), Lanes(repeating: 8), Lanes(repeating: 9))
    var (j, k, l) = (Lanes(repeating: 11), Lanes(repeating: 12), Lanes(repeating: 13))
    for _ in 0..<steps {
        a = accumulate(term, a, factor)
        b = accumulate(term, b, factor)
        c = accumulate(term, c, factor)
        d = accumulate(term, d, factor)
        e = accumulate(term, e, factor)
        f = accumulate(term, f, factor)
        g = accumulate(term, g, factor)
        h = accumulate(term, h, factor)
        i = accumulate(term, i, factor)
        j = accumulate(term, j, factor)
        k = accumulate(term, k, factor)
        l = accumulate(term, l, factor)
    }
    result[0] = (((a + b) + (c + d)) + ((e + f) + (g + h)) + ((i + j) + (k + l)))[0]
    return steps * chains * 2 * laneCount
}
