// LSTMForward: all steps of one direction.

import DeepMotifKernelTable

func lstmForward(
    _ codes: UnsafePointer<UInt8>?, _ gateInputs: Floats, _ recurrent: Floats, _ output: MutableFloats,
    _ gates: MutableFloats?, _ cells: MutableFloats?, _ scratch: MutableFloats, _ geometry: LSTMGeometry
) {
    let padded = geometry.paddedUnits
    let hidden = scratch
    let cell = scratch + padded
    let next = scratch + 2 * padded
    for row in 0..<geometry.rows {
        for u in 0..<2 * padded { scratch[u] = 0 }
        for step in 0..<geometry.length {
            let p = row * geometry.length + (geometry.isReversed ? geometry.length - 1 - step : step)
            let entry = codes.map { Int($0[p]) } ?? p
            for u in stride(from: 0, to: padded, by: gateLanes) {
                var sums = (Lanes(), Lanes(), Lanes(), Lanes())
                let start = gateInputs + (entry * padded + u) * 4
                sums.0 = load(start)
                sums.1 = load(start + gateLanes)
                sums.2 = load(start + 2 * gateLanes)
                sums.3 = load(start + 3 * gateLanes)
                for k in 0..<geometry.units {
                    let weights = recurrent + (u * geometry.units + k * gateLanes) * 4
                    let value = Lanes(repeating: hidden[k])
                    sums.0 = accumulate(sums.0, value, load(weights))
                    sums.1 = accumulate(sums.1, value, load(weights + gateLanes))
                    sums.2 = accumulate(sums.2, value, load(weights + 2 * gateLanes))
                    sums.3 = accumulate(sums.3, value, load(weights + 3 * gateLanes))
                }
                let i = sigmoidLanes(sums.0)
                let f = sigmoidLanes(sums.1)
                let g = tanhLanes(sums.2)
                let o = sigmoidLanes(sums.3)
                let c = accumulate(i * g, f, load(cell + u))
                store(c, cell + u)
                store(o * tanhLanes(c), next + u)
                if let gates {
                    let target = gates + (p * padded + u) * 4
                    store(i, target)
                    store(f, target + gateLanes)
                    store(g, target + 2 * gateLanes)
                    store(o, target + 3 * gateLanes)
                }
                if let cells { store(c, cells + p * padded + u) }
            }
            for u in 0..<padded { hidden[u] = next[u] }
            for u in 0..<geometry.units { output[p * geometry.outputStride + u] = hidden[u] }
        }
    }
}
