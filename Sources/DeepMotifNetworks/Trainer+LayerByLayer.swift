// Trainer+LayerByLayer: batches whose rows must meet between the layers. Networks room.
//
// Batch normalisation needs sums over all rows of a batch before any row goes on, and some losses all scores. All blocks
// of a batch are then kept in memory: they go through the layers up to the next meeting in parallel, the sums of the
// blocks are added up in order, in Double, and on they go; backward likewise. Residual blocks with such layers inside are
// unfolded into their layers (`LayerPlaces.stops`).

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable

/// The blocks of one batch and where they have got to.
struct BlockSet: @unchecked Sendable {
    var blocks: UnsafeMutablePointer<GradientBlock>
    var count: Int
    /// The first block of every part, and the end.
    var partStarts: [Int]
    var threads: Int
}

extension Trainer {
    func needsLayerByLayer(_ batch: TrainingBatch, _ loss: any Loss) -> Bool {
        loss is any BatchLoss || (batch.isTraining && network.places.statisticsCount > 0)
    }

    /// Gradients of one batch, part by part; returns its sums.
    func accumulateLayerByLayer(
        _ batch: TrainingBatch, _ loss: any Loss, _ plan: PassPlan, threads: Int
    ) throws(DeepMotifError) -> TrainingSums {
        var starts: [Int] = [0]
        var ranges: [(start: Int, rows: Int)] = []
        for part in 0..<batch.parts {
            forEachBlock(of: batch, part: part, plan) { ranges.append(($0, $1)) }
            starts.append(ranges.count)
        }
        let memory = try blockMemory(count: ranges.count, each: plan.count)
        let statistics = try statisticsMemory()
        let blocks = UnsafeMutablePointer<GradientBlock>.allocate(capacity: ranges.count)
        defer { blocks.deallocate() }
        for (i, range) in ranges.enumerated() {
            var block = block(
                of: batch, plan, start: range.start, rows: range.rows, workspace: memory + i * plan.count)
            if batch.isTraining { block.statistics = Floats(statistics) }
            blocks.advanced(by: i).initialize(to: block)
        }
        let set = BlockSet(blocks: blocks, count: ranges.count, partStarts: starts, threads: threads)
        let meetings = batch.isTraining ? plan.steps.indices.filter { normalization(plan.steps[$0]) != nil } : []
        let widest = meetings.map { plan.steps[$0].input.channels }.max() ?? 0
        let sums = try BlockSums(blocks: ranges.count, channels: widest)
        batchStatistics = []
        runForward(set, plan, meetings, sums)
        let result = try evaluate(loss, set, batch, plan)
        runBackward(set, batch, plan, meetings, sums)
        return result
    }

    /// The layer of a step where rows meet.
    private func normalization(_ step: PassPlan.Step) -> BatchNorm1D? {
        network.places[step.layer].layer as? BatchNorm1D
    }

    private func blockMemory(count: Int, each: Int) throws(DeepMotifError) -> MutableFloats {
        let (total, overflow) = count.multipliedReportingOverflow(by: each)
        do throws(DeepMotifError) {
            return try batchMemory(count: overflow ? Int.max : total)
        } catch {
            throw error.explained(
                "batch normalisation and the correlation loss hold a whole batch; a smaller batch_size needs less")
        }
    }

    // MARK: Forward

    private func runForward(_ set: BlockSet, _ plan: PassPlan, _ meetings: [Int], _ sums: BlockSums) {
        parallelFor(chunks: set.count, threads: set.threads) { i, _ in
            let block = set.blocks[i]
            set.blocks[i].input = self.network.expandedInput(
                block.input, plan, rows: block.rows, workspace: block.workspace)
        }
        var start = 0
        for end in meetings + [plan.steps.count] {
            let steps = start..<end
            parallelFor(chunks: set.count, threads: set.threads) { i, _ in
                self.network.forward(plan, set.blocks[i], steps: steps)
            }
            if end < plan.steps.count { findStatistics(set, plan, end, sums) }
            start = end
        }
    }

