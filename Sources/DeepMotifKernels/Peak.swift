// Peak: multiply-adds on registers alone, the yardstick that the benchmark holds the products against.

import DeepMotifKernelTable

/// Multiply-adds of one step of `multiplyAddLoop`, each of laneCount elements.
private let chains = 12

/// Runs `steps` steps of independent multiply-adds and returns how many floating-point operations that were.
package func multiplyAddLoop(_ steps: Int, _ result: MutableFloats) -> Int {
    let factor = Lanes(repeating: 0.999_999)
    let term = Lanes(repeating: 1e-6)
    var (a, b, c, d, e, f) = (factor, term, factor, term, factor, term)
    var (g, h, i, j, k, l) = (term, factor, term, factor, term, factor)
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
