// Elementwise: kernels that work element by element.

import DeepMotifKernelTable

func relu(_ x: Floats, _ y: MutableFloats, _ count: Int) {
    for i in 0..<count { y[i] = x[i] < 0 ? 0 : x[i] }
}

func reluGradient(_ y: Floats, _ dy: Floats, _ dx: MutableFloats, _ count: Int) {
    for i in 0..<count { dx[i] = y[i] > 0 ? dy[i] : 0 }
}

func sigmoid(_ x: Floats, _ y: MutableFloats, _ count: Int) {
    for i in 0..<count { y[i] = sigmoidLanes(Lanes(repeating: x[i]))[0] }
}

func sigmoidGradient(_ y: Floats, _ dy: Floats, _ dx: MutableFloats, _ count: Int) {
    for i in 0..<count { dx[i] = dy[i] * y[i] * (1 - y[i]) }
}

func tanh(_ x: Floats, _ y: MutableFloats, _ count: Int) {
    for i in 0..<count { y[i] = tanhLanes(Lanes(repeating: x[i]))[0] }
}

func tanhGradient(_ y: Floats, _ dy: Floats, _ dx: MutableFloats, _ count: Int) {
    for i in 0..<count { dx[i] = dy[i] * (1 - y[i] * y[i]) }
}

func add(_ x: Floats, _ y: MutableFloats, _ count: Int) {
    for i in 0..<count { y[i] += x[i] }
}

func addColumnSums(_ g: Floats, _ rows: Int, _ columns: Int, _ sums: MutableFloats) {
    for row in 0..<rows {
        for j in 0..<columns { sums[j] += g[row * columns + j] }
    }
}

func adam(
    _ parameters: MutableFloats, _ gradient: Floats, _ first: MutableFloats, _ second: MutableFloats, _ count: Int,
    _ step: AdamStep
) {
    for i in 0..<count {
        var g = gradient[i]
        if g > step.clip { g = step.clip }
        if g < -step.clip { g = -step.clip }
        first[i] = step.beta1 * first[i] + (1 - step.beta1) * g
        second[i] = step.beta2 * second[i] + (1 - step.beta2) * (g * g)
        parameters[i] -= step.stepSize * first[i] / (second[i].squareRoot() / step.secondMomentRoot + step.epsilon)
    }
}
