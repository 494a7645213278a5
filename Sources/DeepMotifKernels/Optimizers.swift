// Optimizers: one step of every rule but Adam's, in place. An element does not depend on its place: what fills no whole
// vector goes through the same vector functions.

import DeepMotifKernelTable

func trainingKernels() -> TrainingKernels {
    TrainingKernels(
        momentum: momentum, rmsProp: rmsProp, adadelta: adadelta, addScaled: addScaled, columnMoments: columnMoments,
        normalizeColumns: normalizeColumns, normalizeColumnsGradient: normalizeColumnsGradient)
}

/// The next vector, or the `left` elements that are left, zero behind them.
@inline(__always)
func loadNext(_ pointer: Floats, _ left: Int) -> Lanes {
    left >= laneCount ? load(pointer) : loadFirst(pointer, left)
}

@inline(__always)
func storeNext(_ value: Lanes, _ pointer: MutableFloats, _ left: Int) {
    if left >= laneCount { store(value, pointer) } else { storeFirst(value, pointer, left) }
}

/// The clamped gradient with its decay.
@inline(__always)
private func decayed(_ gradient: Lanes, _ parameters: Lanes, _ step: OptimizerStep) -> Lanes {
    accumulate(limited(gradient, -step.clip, step.clip), Lanes(repeating: step.decay), parameters)
}

/// The running mean of squares after a step.
@inline(__always)
private func meanSquare(_ mean: Lanes, _ x: Lanes, _ rho: Float) -> Lanes {
    accumulate(Lanes(repeating: rho) * mean, Lanes(repeating: 1 - rho), x * x)
}

func momentum(
    _ parameters: MutableFloats, _ gradient: Floats, _ buffer: MutableFloats?, _ count: Int, _ step: OptimizerStep
) {
    let rate = Lanes(repeating: step.learningRate)
    var i = 0
    while i < count {
        let left = count - i
        let p = loadNext(parameters + i, left)
        var g = decayed(loadNext(gradient + i, left), p, step)
        if let buffer {
            g = accumulate(g, Lanes(repeating: step.momentum), loadNext(buffer + i, left))
            storeNext(g, buffer + i, left)
        }
        storeNext(p - rate * g, parameters + i, left)
        i += laneCount
    }
}

func rmsProp(
    _ parameters: MutableFloats, _ gradient: Floats, _ squares: MutableFloats, _ buffer: MutableFloats?, _ count: Int,
    _ step: OptimizerStep
) {
    let rate = Lanes(repeating: step.learningRate)
    let epsilon = Lanes(repeating: step.epsilon)
    var i = 0
    while i < count {
        let left = count - i
        let p = loadNext(parameters + i, left)
        let g = decayed(loadNext(gradient + i, left), p, step)
        let s = meanSquare(loadNext(squares + i, left), g, step.rho)
        storeNext(s, squares + i, left)
        var update = g / (squareRoot(s) + epsilon)
        if let buffer {
            update = accumulate(update, Lanes(repeating: step.momentum), loadNext(buffer + i, left))
            storeNext(update, buffer + i, left)
        }
        storeNext(p - rate * update, parameters + i, left)
        i += laneCount
    }
}

func adadelta(
    _ parameters: MutableFloats, _ gradient: Floats, _ squares: MutableFloats, _ changes: MutableFloats, _ count: Int,
    _ step: OptimizerStep
) {
    let rate = Lanes(repeating: step.learningRate)
    let epsilon = Lanes(repeating: step.epsilon)
    var i = 0
    while i < count {
        let left = count - i
        let p = loadNext(parameters + i, left)
        let g = decayed(loadNext(gradient + i, left), p, step)
        let s = meanSquare(loadNext(squares + i, left), g, step.rho)
        let a = loadNext(changes + i, left)
        let change = squareRoot(a + epsilon) / squareRoot(s + epsilon) * g
        storeNext(s, squares + i, left)
        storeNext(meanSquare(a, change, step.rho), changes + i, left)
        storeNext(p - rate * change, parameters + i, left)
        i += laneCount
    }
}

func addScaled(_ x: Floats, _ scale: Float, _ y: MutableFloats, _ count: Int) {
    var i = 0
    while i < count {
        let left = count - i
        storeNext(accumulate(loadNext(y + i, left), Lanes(repeating: scale), loadNext(x + i, left)), y + i, left)
        i += laneCount
    }
}
