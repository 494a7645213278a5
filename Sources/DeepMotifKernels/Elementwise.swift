// Elementwise: kernels that work element by element. Vectors are explicit: left to the compiler, a call in place, where
// input and output are the same memory, would take the scalar path.

import DeepMotifKernelTable

func relu(_ x: Floats, _ y: MutableFloats, _ count: Int) {
    var i = 0
    while i + laneCount <= count {
        let value = load(x + i)
        store(select(value .< Lanes(), Lanes(), value), y + i)
        i += laneCount
    }
    while i < count {
        y[i] = x[i] < 0 ? 0 : x[i]
        i += 1
    }
}

func reluGradient(_ y: Floats, _ dy: Floats, _ dx: MutableFloats, _ count: Int) {
    var i = 0
    while i + laneCount <= count {
        store(select(load(y + i) .> Lanes(), load(dy + i), Lanes()), dx + i)
        i += laneCount
    }
    while i < count {
        dx[i] = y[i] > 0 ? dy[i] : 0
        i += 1
    }
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
    let one = Lanes(repeating: 1)
    var i = 0
    while i + laneCount <= count {
        let value = load(y + i)
        store(load(dy + i) * value * (one - value), dx + i)
        i += laneCount
    }
    while i < count {
        dx[i] = dy[i] * y[i] * (1 - y[i])
        i += 1
    }
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
    let one = Lanes(repeating: 1)
    var i = 0
    while i + laneCount <= count {
        let value = load(y + i)
        store(load(dy + i) * (one - value * value), dx + i)
        i += laneCount
    }
    while i < count {
        dx[i] = dy[i] * (1 - y[i] * y[i])
        i += 1
    }
}

func add(_ x: Floats, _ y: MutableFloats, _ count: Int) {
    var i = 0
    while i + laneCount <= count {
        store(load(y + i) + load(x + i), y + i)
        i += laneCount
    }
    while i < count {
        y[i] += x[i]
        i += 1
    }
}

func addColumnSums(_ g: Floats, _ rows: Int, _ columns: Int, _ sums: MutableFloats) {
    var j = 0
    while j + 2 * laneCount <= columns {
        var (low, high) = (load(sums + j), load(sums + j + laneCount))
        var source = g + j
        for _ in 0..<rows {
            low += load(source)
            high += load(source + laneCount)
            source += columns
        }
        store(low, sums + j)
        store(high, sums + j + laneCount)
        j += 2 * laneCount
    }
    while j < columns {
        for row in 0..<rows { sums[j] += g[row * columns + j] }
        j += 1
    }
}
