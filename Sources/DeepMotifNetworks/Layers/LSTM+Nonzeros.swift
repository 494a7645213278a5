// LSTM+Nonzeros: input products and their weight gradient where most of a dense input is exactly zero, as behind a ReLU.
// Networks room. The choice is made for each sequence by itself, so results do not depend on the batch.

import DeepMotifCore
import DeepMotifKernelTable

extension LSTM {
    /// A listed element costs as much as two and a half elements of the dense product.
    private static let listedShare = 0.35

    /// A dot product costs as much as two elements of the dense product.
    private static let wantedShare = 0.4
    /// Columns of which dot products are faster than a panel.
    static let fewColumns = 8

    /// Whether few elements of one sequence are not zero; false without any.
    func isMostlyZero(_ x: Floats?, _ pass: LayerPass) -> Bool {
        guard let x else { return false }
        let count = pass.input.count
        return Double(pass.table.pointee.countNonzeros(x, count)) < LSTM.wantedShare * Double(count)
    }

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

    /// Each direction's products (rows, L, gateWidth) = input weights x + bias.
    func writeInputProducts(_ x: Floats, _ scratch: Scratch, _ pass: LayerPass) {
        let kernels = pass.table
        let length = pass.input.length
        let width = gateWidth(kernels: pass.kernels)
        let layout = preparedLayout(kernels: pass.kernels)
        let lists = Lists(pass.scratch + scratch.lists, elements: length * channels, columns: channels)
        for row in 0..<pass.rows {
            let sequence = x + row * length * channels
            var shared: Int?
            for direction in 0..<directions {
                let prepared = pass.prepared + direction * layout.count
                let (weights, bias) = (prepared + layout.forward, prepared + layout.bias)
                let target = pass.scratch + scratch.gates + direction * scratch.direction + row * length * width
                let source = splitsInput ? sequence + direction * inputWidth : sequence
                let count = (length - 1) * channels + inputWidth
                let listed = shared ?? listIfSparse(source, count, lists, kernels)
                // Both directions of a layer that does not split read the same.
                if !splitsInput { shared = listed }
                if listed >= 0 {
                    kernels.pointee.multiplyListed(
                        lists.indices, lists.values, listed, channels, weights, bias, target, width, length, width,
                        inputWidth)
                } else {
                    kernels.pointee.multiply(
                        source, channels, weights, bias, target, width, length, width, inputWidth, false)
                }
            }
        }
    }

    /// Lists the non-zeros and returns how many there are, or -1 where they are too many for a list.
    private func listIfSparse(
        _ x: Floats, _ count: Int, _ lists: Lists, _ kernels: UnsafePointer<KernelTable>
    ) -> Int {
        guard Double(kernels.pointee.countNonzeros(x, count)) < LSTM.listedShare * Double(count) else { return -1 }
        return kernels.pointee.listNonzeros(x, count, 1, lists.indices, lists.values, lists.counts)
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
            // Lists by column need the columns of the whole input.
            let count = inputWidth == channels ? kernels.pointee.countNonzeros(source, length * channels) : Int.max
            if Double(count) < LSTM.listedShare * Double(length * channels) {
                _ = kernels.pointee.listNonzeros(source, length, channels, lists.indices, lists.values, lists.counts)
                kernels.pointee.accumulateSparseRows(
                    own, width, width, lists.indices, lists.values, lists.counts, length, channels, work)
            } else {
                kernels.pointee.multiplyTransposed(
                    source, channels, own, width, work, width, inputWidth, width, length)
            }
        }
    }
}
