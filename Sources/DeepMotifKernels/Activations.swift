// Activations: the less common activation functions. Tails go through the same vector functions, so that an element does
// not depend on its place.

import DeepMotifKernelTable

/// The next vector, zero behind the last of `left` elements.
@inline(__always)
func loadPart(_ pointer: Floats, _ left: Int) -> Lanes {
    left >= laneCount ? load(pointer) : loadFirst(pointer, left)
}

/// Stores no more than `left` elements.
@inline(__always)
func storePart(_ value: Lanes, _ pointer: MutableFloats, _ left: Int) {
    if left >= laneCount { store(value, pointer) } else { storeFirst(value, pointer, left) }
}

func leakyReLU(_ x: Floats, _ y: MutableFloats, _ count: Int, _ slope: Float) {
    var i = 0
    while i < count {
        let value = loadPart(x + i, count - i)
        storePart(select(value .> Lanes(), value, value * Lanes(repeating: slope)), y + i, count - i)
        i += laneCount
    }
}

func leakyReLUGradient(_ y: Floats, _ dy: Floats, _ dx: MutableFloats, _ count: Int, _ slope: Float) {
    var i = 0
    while i < count {
        let (value, gradient) = (loadPart(y + i, count - i), loadPart(dy + i, count - i))
        storePart(select(value .> Lanes(), gradient, gradient * Lanes(repeating: slope)), dx + i, count - i)
        i += laneCount
    }
}

func elu(_ x: Floats, _ y: MutableFloats, _ count: Int, _ alpha: Float) {
    var i = 0
    while i < count {
        let value = loadPart(x + i, count - i)
        let negative = exponentialMinusOneLanes(value) * Lanes(repeating: alpha)
        storePart(select(value .> Lanes(), value, negative), y + i, count - i)
        i += laneCount
    }
}

func eluGradient(_ y: Floats, _ dy: Floats, _ dx: MutableFloats, _ count: Int, _ alpha: Float) {
    var i = 0
    while i < count {
        let (value, gradient) = (loadPart(y + i, count - i), loadPart(dy + i, count - i))
        let slope = select(value .> Lanes(), Lanes(repeating: 1), value + Lanes(repeating: alpha))
        storePart(gradient * slope, dx + i, count - i)
        i += laneCount
    }
}

func exponential(_ x: Floats, _ y: MutableFloats, _ count: Int) {
    var i = 0
    while i < count {
        storePart(exponentialLanes(loadPart(x + i, count - i)), y + i, count - i)
        i += laneCount
    }
}

func exponentialGradient(_ y: Floats, _ dy: Floats, _ dx: MutableFloats, _ count: Int) {
    var i = 0
    while i < count {
        storePart(loadPart(dy + i, count - i) * loadPart(y + i, count - i), dx + i, count - i)
        i += laneCount
    }
}

// MARK: GELU

/// The standard normal distribution function, and exp(-x^2 / 2). The tail is exp(-x^2 / 2) s Q(s) with s = 1 / (1 + 0.36
/// |x|) and Q a minimax polynomial (relative error 1.8e-8 for |x| up to 14, 3.1e-7 when evaluated in Float).
@inline(__always)
private func normalLanes(_ x: Lanes) -> (distribution: Lanes, exponential: Lanes) {
    let one = Lanes(repeating: 1)
    let magnitude = unsafeBitCast(
        unsafeBitCast(x, to: IntLanes.self) & IntLanes(repeating: 0x7FFF_FFFF), to: Lanes.self)
    let s = one / accumulate(one, magnitude, Lanes(repeating: 0.36))
    var q = accumulate(Lanes(repeating: -0.087_035_134), s, Lanes(repeating: 0.011_066_033))
    q = accumulate(Lanes(repeating: 0.264_396_58), s, q)
    q = accumulate(Lanes(repeating: -0.377_389_46), s, q)
    q = accumulate(Lanes(repeating: 0.223_732_62), s, q)
    q = accumulate(Lanes(repeating: -0.056_224_98), s, q)
    q = accumulate(Lanes(repeating: 0.112_950_35), s, q)
    q = accumulate(Lanes(repeating: 0.120_905_12), s, q)
    q = accumulate(Lanes(repeating: 0.143_994_32), s, q)
    q = accumulate(Lanes(repeating: 0.143_604_55), s, q)
    let e = exponentialLanes(x * x * Lanes(repeating: -0.5))
    let tail = e * (s * q)
    return (select(x .< Lanes(), tail, one - tail), e)
}

/// The logistic function of u = 2 sqrt(2 / pi) (x + 0.044715 x^3), which is (1 + tanh(u / 2)) / 2, and du/dx.
@inline(__always)
private func logisticLanes(_ x: Lanes) -> (value: Lanes, slope: Lanes) {
    let square = x * x
    let scale = Lanes(repeating: 1.595_769_12)
    let inner = accumulate(Lanes(repeating: 1), square, Lanes(repeating: 0.044_715))
    let slope = scale * accumulate(Lanes(repeating: 1), square, Lanes(repeating: 0.134_145))
    return (sigmoidLanes(scale * x * inner), slope)
}

func gelu(_ x: Floats, _ y: MutableFloats, _ count: Int, _ approximate: Bool) {
    var i = 0
    while i < count {
        let value = loadPart(x + i, count - i)
        let share = approximate ? logisticLanes(value).value : normalLanes(value).distribution
        storePart(value * share, y + i, count - i)
        i += laneCount
    }
}

func geluGradient(_ x: Floats, _ dy: Floats, _ dx: MutableFloats, _ count: Int, _ approximate: Bool) {
    let one = Lanes(repeating: 1)
    var i = 0
    while i < count {
        let value = loadPart(x + i, count - i)
        let slope: Lanes
        if approximate {
            let (share, inner) = logisticLanes(value)
            slope = accumulate(share, value * inner, share * (one - share))
        } else {
            let (share, e) = normalLanes(value)
            slope = accumulate(share, value * Lanes(repeating: 0.398_942_28), e)
        }
        storePart(loadPart(dy + i, count - i) * slope, dx + i, count - i)
        i += laneCount
    }
}
