// Network+Gradient: backpropagation through a block of sequences. Networks room.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifSequences

/// One block on its way through a gradient plan.
struct GradientBlock {
    var input: LayerInput
    var rows: Int
    var workspace: MutableFloats
    /// Dropout is on, with the streams of this key.
    var isTraining = false
    var key: UInt64 = 0
    /// Number of the block's first row in its batch.
    var firstRow = 0
    /// Statistics of the batch by layer (`Network.statisticsOffsets`); nil: running ones.
    var statistics: Floats?
    /// The gradient is in the second of the plan's two buffers.
    var isSwapped = false
}

extension Network {
    /// Gradients with respect to the letters, dropout off, no parameter gradients. For every row, `seedGradient(row,
    /// scores, gradient)` turns the row's scores (C,) into the gradient with respect to them (C,); it is called on
    /// worker threads. inputGradient (N, L, 4); scores (N, C) or nil.
    package func inputGradient(
        _ sequences: SequenceBatch, threads: Int, inputGradient: MutableFloats, scores: MutableFloats?,
        seedGradient: @Sendable (Int, Floats, MutableFloats) -> Void
    ) throws(DeepMotifError) {
        guard threads >= 1 else { throw .invalidArgument("threads must be at least 1; got \(threads)") }
        let plan = try gradientPlan(length: sequences.length, count: sequences.count)
        try sequences.validate()
        guard sequences.count > 0 else { return }
        prepareParameters()
        let blocks = (sequences.count + plan.rows - 1) / plan.rows
        let first = plan.steps[0].input
        nonisolated(unsafe) let memory = try workspaces.reserve(workers: min(threads, blocks), count: plan.count)
        defer { workspaces.trim() }
        nonisolated(unsafe) let input = LayerInput(sequences)
        nonisolated(unsafe) let gradient = inputGradient
        nonisolated(unsafe) let kept = scores
        let classes = classCount
        parallelFor(chunks: blocks, threads: threads) { block, worker in
            let start = block * plan.rows
            let rows = min(plan.rows, sequences.count - start)
            var part = GradientBlock(
                input: input.advanced(by: start, shape: first), rows: rows, workspace: memory[worker])
            let scores = self.forward(plan, &part)
            let seeds = part.workspace + plan.gradients.0
            for row in 0..<rows { seedGradient(start + row, scores + row * classes, seeds + row * classes) }
            kept.map { ($0 + start * classes).update(from: scores, count: rows * classes) }
            self.backward(plan, part, inputGradient: gradient + start * first.count, parameterGradient: nil)
        }
    }

    func gradientPlan(length: Int, count: Int, multiple: Int = 1) throws(DeepMotifError) -> PassPlan {
        try gradientPlan(0..<layers.count, length: length, count: count, multiple: multiple)
    }

    /// The plan of some layers alone, whose input has `length` positions.
    func gradientPlan(
        _ range: Range<Int>, length: Int, count: Int, multiple: Int = 1
    ) throws(DeepMotifError) -> PassPlan {
        let shapes = try shapes(range, input: try inputShape(ofLayer: range.lowerBound, length: length))
        return PassPlan(
            purpose: .gradient, layers: layers[range], shapes: shapes, count: count, multiple: multiple,
            kernels: kernels)
    }

    /// Runs a block forward, keeps what the backward pass needs, and returns its scores (rows, C).
    func forward(_ plan: PassPlan, _ block: inout GradientBlock) -> Floats {
        block.input = expandedInput(block.input, plan, rows: block.rows, workspace: block.workspace)
        return forward(plan, block, steps: 0..<plan.steps.count)
    }

    /// The same for some steps, after those before them; the input of the first was expanded.
    @discardableResult
    func forward(_ plan: PassPlan, _ block: GradientBlock, steps: Range<Int>) -> Floats {
        var current = input(of: steps.lowerBound, plan, block)
        for step in plan.steps[steps] {
            let target = block.workspace + (step.target ?? 0)
            layers[step.layer].forward(current, to: target, pass: layerPass(step, plan, block))
            current = .dense(Floats(target))
        }
        return current.floats
    }

    /// What a step reads.
    func input(of step: Int, _ plan: PassPlan, _ block: GradientBlock) -> LayerInput {
        step == 0 ? block.input : .dense(Floats(block.workspace + (plan.steps[step - 1].target ?? 0)))
    }

    /// The gradient of what the last step that ran backward reads.
    func gradient(_ plan: PassPlan, _ block: GradientBlock) -> MutableFloats {
        block.workspace + (block.isSwapped ? plan.gradients.1 : plan.gradients.0)
    }

    /// Runs a block backward from the gradient of its scores, which lies in the plan's first gradient buffer. Adds to
    /// the parameter gradient in the layers' layout. Without an input gradient it ends at the first parameters.
    func backward(
        _ plan: PassPlan, _ block: GradientBlock, inputGradient: MutableFloats?, parameterGradient: MutableFloats?
    ) {
        var block = block
        let all = 0..<plan.steps.count
        backward(plan, &block, steps: all, inputGradient: inputGradient, parameterGradient: parameterGradient)
    }

    /// The same for some steps, after those behind them.
    func backward(
        _ plan: PassPlan, _ block: inout GradientBlock, steps: Range<Int>, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?
    ) {
        var gradient = gradient(plan, block)
        var other = block.workspace + (block.isSwapped ? plan.gradients.0 : plan.gradients.1)
        let last = inputGradient == nil ? firstTrainedLayer : 0
        for index in stride(from: steps.upperBound - 1, through: max(last, steps.lowerBound), by: -1) {
            let step = plan.steps[index]
            let layer = layers[step.layer]
            let isInPlace = layer.isInPlace && index > last
            let target: MutableFloats? = index == last ? inputGradient : isInPlace ? gradient : other
            layer.backward(
                input(of: index, plan, block), output: Floats(block.workspace + (step.target ?? 0)),
                outputGradient: gradient,
                inputGradient: target, parameterGradient: parameterGradient.map { $0 + parameters.offsets[step.layer] },
                pass: layerPass(step, plan, block))
            if !isInPlace {
                swap(&gradient, &other)
                block.isSwapped.toggle()
            }
        }
    }

    private func layerPass(_ step: PassPlan.Step, _ plan: PassPlan, _ block: GradientBlock) -> LayerPass {
        var pass = layerPass(
            step, rows: block.rows, scratch: block.workspace + plan.scratch, cache: block.workspace + step.cache)
        pass.isTraining = block.isTraining
        pass.key = mixBits(block.key &+ UInt64(truncatingIfNeeded: step.layer))
        pass.firstRow = block.firstRow
        pass.zerosBlockGradient = step.zerosBlockGradient
        if let statistics = block.statistics, layers[step.layer].statisticsCount > 0 {
            pass.statistics = statistics + statisticsOffsets[step.layer]
        }
        return pass
    }
}

extension LayerInput {
    init(_ sequences: SequenceBatch) {
        switch sequences.form {
        case .codes(let codes): self = .codes(codes)
        case .letters(let letters): self = .dense(letters)
        }
    }
}
