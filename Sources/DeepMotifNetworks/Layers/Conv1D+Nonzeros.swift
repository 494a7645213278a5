// Conv1D+Nonzeros: the forward product where most of the input is exactly zero. Networks room.
//
// Behind ReLU, pooling and dropout few elements remain: 2 to 30 of 100 in trained networks. The choice is a function of
// the sequence alone, so scores do not depend on the batch.

import DeepMotifCore
import DeepMotifKernelTable

extension Conv1D {
    /// A listed element costs as much as two and a half elements of the dense product.
    private static let listedShare = 0.35

    /// Writes y and returns true where the (padded) input x is sparse; otherwise does nothing.
    func multiplyNonzeros(
        _ x: Floats, _ bias: Floats, weights: Floats, _ y: MutableFloats, _ pass: LayerPass
    ) -> Bool {
        let kernels = pass.table
        let count = (pass.input.length + totalPadding) * channels
        let positions = pass.output.length
        let parts = scratchParts(pass)
        let base = UnsafeMutableRawPointer(pass.scratch)
        let indices = (base + 4 * parts.indices).bindMemory(to: Int32.self, capacity: count)
        let listed = (base + 4 * parts.counts).bindMemory(to: Int32.self, capacity: 1)
        let values = pass.scratch + parts.values
        guard Double(kernels.pointee.countNonzeros(x, count)) < Conv1D.listedShare * Double(count) else { return false }
        let total = kernels.pointee.listNonzeros(x, count, 1, indices, values, listed)
        kernels.pointee.multiplyListed(
            indices, values, total, stride * channels, weights, bias, y, filters, positions, filters, span)
        return true
    }
}
