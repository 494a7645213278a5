// LSTM+Nonzeros: input products and their weight gradient where most of a dense input is exactly zero, as behind a ReLU.
// Networks room. The choice is made for each sequence by itself, so results do not depend on the batch.

import DeepMotifCore
import DeepMotifKernelTable

extension LSTM {
    /// A listed element costs as much as two and a half elements of the dense product.
    private static let listedShare = 0.35

    /// Memory for the list of one sequence's non-zeros.
    private struct Lists {
        var indices: UnsafeMutablePointer<Int32>
        var values: MutableFloats
        var counts: UnsafeMutablePointer<Int32>

        init(_ memory: MutableFloats, elements: Int, columns: Int) {
            let base = UnsafeMutableRawPointer(memory)
            indices = base.bindMemory(to: Int32.self, capacity: elements)
            values = memory + aligned(elements)
            counts = (base + 8 * aligned(elements)).bindMemory(to: Int32.self, capacity: columns)
        }
    }

    /// Floats of scratch memory for the lists of one sequence.
    func listCount(length: Int) -> Int { 2 * aligned(length * channels) + aligned(channels) }

    /// products (rows, L, gateWidth) = input weights x + bias. `x` starts at the direction's first channel.
    func writeInputProducts(
        _ x: Floats, prepared: Floats, layout: Prepared, lists memory: MutableFloats, to products: MutableFloats,
        _ pass: LayerPass
    ) {
        let kernels = pass.table
        let length = pass.input.length
        let width = gateWidth(kernels: pass.kernels)
        let (weights, bias) = (prepared + layout.forward, prepared + layout.bias)
        let lists = Lists(memory, elements: length * channels, columns: channels)
        let count = (length - 1) * channels + inputWidth
        for row in 0..<pass.rows {
            let source = x + row * length * channels
            let target = products + row * length * width
            let listed = kernels.pointee.listNonzeros(source, count, 1, lists.indices, lists.values, lists.counts)
            if Double(listed) < LSTM.listedShare * Double(count) {
                kernels.pointee.multiplyListed(
                    lists.indices, lists.values, listed, channels, weights, bias, target, width, length, width,
                    inputWidth)
            } else {
                kernels.pointee.multiply(
                    source, channels, weights, bias, target, width, length, width, inputWidth, false)
            }
        }
    }

    /// work (inputWidth, gateWidth) += x^T gates, the transpose of the weight gradient in the kernels' order of gates.
    func addInputProducts(
        _ x: Floats, _ gates: Floats, lists memory: MutableFloats, to work: MutableFloats, _ pass: LayerPass
    ) {
        let kernels = pass.table
        let length = pass.input.length
        let width = gateWidth(kernels: pass.kernels)
        let lists = Lists(memory, elements: length * channels, columns: channels)
        for row in 0..<pass.rows {
            let source = x + row * length * channels
            let own = gates + row * length * width
            var isSparse = false
            // Lists by column need the columns of the whole input.
            if inputWidth == channels {
                let listed = kernels.pointee.listNonzeros(
                    source, length, channels, lists.indices, lists.values, lists.counts)
                isSparse = Double(listed) < LSTM.listedShare * Double(length * channels)
            }
            if isSparse {
                kernels.pointee.accumulateSparseRows(
                    own, width, width, lists.indices, lists.values, lists.counts, length, channels, work)
            } else {
                kernels.pointee.multiplyTransposed(
                    source, channels, own, width, work, width, inputWidth, width, length)
            }
        }
    }
}
