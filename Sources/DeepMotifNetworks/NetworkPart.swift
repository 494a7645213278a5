// NetworkPart: some consecutive layers, and gradients with respect to what they read. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// Layers `range` of a network, planned for passes forward and backward over blocks of their inputs, dropout off. Plain
/// bits and a reference: one value serves all threads, each with a workspace of its own. Parameters must not change
/// while it is in use.
package struct NetworkPart: Sendable {
    private let network: Network
    private let plan: PassPlan
    /// Positions and channels of what the first layer reads.
    package let input: Shape
    /// Of what the last layer writes.
    package let output: Shape
    /// The first layer where it takes maxima over all positions.
    private let maxima: GlobalMaxPool1D?

    /// Most inputs of one block.
    package var rows: Int { plan.rows }
    /// One element of each channel of the input has a gradient.
    package var readsMaxima: Bool { maxima != nil }
    /// Floats of one worker's memory.
    package var workspaceCount: Int { plan.count }

    fileprivate init(_ network: Network, _ plan: PassPlan) {
        self.network = network
        self.plan = plan
        input = plan.steps[0].input
        output = plan.steps[plan.steps.count - 1].output
        maxima = network.places[plan.steps[0].layer].layer as? GlobalMaxPool1D
    }

    /// Outputs (rows, output) of a block, in the workspace, valid until `gradient` is called.
    package func outputs(_ inputs: Floats, rows: Int, workspace: MutableFloats) -> Floats {
        var block = GradientBlock(input: .dense(inputs), rows: rows, workspace: workspace)
        return network.forward(plan, &block)
    }

    /// Where the gradient with respect to the outputs (rows, output) is to be written before `gradient` is called.
    package func seeds(_ workspace: MutableFloats) -> MutableFloats { workspace + plan.gradients.0 }

    /// The gradient (rows, input) of the block whose outputs were made last in this workspace.
    package func gradient(_ inputs: Floats, rows: Int, workspace: MutableFloats, inputGradient: MutableFloats) {
        let block = GradientBlock(input: .dense(inputs), rows: rows, workspace: workspace)
        network.backward(plan, block, inputGradient: inputGradient, parameterGradient: nil)
    }

    /// The gradient in the form of the elements that have one: values (rows, C) and their positions (rows, C), in the
    /// workspace. The part reads maxima.
    package func gradientOfMaxima(
        _ inputs: Floats, rows: Int, workspace: MutableFloats
    ) -> (values: Floats, positions: UnsafePointer<Int32>) {
        var block = GradientBlock(input: .dense(inputs), rows: rows, workspace: workspace)
        network.backward(
            plan, &block, steps: 1..<plan.steps.count, inputGradient: workspace, parameterGradient: nil)
        guard let positions = maxima?.maximaPositions(network.layerPass(plan.steps[0], plan, block)) else {
            preconditionFailure("the part does not read maxima")
        }
        return (Floats(network.gradient(plan, block)), positions)
    }
}

extension Network {
    /// Shapes of what the layers of a range read, at `length` positions, and of what they write.
    package func partShapes(_ range: Range<Int>, length: Int) throws(DeepMotifError) -> (input: Shape, output: Shape) {
        let shapes = try shapes(range, input: try inputShape(ofLayer: range.lowerBound, length: length))
        return (shapes[0], shapes[shapes.count - 1])
    }

    /// The layers of a range for inputs of `length` positions; `count` is how many inputs there are in all. Throws where
    /// the range is empty or out of bounds, or the length does not fit.
    package func part(_ range: Range<Int>, length: Int, count: Int) throws(DeepMotifError) -> NetworkPart {
        guard range.lowerBound >= 0, range.upperBound <= layers.count, !range.isEmpty else {
            throw .invalidArgument("layers must be a range of at least one in 0 ..< \(layers.count); got \(range)")
        }
        let plan = try gradientPlan(range, length: length, count: count)
        prepareParameters()
        return NetworkPart(self, plan)
    }

    /// Gradients (rows, input) of the sum of outputGradient x output of some layers, at inputs (rows, input): the
    /// product with the layers' Jacobian. The values of the inputs are trusted.
    package func gradient(
        _ range: Range<Int>, input: Floats, outputGradient: Floats, rows: Int, length: Int, threads: Int,
        inputGradient: MutableFloats
    ) throws(DeepMotifError) {
        guard rows >= 0, threads >= 1 else {
            throw .invalidArgument("rows must be at least 0 and threads at least 1; got \(rows) and \(threads)")
        }
        let part = try part(range, length: length, count: rows)
        let blocks = (rows + part.rows - 1) / part.rows
        guard blocks > 0 else { return }
        nonisolated(unsafe) let memory = try workspaces.reserve(
            workers: min(threads, blocks), count: part.workspaceCount)
        defer { workspaces.trim() }
        nonisolated(unsafe) let input = input
        nonisolated(unsafe) let outputGradient = outputGradient
        nonisolated(unsafe) let inputGradient = inputGradient
        parallelFor(chunks: blocks, threads: threads) { block, worker in
            let start = block * part.rows
            let count = min(part.rows, rows - start)
            let inputs = input + start * part.input.count
            _ = part.outputs(inputs, rows: count, workspace: memory[worker])
            part.seeds(memory[worker]).update(
                from: outputGradient + start * part.output.count, count: count * part.output.count)
            part.gradient(
                inputs, rows: count, workspace: memory[worker],
                inputGradient: inputGradient + start * part.input.count)
        }
    }
}
