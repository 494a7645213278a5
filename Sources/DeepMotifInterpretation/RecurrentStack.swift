// RecurrentStack: cuts through LSTM layers whose directions do not meet before the mean. Interpretation room.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifNetworks

/// LSTM layers, dropout between them, and the mean over the positions behind them, where each direction is a stack of its
/// own. The direction that enters a cut at the sequence's own end then has the whole sequence's states, once for all
/// cuts; the other one starts anew at every cut, but its input products are those of the whole sequence as well.
struct RecurrentStack: @unchecked Sendable {
    private struct Level {
        let lstm: LSTM
        let prepared: Floats
    }

    private let kernels: KernelTable
    private let levels: [Level]
    private let plan: TemporalPlan
    /// Index of the layer behind the mean.
    let next: Int
    /// Floats of one cut's mean.
    let channels: Int

    /// Nil where the layers behind the first LSTM are other ones.
    init?(network: Network, plan: TemporalPlan) {
        guard let first = network.layers[plan.firstRecurrent] as? LSTM, plan.firstRecurrent > 0 || first.acceptsCodes
        else { return nil }
        var levels: [Level] = []
        for index in plan.firstRecurrent..<network.layers.count {
            let layer = network.layers[index]
            if let lstm = layer as? LSTM {
                let isOwnStack = levels.isEmpty || lstm.splitsInput || !lstm.isBidirectional
                guard lstm.returnsSequences, lstm.isBidirectional == first.isBidirectional, isOwnStack else {
                    return nil
                }
                levels.append(Level(lstm: lstm, prepared: network.preparedParameters(ofLayer: index)))
            } else if layer is GlobalAveragePool1D {
                kernels = network.kernels
                self.levels = levels
                self.plan = plan
                next = index + 1
                channels = levels[levels.count - 1].lstm.units * (first.isBidirectional ? 2 : 1)
                return
            } else if !(layer is Dropout) {
                return nil
            }
        }
        return nil
    }

    private var directions: Int { levels[0].lstm.isBidirectional ? 2 : 1 }
    private var features: Shape { plan.features }
    private var units: Int { levels[levels.count - 1].lstm.units }
    private var gateWidth: Int { levels.map { $0.lstm.gateWidth(kernels: kernels) }.max() ?? 0 }

    /// Sequences that a worker takes at once: as many as the kernel interleaves, fewer where they are long.
    private func rowsAtOnce(_ rows: Int) -> Int {
        max(1, min(16, (1 << 20) / max(features.length * gateWidth, 1), (rows + 15) / 16))
    }

    // MARK: Memory of one worker

    private struct Memory {
        let products: MutableFloats
        let cut: MutableFloats
        let states: (MutableFloats, MutableFloats)
        let scratch: MutableFloats
        let codes: UnsafeMutablePointer<UInt8>
        let sums: UnsafeMutablePointer<Double>
        private let owners: (Buffer<Float>, Buffer<UInt8>, Buffer<Double>)

        init(stack: RecurrentStack, rows: Int) throws(DeepMotifError) {
            let positions = rows * stack.features.length
            let widest = stack.levels.map(\.lstm.units).max() ?? 0
            let scratchCount = stack.levels.map { $0.lstm.stateScratchCount(kernels: stack.kernels) }.max() ?? 0
            let parts = [stack.gateWidth, stack.gateWidth, widest, widest].map { positions * $0 }
            let floats = try Buffer<Float>(count: parts.reduce(0, +) + scratchCount)
            let codes = try Buffer<UInt8>(count: positions)
            let sums = try Buffer<Double>(count: stack.units)
            products = floats.pointer
            cut = products + parts[0]
            states = (cut + parts[1], cut + parts[1] + parts[2])
            scratch = states.1 + parts[3]
            self.codes = codes.pointer
            self.sums = sums.pointer
            owners = (floats, codes, sums)
        }
    }

    // MARK: Means

    /// Means (rows, cuts, channels) of the hidden states over every cut of the features.
    func writeMeans(
        _ input: LayerInput, rows: Int, direction: TemporalDirection, threads: Int, to means: MutableFloats
    ) throws(DeepMotifError) {
        let step = rowsAtOnce(rows)
        let chunks = (rows + step - 1) / step
        var memory: [Memory] = []
        for _ in 0..<min(threads, chunks) { memory.append(try Memory(stack: self, rows: step)) }
        nonisolated(unsafe) let (memories, input, means) = (memory, input, means)
        parallelFor(chunks: chunks, threads: threads) { chunk, worker in
            let first = chunk * step
            let count = min(step, rows - first)
            let target = means + first * features.length * channels
            let part = input.advanced(positions: first * features.length, channels: features.channels)
            let kept = direction == .forward ? 0 : 1
            if kept < directions { writeKept(part, count, direction, memories[worker], to: target + kept * units) }
            let restarted = direction == .forward ? 1 : 0
            if restarted < directions {
                writeRestarted(part, count, direction, memories[worker], to: target + restarted * units)
            }
        }
    }

