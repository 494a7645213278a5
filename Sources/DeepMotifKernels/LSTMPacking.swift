// LSTMPacking: recurrent weights in the order in which the passes read them.

import DeepMotifKernelTable

/// Units of one block of gates: one vector.
let gateLanes = laneCount

/// Floats of scratch memory of either pass: states of a block of rows.
func lstmScratchCount(_ paddedUnits: Int) -> Int { 64 * paddedUnits }

func packRecurrent(_ weights: Floats, _ units: Int, _ paddedUnits: Int, _ packed: MutableFloats) {
    for block in 0..<paddedUnits / gateLanes {
        for k in 0..<units {
            for gate in 0..<4 {
                let target = packed + ((block * units + k) * 4 + gate) * gateLanes
                for lane in 0..<gateLanes {
                    let unit = block * gateLanes + lane
                    target[lane] = unit < units ? weights[(gate * units + unit) * units + k] : 0
                }
            }
        }
    }
}

/// Row r holds the weights of gate r (in the order of a row of gates) for every unit of the state.
func packRecurrentTransposed(_ weights: Floats, _ units: Int, _ paddedUnits: Int, _ packed: MutableFloats) {
    for row in 0..<4 * paddedUnits {
        let gate = row / gateLanes % 4
        let unit = row / (4 * gateLanes) * gateLanes + row % gateLanes
        for k in 0..<paddedUnits {
            let isReal = unit < units && k < units
            packed[row * paddedUnits + k] = isReal ? weights[(gate * units + unit) * units + k] : 0
        }
    }
}