    /// Mean and variance of what a normalisation reads, in two passes: the mean, then squares around it. With shared
    /// strands a channel and its mirror image are one, since each reads what the other would on the other strand.
    private func findStatistics(_ set: BlockSet, _ plan: PassPlan, _ index: Int, _ sums: BlockSums) {
        let step = plan.steps[index]
        guard let layer = normalization(step), let own = statistics(of: step, set) else { return }
        let parameters = network.parameters.values + network.places[step.layer].parameters
        let channels = layer.channels
        let mirrors = ties?.channelMirrors[step.layer]
        let n = valueCount(plan, index, set) * (mirrors == nil ? 1 : 2)
        func total(_ sums: UnsafeMutablePointer<Double>, _ c: Int) -> Double {
            mirrors.map { sums[c] + sums[$0[c]] } ?? sums[c]
        }
        func addUp(around center: Floats) {
            sums.add(
                channels: channels, c: center, d: center, kernels: network.kernels, threads: set.threads
            ) { block in
                let x = self.network.input(of: step, set.blocks[block]).floats
                return (x, x, set.blocks[block].rows * step.input.length)
            }
        }
        own.update(repeating: 0, count: layer.statisticsCount)
        addUp(around: Floats(own))
        let means = (0..<channels).map { total(sums.sums, $0) / n }
        for c in 0..<channels { own[c] = Float(means[c]) }
        addUp(around: Floats(own))
        // A single value has no variance: it is normalised by the running statistics, which stay as they are.
        let isAlone = n < 2
        var variances: [Double] = []
        for c in 0..<channels {
            let rest = total(sums.sums, c) / n
            let variance = isAlone ? Double(parameters[3 * channels + c]) : total(sums.products, c) / n - rest * rest
            if isAlone { own[c] = parameters[2 * channels + c] }
            let inverse = layer.inverseDeviation(variance)
            own[channels + c] = Float(Double(parameters[c]) * inverse)
            own[2 * channels + c] = Float(inverse)
            variances.append(max(variance, 0) * n / (n - 1))
        }
        if !isAlone { batchStatistics.append(.init(layer: step.layer, means: means, variances: variances)) }
    }

    /// Where the statistics of a step's layer lie.
    private func statistics(of step: PassPlan.Step, _ set: BlockSet) -> MutableFloats? {
        set.blocks[0].statistics.map {
            UnsafeMutablePointer(mutating: $0) + network.places[step.layer].statistics
        }
    }

    /// Values of each channel that a normalisation sees.
    private func valueCount(_ plan: PassPlan, _ index: Int, _ set: BlockSet) -> Double {
        let rows = (0..<set.count).reduce(0) { $0 + set.blocks[$1].rows }
        return Double(rows) * Double(plan.steps[index].input.length)
    }

    /// The running statistics after a batch.
    func updateRunningStatistics() {
        for found in batchStatistics {
            guard let layer = network.places[found.layer].layer as? BatchNorm1D else { continue }
            let parameters = network.parameters.values + network.places[found.layer].parameters
            let (means, variances) = (parameters + 2 * layer.channels, parameters + 3 * layer.channels)
            let momentum = Double(layer.momentum)
            for c in 0..<layer.channels {
                means[c] = Float((1 - momentum) * Double(means[c]) + momentum * found.means[c])
                variances[c] = Float((1 - momentum) * Double(variances[c]) + momentum * found.variances[c])
            }
        }
        batchStatistics = []
    }

    // MARK: Loss

    private func evaluate(
        _ loss: any Loss, _ set: BlockSet, _ batch: TrainingBatch, _ plan: PassPlan
    ) throws(DeepMotifError) -> TrainingSums {
        parallelFor(chunks: set.count, threads: set.threads) { i, _ in
            self.combineStrands(self.network.scores(plan, set.blocks[i]), of: set.blocks[i], in: batch)
        }
        var sums = TrainingSums()
        var scaled = batch
        var gradient: MutableFloats?
        if let loss = loss as? any BatchLoss {
            let target = try scoreGradientMemory(count: batch.count * network.classCount)
            sums = loss.evaluate(rows: batch.rows, count: batch.count, scores: Floats(batch.scores), gradient: target)
            gradient = target
        } else if let loss = loss as? any RowLoss {
            (scaled, sums) = weighted(batch, loss)
        }
        nonisolated(unsafe) let whole = gradient
        parallelFor(chunks: set.count, threads: set.threads) { [scaled] i, _ in
            let block = set.blocks[i]
            let seeds = block.workspace + plan.gradients.0
            if let whole {
                self.copyGradient(whole, to: seeds, of: block)
            } else if let loss = loss as? any RowLoss {
                self.evaluate(loss, block, scaled, gradient: seeds)
            }
            self.divideStrands(seeds, scores: self.network.scores(plan, block), rows: block.rows)
        }
        if whole == nil { for i in 0..<batch.count { sums.loss += batch.losses[i] } }
        return sums
    }