    /// The direction whose states all cuts share: means from running sums. In Double, as they lose what they add.
    private func writeKept(
        _ input: LayerInput, _ rows: Int, _ direction: TemporalDirection, _ memory: Memory, to means: MutableFloats
    ) {
        let length = features.length
        let reader = direction == .forward ? 0 : 1
        let states = runLevels(
            reader, products(input, reader, rows * length, memory, to: memory.cut), rows, length, memory)
        for row in 0..<rows {
            memory.sums.update(repeating: 0, count: units)
            for step in 0..<length {
                let position = row * length + (direction == .forward ? step : length - 1 - step)
                let scale = 1 / Double(step + 1)
                for u in 0..<units {
                    memory.sums[u] += Double(states[position * units + u])
                    means[position * channels + u] = Float(memory.sums[u] * scale)
                }
            }
        }
    }

    /// The direction that starts anew at each cut.
    private func writeRestarted(
        _ input: LayerInput, _ rows: Int, _ direction: TemporalDirection, _ memory: Memory, to means: MutableFloats
    ) {
        let length = features.length
        let reader = direction == .forward ? 1 : 0
        let whole = products(input, reader, rows * length, memory, to: memory.products)
        let width = levels[0].lstm.gateWidth(kernels: kernels)
        for cut in 0..<length {
            let range = plan.range(cut, direction)
            let piece: LayerInput
            switch whole {
            case .codes(let codes):
                copyCuts(codes, rows: rows, length, range, 1, to: memory.codes)
                piece = .codes(memory.codes)
            case .dense(let products):
                copyCuts(products, rows: rows, length, range, width, to: memory.cut)
                piece = .dense(memory.cut)
            }
            let states = runLevels(reader, piece, rows, range.count, memory)
            for row in 0..<rows {
                kernels.averagePool(
                    states + row * range.count * units, units, range.count, 1, 1,
                    means + (row * length + cut) * channels)
            }
        }
    }

    /// What the first level's recurrence reads: the codes themselves, or input products.
    private func products(
        _ input: LayerInput, _ reader: Int, _ positions: Int, _ memory: Memory, to products: MutableFloats
    ) -> LayerInput {
        guard case .dense(let x) = input else { return input }
        let level = levels[0]
        let own = level.lstm.splitsInput ? x + reader * (features.channels / 2) : x
        level.lstm.writeGateInputs(
            direction: reader, x: own, stride: features.channels, positions: positions, prepared: level.prepared,
            kernels: kernels, to: products)
        return .dense(products)
    }

    /// Hidden states (rows, length, units) of the last level of one direction.
    private func runLevels(_ reader: Int, _ input: LayerInput, _ rows: Int, _ length: Int, _ memory: Memory) -> Floats {
        var input = input
        var (states, other) = memory.states
        for (index, level) in levels.enumerated() {
            level.lstm.writeStates(
                direction: reader, input, rows: rows, length: length, prepared: level.prepared, kernels: kernels,
                scratch: memory.scratch, to: states)
            guard index + 1 < levels.count else { break }
            let upper = levels[index + 1]
            upper.lstm.writeGateInputs(
                direction: reader, x: states, stride: level.lstm.units, positions: rows * length,
                prepared: upper.prepared, kernels: kernels, to: memory.cut)
            input = .dense(memory.cut)
            swap(&states, &other)
        }
        return Floats(states)
    }
}

extension LayerInput {
    /// The input from a position on.
    func advanced(positions: Int, channels: Int) -> LayerInput {
        switch self {
        case .codes(let codes): .codes(codes + positions)
        case .dense(let values): .dense(values + positions * channels)
        }
    }
}

/// The positions of `range` of every row, one row after the other.
func copyCuts<Element: BitwiseCopyable>(
    _ source: UnsafePointer<Element>, rows: Int, _ length: Int, _ range: Range<Int>, _ channels: Int,
    to cuts: UnsafeMutablePointer<Element>
) {
    for row in 0..<rows {
        (cuts + row * range.count * channels).update(
            from: source + (row * length + range.lowerBound) * channels, count: range.count * channels)
    }
}
