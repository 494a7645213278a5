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
    /// Statistics of the batch by layer (`LayerPlaces`); nil: running ones.
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
        let plan = try gradientPlan(
            0..<layers.count, length: sequences.length, count: sequences.count,
            readsCodes: LayerInput(sequences).isCodes)
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

    /// The plan of a training step. An unfolded one stops at every layer where the rows of a batch meet.
    func trainingPlan(
        length: Int, count: Int, multiple: Int, isUnfolded: Bool, readsCodes: Bool
    ) throws(DeepMotifError) -> PassPlan {
        try plan(
            PlanRequest(
                purpose: .gradient, range: 0..<layers.count, length: length, count: count, multiple: multiple,
                isUnfolded: isUnfolded, readsCodes: readsCodes))
    }

    /// The plan of some layers, whose input has `length` positions, with dropout off.
    func gradientPlan(
        _ range: Range<Int>, length: Int, count: Int, readsCodes: Bool = false
    ) throws(DeepMotifError) -> PassPlan {
        try plan(
            PlanRequest(
                purpose: .gradient, range: range, length: length, count: count, readsCodes: readsCodes,
                skipsDropout: true))
    }

    /// Runs a block forward, keeps what the backward pass needs, and returns its scores (rows, C).
    func forward(_ plan: PassPlan, _ block: inout GradientBlock) -> Floats {
        block.input = expandedInput(block.input, plan, rows: block.rows, workspace: block.workspace)
        forward(plan, block, steps: 0..<plan.steps.count)
        return scores(plan, block)
    }

    /// What the last step wrote.
    func scores(_ plan: PassPlan, _ block: GradientBlock) -> Floats {
        Floats(block.workspace + (plan.steps[plan.steps.count - 1].target ?? 0))
    }

    /// The same for some steps, after those before them; the input of the first was expanded.
    func forward(_ plan: PassPlan, _ block: GradientBlock, steps: Range<Int>) {
        for step in plan.steps[steps] {
            let target = block.workspace + (step.target ?? 0)
            switch step.role {
            case .layer:
                places[step.layer].layer.forward(
                    input(of: step, block), to: target, pass: layerPass(step, plan, block))
            case .fork, .turn: break
            case .join: join(step, block, to: target)
            }
        }
    }

    /// What a step reads.
    func input(of step: PassPlan.Step, _ block: GradientBlock) -> LayerInput {
        step.source.map { .dense(Floats(block.workspace + $0)) } ?? block.input
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
        let last = inputGradient == nil ? plan.firstStep(ofLayer: firstTrainedLayer) : 0
        for index in stride(from: steps.upperBound - 1, through: max(last, steps.lowerBound), by: -1) {
            let step = plan.steps[index]
            guard step.role == .layer else {
                branch(step, block, gradient: gradient)
                continue
            }
            let layer = places[step.layer].layer
            let isInPlace = layer.isInPlace && index > last
            let target: MutableFloats? = index == last ? inputGradient : isInPlace ? gradient : other
            layer.backward(
                input(of: step, block), output: Floats(block.workspace + (step.target ?? 0)),
                outputGradient: gradient,
                inputGradient: target, parameterGradient: parameterGradient.map { $0 + places[step.layer].parameters },
                pass: layerPass(step, plan, block))
            if !isInPlace {
                swap(&gradient, &other)
                block.isSwapped.toggle()
            }
        }
    }

    func layerPass(_ step: PassPlan.Step, _ plan: PassPlan, _ block: GradientBlock) -> LayerPass {
        var pass = layerPass(
            step, rows: block.rows, scratch: block.workspace + plan.scratch, cache: block.workspace + step.cache)
        pass.isTraining = block.isTraining
        pass.key = places[step.layer].key(block.key)
        pass.firstRow = block.firstRow
        pass.zerosBlockGradient = step.zerosBlockGradient
        if let statistics = block.statistics, places[step.layer].layer.statisticsCount > 0 {
            pass.statistics = statistics + places[step.layer].statistics
        }
        return pass
    }

    // MARK: Unfolded blocks

    /// The output of a residual block: that of the body and that of the shortcut.
    private func join(_ step: PassPlan.Step, _ block: GradientBlock, to output: MutableFloats) {
        let count = block.rows * step.output.count
        output.update(from: block.workspace + (step.beside ?? 0), count: count)
        kernels.add(input(of: step, block).floats, output, count)
    }

    /// Backward, the block's output gradient is kept where the branches join, exchanged for the shortcut's input gradient
    /// where they turn from the shortcut to the body, and that one added to the body's where they fork.
    private func branch(_ step: PassPlan.Step, _ block: GradientBlock, gradient: MutableFloats) {
        let kept = block.workspace + step.cache
        switch step.role {
        case .layer: break
        case .join: kept.update(from: gradient, count: block.rows * step.output.count)
        case .turn:
            for i in 0..<(block.rows * max(step.input.count, step.output.count)) {
                (kept[i], gradient[i]) = (gradient[i], kept[i])
            }
        case .fork: kernels.add(Floats(kept), gradient, block.rows * step.input.count)
        }
    }
}

extension LayerInput {
    init(_ sequences: SequenceBatch) {
        switch sequences.form {
        case .codes(let codes): self = .codes(codes)
        case .letters(let letters): self = .dense(letters)
        }
    }

    var isCodes: Bool {
        if case .codes = self { true } else { false }
    }
}
