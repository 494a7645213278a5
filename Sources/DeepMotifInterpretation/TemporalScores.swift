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

/// An LSTM, a GRU, or a residual block with one inside.
private func isRecurrent(_ layer: any Layer) -> Bool {
    guard let block = layer as? Residual else { return layer is LSTM || layer is GRU }
    return (block.body.layers + block.shortcut.layers).contains(where: isRecurrent)
}

/// The cuts of one sequence: where the recurrent part of a network starts, and what it reads.
struct TemporalPlan {
    /// Index of the first layer with a recurrence; the layers before it run once.
    let firstRecurrent: Int
    /// What it reads of a whole sequence.
    let features: Shape
    /// Positions of the sequence itself.
    let length: Int

    /// Throws where the network has no recurrence, or its later layers cannot read a single position.
    init(network: Network, length: Int) throws(DeepMotifError) {
        guard let first = network.layers.firstIndex(where: isRecurrent) else {
            let names = network.layerNames.joined(separator: ", ")
            throw .invalidArgument("temporal scores need a model with an LSTM or GRU layer; this one has \(names)")
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

    /// The feature positions of cut `cut` of the features.
    func range(_ cut: Int, _ direction: TemporalDirection) -> Range<Int> {
        direction == .forward ? 0..<(cut + 1) : cut..<features.length
    }

    /// The cut of the features that stands for positions 0 ... i or i ... L-1. Where the first layers keep the length it
    /// has the same number; where they shorten it, it has the same share of the features, rounded up.
    func cut(at i: Int, _ direction: TemporalDirection) -> Int {
        switch direction {
        case .forward: ((i + 1) * features.length + length - 1) / length - 1
        case .backward: i * features.length / length
        }
    }
}

extension Network {
    /// Probability (N, L) of a class on every cut of every sequence (Lanchantin, Singh, Wang and Qi 2017, the second
    /// view). Layers before the first recurrent one run once on the whole sequence and their output is cut; from it on,
    /// each cut is a sequence of its own. A model with a linear output gives its score.
    package func temporalScores(
        _ sequences: SequenceBatch, target: TargetQuantity, direction: TemporalDirection, threads: Int,
        probabilities: MutableFloats
    ) throws(DeepMotifError) {
        let plan = try TemporalPlan(network: self, length: sequences.length)
        let cuts = plan.features.length
        let stack = RecurrentStack(network: self, plan: plan)
        let floatsPerRow = 2 * plan.features.count + cuts * ((stack?.channels ?? 0) + classCount)
        let rows = min(blockRows(floatsPerRow: floatsPerRow, floats: 1 << 23), sequences.count)
        guard rows > 0 else { return }
        let whole = try Buffer<Float>(count: plan.firstRecurrent == 0 ? 0 : rows * plan.features.count)
        let scores = try Buffer<Float>(count: rows * cuts * classCount)
        for start in stride(from: 0, to: sequences.count, by: rows) {
            let block = sequences.rows(start..<min(start + rows, sequences.count))
            let input = try features(of: block, plan: plan, threads: threads, memory: whole.pointer)
            if let stack {
                let means = try Buffer<Float>(count: block.count * cuts * stack.channels)
                try stack.writeMeans(
                    input, rows: block.count, direction: direction, threads: threads, to: means.pointer)
                try run(
                    stack.next..<layers.count, input: .dense(means.readOnly), rows: block.count * cuts, length: 1,
                    threads: threads, output: scores.pointer)
            } else {
                try runCuts(input, rows: block.count, plan, direction, threads: threads, scores: scores.pointer)
            }
            applyOutput(
                target.output, scores: scores.readOnly, count: block.count * cuts, classes: classCount,
                values: scores.pointer)
            for row in 0..<block.count {
                for i in 0..<plan.length {
                    let index = row * cuts + plan.cut(at: i, direction)
                    probabilities[(start + row) * plan.length + i] = scores.pointer[index * classCount + target.target]
                }
            }
        }
    }

    /// Scores (rows, cuts, C) of any layers: all cuts of one length are one batch.
    private func runCuts(
        _ input: LayerInput, rows: Int, _ plan: TemporalPlan, _ direction: TemporalDirection, threads: Int,
        scores: MutableFloats
    ) throws(DeepMotifError) {
        let (length, channels) = (plan.features.length, plan.features.channels)
        let values = try Buffer<Float>(count: rows * plan.features.count)
        let codes = try Buffer<UInt8>(count: rows * length)
        let results = try Buffer<Float>(count: rows * classCount)
        for cut in 0..<length {
            let range = plan.range(cut, direction)
            let piece: LayerInput
            switch input {
            case .codes(let whole):
                copyCuts(whole, rows: rows, length, range, 1, to: codes.pointer)
                piece = .codes(codes.readOnly)
            case .dense(let whole):
                copyCuts(whole, rows: rows, length, range, channels, to: values.pointer)
                piece = .dense(values.readOnly)
            }
            try run(
                plan.firstRecurrent..<layers.count, input: piece, rows: rows, length: range.count, threads: threads,
                output: results.pointer)
            for row in 0..<rows {
                (scores + (row * length + cut) * classCount).update(
                    from: results.pointer + row * classCount, count: classCount)
            }
        }
    }

    /// What the first recurrent layer reads.
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
