// Adam: one step of the optimizer (Kingma and Ba 2015).

import DeepMotifKernelTable

/// One vector's parameters and moments after the step.
@inline(__always)
private func adamLanes(
    _ parameters: Lanes, _ gradient: Lanes, _ first: Lanes, _ second: Lanes, _ step: AdamStep
) -> (parameters: Lanes, first: Lanes, second: Lanes) {
    let g = accumulate(limited(gradient, -step.clip, step.clip), Lanes(repeating: step.decay), parameters)
    let m = accumulate(Lanes(repeating: step.beta1) * first, Lanes(repeating: 1 - step.beta1), g)
    let v = accumulate(Lanes(repeating: step.beta2) * second, Lanes(repeating: 1 - step.beta2), g * g)
    let scale = Lanes(repeating: 1 / step.secondMomentRoot)
    let denominator = accumulate(Lanes(repeating: step.epsilon), squareRoot(v), scale)
    let kept = parameters * Lanes(repeating: step.shrinkage)
    return (kept - Lanes(repeating: step.stepSize) * m / denominator, m, v)
}

func adam(
    _ parameters: MutableFloats, _ gradient: Floats, _ first: MutableFloats, _ second: MutableFloats, _ count: Int,
    _ step: AdamStep
) {
    var i = 0
    while i + laneCount <= count {
        let new = adamLanes(load(parameters + i), load(gradient + i), load(first + i), load(second + i), step)
        store(new.parameters, parameters + i)
        store(new.first, first + i)
        store(new.second, second + i)
        i += laneCount
    }
    let left = count - i
    if left > 0 {
        let new = adamLanes(
            loadFirst(parameters + i, left), loadFirst(gradient + i, left), loadFirst(first + i, left),
            loadFirst(second + i, left), step)
        storeFirst(new.parameters, parameters + i, left)
        storeFirst(new.first, first + i, left)
        storeFirst(new.second, second + i, left)
    }
}
