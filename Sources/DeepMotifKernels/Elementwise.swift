// Elementwise: kernels that work element by element.

import DeepMotifKernelTable

func relu(_ x: Floats, _ y: MutableFloats, _ count: Int) {
    for i in 0..<count { y[i] = x[i] < 0 ? 0 : x[i] }
}

func reluGradient(_ y: Floats, _ dy: Floats, _ dx: MutableFloats, _ count: Int) {
    for i in 0..<count { dx[i] = y[i] > 0 ? dy[i] : 0 }
}

/// The tail goes through the same vector function, so that an element does not depend on its place.
func sigmoid(_ x: Floats, _ y: MutableFloats, _ count: Int) {
    var i = 0
    while i + laneCount <= count {
        store(sigmoidLanes(load(x + i)), y + i)
        i += laneCount
    }
    if i < count { storeFirst(sigmoidLanes(loadFirst(x + i, count - i)), y + i, count - i) }
}

func sigmoidGradient(_ y: Floats, _ dy: Floats, _ dx: MutableFloats, _ count: Int) {
    for i in 0..<count { dx[i] = dy[i] * y[i] * (1 - y[i]) }
}

func tanh(_ x: Floats, _ y: MutableFloats, _ count: Int) {
    var i = 0
    while i + laneCount <= count {
        store(tanhLanes(load(x + i)), y + i)
        i += laneCount
    }
    if i < count { storeFirst(tanhLanes(loadFirst(x + i, count - i)), y + i, count - i) }
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
