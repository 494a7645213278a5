// Exponentials: exp, sigmoid and tanh of whole vectors. Range reduction by ln 2 in two parts (Cody and Waite 1980), then
// a polynomial; rounding by adding 1.5 * 2^23, because `rounded()` compiles to a call per lane.

import DeepMotifKernelTable

/// 2^n and exp(r) - 1 for x = n ln 2 + r, |r| <= ln 2 / 2; x within -87.3 ... 88.
@inline(__always)
private func reduceExponential(_ x: Lanes) -> (scale: Lanes, excess: Lanes) {
    let magic = Lanes(repeating: 12_582_912)
    let shifted = accumulate(magic, x, Lanes(repeating: 1.442_695_04))
    let n = shifted - magic
    var r = accumulate(x, n, Lanes(repeating: -0.693_359_375))
    r = accumulate(r, n, Lanes(repeating: 2.121_944_4e-4))
    var p = accumulate(Lanes(repeating: 8.336_507_1e-3), r, Lanes(repeating: 1.392_631_1e-3))
    p = accumulate(Lanes(repeating: 4.166_648_4e-2), r, p)
    p = accumulate(Lanes(repeating: 1.666_664_6e-1), r, p)
    p = accumulate(Lanes(repeating: 0.5), r, p)
    let excess = accumulate(r, r * r, p)
    // The low bits of `shifted` hold n in two's complement.
    let exponent = (unsafeBitCast(shifted, to: IntLanes.self) &+ IntLanes(repeating: 127)) &<< IntLanes(repeating: 23)
    return (unsafeBitCast(exponent, to: Lanes.self), excess)
}

/// x limited to low ... high; NaN stays NaN.
@inline(__always)
private func limited(_ x: Lanes, _ low: Float, _ high: Float) -> Lanes {
    let raised = x.replacing(with: Lanes(repeating: low), where: x .< Lanes(repeating: low))
    return raised.replacing(with: Lanes(repeating: high), where: raised .> Lanes(repeating: high))
}

/// 1 / (1 + exp(-x)).
@inline(__always)
func sigmoidLanes(_ x: Lanes) -> Lanes {
    let (scale, excess) = reduceExponential(limited(-x, -87, 87))
    return Lanes(repeating: 1) / (Lanes(repeating: 1) + accumulate(scale, scale, excess))
}

/// t / (t + 2) with t = exp(2x) - 1 formed without cancellation, so that tanh keeps its relative accuracy near zero.
@inline(__always)
func tanhLanes(_ x: Lanes) -> Lanes {
    let (scale, excess) = reduceExponential(limited(x + x, -40, 40))
    let t = accumulate(scale - Lanes(repeating: 1), scale, excess)
    return t / (t + Lanes(repeating: 2))
}
