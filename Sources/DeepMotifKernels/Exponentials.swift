// Exponentials: exp, sigmoid and tanh of whole vectors. Range reduction by ln 2 in two parts (Cody and Waite 1980), then
// a minimax polynomial (relative error of exp(r) - 1 at most 0.23 * 2^-24); rounding by adding 1.5 * 2^23, because
// `rounded()` compiles to a call per lane.

import DeepMotifKernelTable

/// 2^(n + bias - 127) and exp(r) - 1 for x = n ln 2 + r, |r| <= ln 2 / 2; x within -87.3 ... 88 for a bias of 127.
@inline(__always)
private func reduceExponential(_ x: Lanes, bias: UInt32 = 127) -> (scale: Lanes, excess: Lanes) {
    let magic = Lanes(repeating: 12_582_912)
    let shifted = accumulate(magic, x, Lanes(repeating: 1.442_695_04))
    let n = shifted - magic
    var r = accumulate(x, n, Lanes(repeating: -0.693_359_375))
    r = accumulate(r, n, Lanes(repeating: 2.121_944_4e-4))
    var p = accumulate(Lanes(repeating: 0.008_366_272), r, Lanes(repeating: 0.001_387_069_2))
    p = accumulate(Lanes(repeating: 0.041_667_435), r, p)
    p = accumulate(Lanes(repeating: 0.166_665_46), r, p)
    p = accumulate(Lanes(repeating: 0.499_999_97), r, p)
    let excess = accumulate(r, r * r, p)
    // The low bits of `shifted` hold n in two's complement; a product, since a shift of a vector is a call per lane.
    let biased = unsafeBitCast(shifted, to: IntLanes.self) &+ IntLanes(repeating: bias)
    let exponent = biased &* IntLanes(repeating: 1 << 23)
    return (unsafeBitCast(exponent, to: Lanes.self), excess)
}

/// e / (1 + e) with e = exp(x).
@inline(__always)
func sigmoidLanes(_ x: Lanes) -> Lanes {
    let (scale, excess) = reduceExponential(limited(x, -87, 87))
    let e = accumulate(scale, scale, excess)
    return e / (Lanes(repeating: 1) + e)
}

/// t / (t + 2) with t = exp(2x) - 1 formed without cancellation, so that tanh keeps its relative accuracy near zero.
@inline(__always)
func tanhLanes(_ x: Lanes) -> Lanes {
    let half = limited(x, -20, 20)
    let (scale, excess) = reduceExponential(half + half)
    let t = accumulate(scale - Lanes(repeating: 1), scale, excess)
    return t / (t + Lanes(repeating: 2))
}

/// exp(x): infinity above 88.7, 1.8e-38 below -86.9. Half of it is formed first, since 2^n overflows before exp(x) does.
@inline(__always)
func exponentialLanes(_ x: Lanes) -> Lanes {
    let (scale, excess) = reduceExponential(limited(x, -86.9, 89), bias: 126)
    let half = accumulate(scale, scale, excess)
    return half + half
}

/// exp(x) - 1 for x up to 0 without cancellation; above 0 it stays finite and is not meant to be used.
@inline(__always)
func exponentialMinusOneLanes(_ x: Lanes) -> Lanes {
    let (scale, excess) = reduceExponential(limited(x, -87, 1))
    return accumulate(scale - Lanes(repeating: 1), scale, excess)
}