    /// A block's rows of the gradient (count, C), each at the place of its first strand.
    private func copyGradient(_ gradient: MutableFloats, to seeds: MutableFloats, of block: GradientBlock) {
        let (classes, copies) = (network.classCount, options.copies)
        for row in 0..<(block.rows / copies) {
            (seeds + row * copies * classes).update(
                from: gradient + (block.firstRow / copies + row) * classes, count: classes)
        }
    }

    // MARK: Backward

    private func runBackward(
        _ set: BlockSet, _ batch: TrainingBatch, _ plan: PassPlan, _ meetings: [Int], _ sums: BlockSums
    ) {
        let stride = aligned(network.parameterCount)
        for part in 0..<batch.parts {
            (batch.gradients + part * stride).update(repeating: 0, count: network.parameterCount)
        }
        var end = plan.steps.count
        for meeting in meetings.reversed() {
            runBackward(set, batch, plan, steps: (meeting + 1)..<end)
            findGradientSums(set, batch, plan, meeting, sums)
            end = meeting + 1
        }
        runBackward(set, batch, plan, steps: 0..<end)
    }

    /// Some steps of all blocks; the blocks of a part one after the other, since they share a gradient.
    private func runBackward(_ set: BlockSet, _ batch: TrainingBatch, _ plan: PassPlan, steps: Range<Int>) {
        let stride = aligned(network.parameterCount)
        parallelFor(chunks: batch.parts, threads: set.threads) { part, _ in
            for i in set.partStarts[part]..<set.partStarts[part + 1] {
                self.network.backward(
                    plan, &set.blocks[i], steps: steps, inputGradient: nil,
                    parameterGradient: batch.gradients + part * stride)
            }
        }
    }

    /// The sums over the batch in a normalisation's gradient. With S of dy and P of dy (x - mean) over n values, weight and
    /// bias have the gradients P / deviation and S, and
    /// dx = scale (dy - S / n - (x - mean) P / (n deviation^2)).
    private func findGradientSums(
        _ set: BlockSet, _ batch: TrainingBatch, _ plan: PassPlan, _ index: Int, _ sums: BlockSums
    ) {
        let step = plan.steps[index]
        guard let layer = normalization(step), let own = statistics(of: step, set) else { return }
        let channels = layer.channels
        let (scale, inverse, slope, shift) = (
            own + channels, own + 2 * channels, own + 3 * channels, own + 4 * channels
        )
        // The slopes are still zero.
        sums.add(
            channels: channels, c: Floats(slope), d: Floats(own), kernels: network.kernels, threads: set.threads
        ) { block in
            let x = self.network.input(of: step, set.blocks[block]).floats
            let dy = Floats(self.network.gradient(plan, set.blocks[block]))
            return (dy, x, set.blocks[block].rows * step.input.length)
        }
        let mirrors = ties?.channelMirrors[step.layer]
        let n = valueCount(plan, index, set) * (mirrors == nil ? 1 : 2)
        let gradient = batch.gradients + network.places[step.layer].parameters
        for c in 0..<channels {
            let (sum, product) = (sums.sums[c], sums.products[c])
            gradient[c] += Float(product * Double(inverse[c]))
            gradient[channels + c] += Float(sum)
            guard n >= 2 else { continue }
            let (allSums, allProducts) = (
                sum + (mirrors.map { sums.sums[$0[c]] } ?? 0), product + (mirrors.map { sums.products[$0[c]] } ?? 0)
            )
            let factor = -Double(scale[c]) / n
            shift[c] = Float(factor * allSums)
            slope[c] = Float(factor * allProducts * Double(inverse[c]) * Double(inverse[c]))
        }
    }
}
