// Network+Inference: outputs of layers, without anything that only gradients need. Networks room.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifSequences

extension Network {
    /// Scores (N, C) before the output function. An empty batch is allowed.
    package func scores(
        _ sequences: SequenceBatch, threads: Int, output: MutableFloats
    ) throws(DeepMotifError) {
        try activations(sequences, layer: layers.count - 1, threads: threads, output: output)
    }

    /// Output of one layer, (N, its length, its channels); -1 is the input as letters (N, L, 4).
    package func activations(
        _ sequences: SequenceBatch, layer: Int, threads: Int, output: MutableFloats
    ) throws(DeepMotifError) {
        _ = try shape(ofLayer: layer, length: sequences.length)
        try sequences.validate()
        try run(
            0..<(layer + 1), input: LayerInput(sequences), rows: sequences.count, length: sequences.length,
            threads: threads,
            output: output)
    }

    /// Outputs of `layers[range]`: from codes or letters where the range starts at 0, from the activations (rows, length,
    /// channels) of the layer before it otherwise. An empty range copies its input. The values of the input are trusted.
    package func run(
        _ range: Range<Int>, input: LayerInput, rows: Int, length: Int, threads: Int, output: MutableFloats
    ) throws(DeepMotifError) {
        guard range.lowerBound >= 0, range.upperBound <= layers.count else {
            throw .invalidArgument("layers must be in 0 ..< \(layers.count); got \(range)")
        }
        guard rows >= 0, threads >= 1 else {
            throw .invalidArgument("rows must be at least 0 and threads at least 1; got \(rows) and \(threads)")
        }
        if case .codes = input, range.lowerBound > 0 {
            throw .invalidArgument("codes are the input of layer 0 only; got \(layerNames[range.lowerBound])")
        }
        if range.isEmpty {
            copyInput(
                input, count: rows * (try inputShape(ofLayer: range.lowerBound, length: length)).count, to: output)
            return
        }
        let plan = try plan(
            PlanRequest(purpose: .inference, range: range, length: length, count: rows, readsCodes: input.isCodes))
        guard rows > 0 else { return }
        prepareParameters()
        let blocks = (rows + plan.rows - 1) / plan.rows
        let memory = try workspaces.reserve(workers: min(threads, blocks), count: plan.count)
        defer { workspaces.trim() }
        nonisolated(unsafe) let input = input
        nonisolated(unsafe) let output = output
        nonisolated(unsafe) let workspaces = memory
        let (first, outputCount) = (plan.steps[0].input, plan.steps[plan.steps.count - 1].output.count)
        parallelFor(chunks: blocks, threads: threads) { block, worker in
            let start = block * plan.rows
            self.infer(
                plan, input: input.advanced(by: start, shape: first), rows: min(plan.rows, rows - start),
                workspace: workspaces[worker], output: output + start * outputCount)
        }
    }

    /// Shape of what layer `layer` reads when its input has `length` positions.
    func inputShape(ofLayer layer: Int, length: Int) throws(DeepMotifError) -> Shape {
        guard length >= 1, length <= Network.lengthLimit else {
            throw .shape("length must be in 1 ... \(Network.lengthLimit); got \(length)")
        }
        let trained = try shape(ofLayer: layer - 1, length: self.length)
        return Shape(length: length, channels: trained.channels)
    }

    private func copyInput(_ input: LayerInput, count: Int, to output: MutableFloats) {
        switch input {
        case .codes(let codes): expandCodes(codes, count: count / letterCount, to: output)
        case .dense(let values): output.update(from: values, count: count)
        }
    }

    /// One block through all steps of an inference plan.
    private func infer(
        _ plan: PassPlan, input: LayerInput, rows: Int, workspace: MutableFloats, output: MutableFloats
    ) {
        var current = expandedInput(input, plan, rows: rows, workspace: workspace)
        for step in plan.steps {
            let target = step.target.map { workspace + $0 } ?? output
            let pass = layerPass(step, rows: rows, scratch: workspace + plan.scratch, cache: nil)
            places[step.layer].layer.forward(current, to: target, pass: pass)
            current = .dense(Floats(target))
        }
    }

    /// The input itself, or its letters in the workspace where the first layer takes no codes.
    func expandedInput(_ input: LayerInput, _ plan: PassPlan, rows: Int, workspace: MutableFloats) -> LayerInput {
        guard case .codes(let codes) = input, !places[plan.steps[0].layer].layer.acceptsCodes else { return input }
        let letters = workspace + plan.letters
        expandCodes(codes, count: rows * plan.steps[0].input.length, to: letters)
        return .dense(Floats(letters))
    }
}

/// One-hot letters (count, 4) of codes; zeros for an unknown one.
func expandCodes(_ codes: UnsafePointer<UInt8>, count: Int, to letters: MutableFloats) {
    letters.update(repeating: 0, count: count * letterCount)
    for i in 0..<count where codes[i] < unknownCode { letters[i * letterCount + Int(codes[i])] = 1 }
}

extension LayerInput {
    /// The input from row `rows` on.
    func advanced(by rows: Int, shape: Shape) -> LayerInput {
        switch self {
        case .codes(let codes): .codes(codes + rows * shape.length)
        case .dense(let values): .dense(values + rows * shape.count)
        }
    }
}
