// TemporalScores: what a recurrent model says after each position. Interpretation room.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifNetworks
import DeepMotifSequences

/// Which end of the sequence is cut off.
package enum TemporalDirection: Sendable {
    /// Positions 0 ... i.
    case forward
    /// Positions i ... L-1.
    case backward
}

/// The cuts of one sequence: where the recurrent part of a network starts, and what it reads.
struct TemporalPlan {
    /// Index of the first LSTM layer; the layers before it run once.
    let firstRecurrent: Int
    /// What it reads of a whole sequence.
    let features: Shape
    /// Positions of the sequence itself.
    let length: Int

    /// Throws where the network has no LSTM, or its later layers cannot read a single position.
    init(network: Network, length: Int) throws(DeepMotifError) {
        guard let first = network.layers.firstIndex(where: { $0.kind == "lstm" }) else {
            let names = network.layerNames.joined(separator: ", ")
            throw .invalidArgument("temporal scores need a model with an LSTM layer; this one has \(names)")
        }
        let features = try network.shape(ofLayer: first - 1, length: length)
        var shape = Shape(length: 1, channels: features.channels)
        for index in first..<network.layers.count {
            do {
                shape = try network.layers[index].outputShape(for: shape)
            } catch {
                throw .shape(
                    "temporal scores cut a sequence down to one position, which layer "
                        + "\(network.layerNames[index]) cannot read: \(error.message)")
            }
        }
        firstRecurrent = first
        self.features = features
        self.length = length
    }

    /// The feature positions that belong to cut `i`. Where the first layers keep the length this is 0 ... i or i ... L-1;
    /// where they shorten it, the same share of the features, rounded up.
    func features(ofCut i: Int, _ direction: TemporalDirection) -> Range<Int> {
        switch direction {
        case .forward: return 0..<(((i + 1) * features.length + length - 1) / length)
        case .backward: return (i * features.length / length)..<features.length
        }
    }
}

extension Network {
    /// Probability (N, L) of a class on every cut of every sequence (Lanchantin, Singh, Wang and Qi 2017, the second
    /// view). Layers before the first LSTM run once on the whole sequence and their output is cut; from the LSTM on, each
    /// cut is a sequence of its own, all cuts of one length in one batch. A model with a linear output gives its score.
    package func temporalScores(
        _ sequences: SequenceBatch, target: TargetQuantity, direction: TemporalDirection, threads: Int,
        probabilities: MutableFloats
    ) throws(DeepMotifError) {
        let plan = try TemporalPlan(network: self, length: sequences.length)
        let rows = min(blockRows(floatsPerRow: 2 * plan.features.count, floats: 1 << 23), sequences.count)
        guard rows > 0 else { return }
        let isCodes: Bool
        if plan.firstRecurrent == 0, case .codes = sequences.form { isCodes = true } else { isCodes = false }
        let whole = try Buffer<Float>(count: plan.firstRecurrent == 0 ? 0 : rows * plan.features.count)
        let cut = try Buffer<Float>(count: isCodes ? 0 : rows * plan.features.count)
        let cutCodes = try Buffer<UInt8>(count: isCodes ? rows * plan.features.length : 0)
        let scores = try Buffer<Float>(count: rows * target.classes)
        for start in stride(from: 0, to: sequences.count, by: rows) {
            let block = sequences.rows(start..<min(start + rows, sequences.count))
            let input = try features(of: block, plan: plan, threads: threads, memory: whole.pointer)
            var done = 0..<0
            for i in 0..<plan.length {
                let range = plan.features(ofCut: i, direction)
                if range != done {
                    let piece: LayerInput
                    switch input {
                    case .codes(let codes):
                        copyCuts(codes, rows: block.count, plan.features.length, range, 1, to: cutCodes.pointer)
                        piece = .codes(UnsafePointer(cutCodes.pointer))
                    case .dense(let values):
                        let channels = plan.features.channels
                        copyCuts(values, rows: block.count, plan.features.length, range, channels, to: cut.pointer)
                        piece = .dense(cut.readOnly)
                    }
                    try run(
                        plan.firstRecurrent..<layers.count, input: piece, rows: block.count, length: range.count,
                        threads: threads, output: scores.pointer)
                    applyOutput(
                        target.output, scores: scores.readOnly, count: block.count, classes: target.classes,
                        values: scores.pointer)
                    done = range
                }
                for row in 0..<block.count {
                    probabilities[(start + row) * plan.length + i] =
                        scores.pointer[row * target.classes + target.target]
                }
            }
        }
    }

    /// What the first LSTM layer reads.
    private func features(
        of block: SequenceBatch, plan: TemporalPlan, threads: Int, memory: MutableFloats
    ) throws(DeepMotifError) -> LayerInput {
        let input: LayerInput
        switch block.form {
        case .codes(let codes): input = .codes(codes)
        case .letters(let letters): input = .dense(letters)
        }
        guard plan.firstRecurrent > 0 else { return input }
        try run(
            0..<plan.firstRecurrent, input: input, rows: block.count, length: plan.length, threads: threads,
            output: memory)
        return .dense(Floats(memory))
    }
}

/// The positions of `range` of every row, one row after the other.
private func copyCuts<Element: BitwiseCopyable>(
    _ source: UnsafePointer<Element>, rows: Int, _ length: Int, _ range: Range<Int>, _ channels: Int,
    to cuts: UnsafeMutablePointer<Element>
) {
    for row in 0..<rows {
        (cuts + row * range.count * channels).update(
            from: source + (row * length + range.lowerBound) * channels, count: range.count * channels)
    }
}
