// Residual: a block of layers beside a shortcut. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// y = body(x) + shortcut(x), where an empty shortcut is the identity (He, Zhang, Ren and Sun 2016). Residual blocks may
/// stand inside of residual blocks. Parameters are those of the body, then of the shortcut, whose names begin with
/// "shortcut.".
package struct Residual: Layer {
    package let kind = "residual"
    package let body: LayerChain
    package let shortcut: LayerChain

    /// Throws where the layers do not fit on `input`, or their outputs not on each other.
    init(body: [LayerSpec], shortcut: [LayerSpec], input: Shape) throws(DeepMotifError) {
        guard !body.isEmpty else { throw .invalidArgument("the body of residual needs at least one layer; got none") }
        self.body = try LayerChain(body, input: input, part: "body", firstStream: 0)
        self.shortcut = try LayerChain(shortcut, input: input, part: "shortcut", firstStream: body.count)
        _ = try outputShape(for: input)
    }

    package var parameterArrays: [ParameterArray] {
        body.parameterArrays(prefix: "") + shortcut.parameterArrays(prefix: "shortcut.")
    }

    package func outputShape(for input: Shape) throws(DeepMotifError) -> Shape {
        let (main, side) = (try body.outputShape(for: input), try shortcut.outputShape(for: input))
        guard main == side else {
            throw .shape(
                "body and shortcut of residual must give equal shapes; got (\(main.length), \(main.channels)) and "
                    + "(\(side.length), \(side.channels))")
        }
        return main
    }

    // MARK: Parameters

    package func initialize(_ parameters: MutableFloats, random: inout RandomSource) {
        body.forEachParameters { layer, offset in layer.initialize(parameters + offset, random: &random) }
        let rest = parameters + body.parameterCount
        shortcut.forEachParameters { layer, offset in layer.initialize(rest + offset, random: &random) }
    }

    package func exportParameters(_ parameters: Floats, to values: MutableFloats) {
        body.forEachParameters { $0.exportParameters(parameters + $1, to: values + $1) }
        let (source, target) = (parameters + body.parameterCount, values + body.parameterCount)
        shortcut.forEachParameters { $0.exportParameters(source + $1, to: target + $1) }
    }

    package func importParameters(_ values: Floats, to parameters: MutableFloats) {
        body.forEachParameters { $0.importParameters(values + $1, to: parameters + $1) }
        let (source, target) = (values + body.parameterCount, parameters + body.parameterCount)
        shortcut.forEachParameters { $0.importParameters(source + $1, to: target + $1) }
    }

    package func preparedCount(kernels: KernelTable) -> Int {
        body.preparedCount(kernels: kernels) + shortcut.preparedCount(kernels: kernels)
    }

    package func prepare(_ parameters: Floats, to prepared: MutableFloats, kernels: KernelTable) {
        body.prepare(parameters, to: prepared, kernels: kernels)
        shortcut.prepare(
            parameters + body.parameterCount, to: prepared + body.preparedCount(kernels: kernels), kernels: kernels)
    }

    // MARK: Passes

    /// The shortcut's output or input gradient, then what one of the chains needs.
    package func scratchCount(for input: Shape, rows: Int, kernels: KernelTable) -> Int {
        let largest = max(
            body.scratchCount(for: input, rows: rows, kernels: kernels),
            shortcut.scratchCount(for: input, rows: rows, kernels: kernels))
        return ownScratch(input, rows: rows) + largest
    }

    private func ownScratch(_ input: Shape, rows: Int) -> Int {
        let output = (try? outputShape(for: input)) ?? input
        return aligned(rows * max(input.count, output.count))
    }

    package func cacheCount(for input: Shape, kernels: KernelTable) -> Int {
        body.cacheCount(for: input, kernels: kernels) + shortcut.cacheCount(for: input, kernels: kernels)
    }

    /// The pass of the body, and that of the shortcut.
    private func passes(_ pass: LayerPass) -> (body: LayerPass, shortcut: LayerPass) {
        var main = pass
        main.scratch += ownScratch(pass.input, rows: pass.rows)
        var side = main
        side.parameters += body.parameterCount
        side.prepared += body.preparedCount(kernels: pass.kernels)
        side.cache = pass.cache.map { $0 + pass.rows * body.cacheCount(for: pass.input, kernels: pass.kernels) }
        return (main, side)
    }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        let x = input.floats
        let (main, side) = passes(pass)
        body.forward(x, to: output, pass: main)
        let count = pass.rows * pass.output.count
        if shortcut.layers.isEmpty {
            pass.kernels.add(x, output, count)
        } else {
            shortcut.forward(x, to: pass.scratch, pass: side)
            pass.kernels.add(Floats(pass.scratch), output, count)
        }
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        let x = input.floats
        let (main, side) = passes(pass)
        let count = pass.rows * pass.input.count
        body.backward(
            x, outputGradient: outputGradient, inputGradient: inputGradient, parameterGradient: parameterGradient,
            pass: main)
        guard !shortcut.layers.isEmpty else {
            if let inputGradient { pass.kernels.add(Floats(outputGradient), inputGradient, count) }
            return
        }
        shortcut.backward(
            x, outputGradient: outputGradient, inputGradient: inputGradient.map { _ in pass.scratch },
            parameterGradient: parameterGradient.map { $0 + body.parameterCount }, pass: side)
        if let inputGradient { pass.kernels.add(Floats(pass.scratch), inputGradient, count) }
    }
}
