// LSTMBackward: backpropagation through all steps of one direction.

import DeepMotifKernelTable

func lstmBackward(
    _ outputGradient: Floats, _ gates: Floats, _ cells: Floats, _ recurrent: Floats, _ gateGradients: MutableFloats,
    _ scratch: MutableFloats, _ geometry: LSTMGeometry
) {
    let padded = geometry.paddedUnits
    let hidden = scratch
    let cell = scratch + padded
    for row in 0..<geometry.rows {
        for u in 0..<2 * padded { scratch[u] = 0 }
        for step in stride(from: geometry.length - 1, through: 0, by: -1) {
            let p = row * geometry.length + (geometry.isReversed ? geometry.length - 1 - step : step)
            let previous = geometry.isReversed ? p + 1 : p - 1
            for u in 0..<geometry.units { hidden[u] += outputGradient[p * geometry.outputStride + u] }
            for u in stride(from: 0, to: padded, by: gateLanes) {
                let source = gates + (p * padded + u) * 4
                let target = gateGradients + (p * padded + u) * 4
                let i = load(source)
                let f = load(source + gateLanes)
                let g = load(source + 2 * gateLanes)
                let o = load(source + 3 * gateLanes)
                let before = step > 0 ? load(cells + previous * padded + u) : Lanes()
                let squashed = tanhLanes(load(cells + p * padded + u))
                let dh = load(hidden + u)
                let dc = load(cell + u) + dh * o * (1 - squashed * squashed)
                store(dc * g * i * (1 - i), target)
                store(dc * before * f * (1 - f), target + gateLanes)
                store(dc * i * (1 - g * g), target + 2 * gateLanes)
                store(dh * squashed * o * (1 - o), target + 3 * gateLanes)
                store(dc * f, cell + u)
            }
            for u in stride(from: 0, to: padded, by: gateLanes) {
                var sum = Lanes()
                for r in 0..<4 * padded {
                    let value = Lanes(repeating: gateGradients[p * 4 * padded + r])
                    sum = accumulate(sum, value, load(recurrent + r * padded + u))
                }
                store(sum, hidden + u)
            }
        }
    }
}
