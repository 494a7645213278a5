// BlockSums: sums over the columns of all blocks of a batch, in the order of the blocks. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// Double sums by block and channel, and their totals.
final class BlockSums: @unchecked Sendable {
    /// (blocks, 2, width): sums, then products.
    private let parts: Buffer<Double>
    private let totals: Buffer<Double>
    private let width: Int
    private let blocks: Int

    init(blocks: Int, channels: Int) throws(DeepMotifError) {
        width = channels
        self.blocks = blocks
        parts = try Buffer(count: blocks * 2 * channels)
        totals = try Buffer(count: 2 * channels)
    }

    /// Of the first factors alone, and of the products, by channel.
    var sums: UnsafeMutablePointer<Double> { totals.pointer }
    var products: UnsafeMutablePointer<Double> { totals.pointer + width }

    /// Sums of a - c and (a - c)(b - d) over all positions. `factors` gives A and B (positions, channels) of a block and
    /// their number of positions; c and d are (channels,).
    func add(
        channels: Int, c: Floats, d: Floats, kernels: KernelTable, threads: Int,
        factors: @Sendable (_ block: Int) -> (a: Floats, b: Floats, positions: Int)
    ) {
        nonisolated(unsafe) let (c, d) = (c, d)
        parallelFor(chunks: blocks, threads: threads) { block, _ in
            let own = self.parts.pointer + block * 2 * self.width
            own.update(repeating: 0, count: 2 * self.width)
            let (a, b, positions) = factors(block)
            kernels.training.columnMoments(a, c, b, d, positions, channels, own, own + self.width)
        }
        totals.clear()
        for block in 0..<blocks {
            for i in 0..<(2 * width) { totals.pointer[i] += parts.pointer[block * 2 * width + i] }
        }
    }
}

/// What a batch adds to the running statistics of one layer.
struct BatchStatistics {
    var layer: Int
    var means: [Double]
    /// With n - 1 in the denominator.
    var variances: [Double]
}
