// ChannelPeaks: where each channel of a layer is strongest, and what the model says without it. Interpretation room.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifNetworks
import DeepMotifSequences

extension Network {
    /// The largest value of every channel of a layer and the first position that has it, both (N, K). The activations
    /// themselves exist for one block of sequences at a time.
    package func channelPeaks(
        _ sequences: SequenceBatch, layer: Int, threads: Int, positions: UnsafeMutablePointer<Int32>,
        values: MutableFloats
    ) throws(DeepMotifError) {
        let shape = try shape(ofLayer: layer, length: sequences.length)
        let rows = min(blockRows(floatsPerRow: shape.count), sequences.count)
        guard rows > 0 else { return }
        let activations = try Buffer<Float>(count: rows * shape.count)
        for start in stride(from: 0, to: sequences.count, by: rows) {
            let block = sequences.rows(start..<min(start + rows, sequences.count))
            try self.activations(block, layer: layer, threads: threads, output: activations.pointer)
            nonisolated(unsafe) let source = activations.readOnly
            nonisolated(unsafe) let targetPositions = positions + start * shape.channels
            nonisolated(unsafe) let targetValues = values + start * shape.channels
            parallelFor(chunks: block.count, threads: threads) { row, _ in
                firstMaxima(
                    source + row * shape.count, shape: shape, positions: targetPositions + row * shape.channels,
                    values: targetValues + row * shape.channels)
            }
        }
    }

    /// Scores (N, K, C) of the sequences with one channel k of a layer's output at a time set to zero.
    package func ablatedScores(
        _ sequences: SequenceBatch, layer: Int, threads: Int, scores: MutableFloats
    ) throws(DeepMotifError) {
        let shape = try shape(ofLayer: layer, length: sequences.length)
        let last = layers.count - 1
        let classes = try self.shape(ofLayer: last, length: sequences.length).count
        let lanes = min(blockRows(floatsPerRow: shape.count), shape.channels)
        guard sequences.count > 0 else { return }
        let whole = try Buffer<Float>(count: shape.count)
        let silenced = try Buffer<Float>(count: lanes * shape.count)
        for row in 0..<sequences.count {
            try activations(
                sequences.rows(row..<(row + 1)), layer: layer, threads: threads, output: whole.pointer)
            for first in stride(from: 0, to: shape.channels, by: lanes) {
                let count = min(lanes, shape.channels - first)
                for lane in 0..<count {
                    let copy = silenced.pointer + lane * shape.count
                    copy.update(from: whole.readOnly, count: shape.count)
                    for position in 0..<shape.length { copy[position * shape.channels + first + lane] = 0 }
                }
                try run(
                    (layer + 1)..<(last + 1), input: .dense(silenced.readOnly), rows: count, length: shape.length,
                    threads: threads, output: scores + (row * shape.channels + first) * classes)
            }
        }
    }
}

/// Maxima over the positions of one (W, K) map and their first positions.
private func firstMaxima(
    _ map: Floats, shape: Shape, positions: UnsafeMutablePointer<Int32>, values: MutableFloats
) {
    let channels = shape.channels
    positions.update(repeating: 0, count: channels)
    values.update(from: map, count: channels)
    for position in 1..<max(shape.length, 1) {
        let row = map + position * channels
        for k in 0..<channels where row[k] > values[k] {
            values[k] = row[k]
            positions[k] = Int32(truncatingIfNeeded: position)
        }
    }
}
