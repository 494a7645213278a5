// LSTM+Direction: one direction alone, for views that run parts of sequences. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

extension LSTM {
    /// Floats of one position's input products.
    package func gateWidth(kernels: KernelTable) -> Int { 4 * kernels.paddedUnits(units) }

    /// Floats of scratch memory for `writeStates`.
    package func stateScratchCount(kernels: KernelTable) -> Int {
        kernels.lstmScratchCount(kernels.paddedUnits(units))
    }

    /// Input products and bias (positions, gateWidth) of one direction from what it reads, D channels of a row of `x`, the
    /// rows `stride` floats apart. `prepared` is the layer's `Network.preparedParameters`.
    package func writeGateInputs(
        direction: Int, x: Floats, stride: Int, positions: Int, prepared: Floats, kernels: KernelTable,
        to products: MutableFloats
    ) {
        let layout = preparedLayout(kernels: kernels)
        let own = prepared + direction * layout.count
        let width = gateWidth(kernels: kernels)
        kernels.multiply(
            x, stride, own + layout.forward, own + layout.bias, products, width, positions, width, inputWidth, false)
    }

    /// Hidden states (rows, length, H) of one direction from the zero state, from codes (where the layer accepts them) or
    /// from gate inputs (rows, length, gateWidth).
    package func writeStates(
        direction: Int, _ input: LayerInput, rows: Int, length: Int, prepared: Floats, kernels: KernelTable,
        scratch: MutableFloats, to states: MutableFloats
    ) {
        let layout = preparedLayout(kernels: kernels)
        let own = prepared + direction * layout.count
        let geometry = LSTMGeometry(
            rows: rows, length: length, units: units, paddedUnits: kernels.paddedUnits(units),
            isReversed: direction == 1, outputStride: units)
        switch input {
        case .codes(let codes):
            kernels.lstmForward(
                codes, own + layout.table, own + layout.recurrent, states, nil, nil, scratch, geometry)
        case .dense(let products):
            kernels.lstmForward(nil, products, own + layout.recurrent, states, nil, nil, scratch, geometry)
        }
    }
}
