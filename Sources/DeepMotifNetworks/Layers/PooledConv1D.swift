// PooledConv1D: the first layers of a network as one, on codes: a convolution, ReLU, maxima. Networks room.
//
// The map between convolution and pool is the largest of a network by far, and only the winners of its windows count:
// maxima are taken in registers, and backward the gradients of the winners go straight to the weights.

import DeepMotifCore
import DeepMotifKernelTable

/// Conv1D, ReLU where it follows, and a maximum pool whose windows do not overlap, or one over all positions. Plans take it
/// in the place of those layers where codes are read and nobody asks for what is between them; it has the parameters of
/// the convolution and is none of the network's layers.
struct PooledConv1D: Layer {
    let kind = "pooled_conv1d"
    let convolution: Conv1D
    let isRectified: Bool
    /// The pool itself, which spreads gradients to positions.
    let pool: any Layer
    /// nil: one window of all positions.
    let windows: PoolWindows?
    /// How many layers it stands for.
    var layerCount: Int { isRectified ? 3 : 2 }

    let acceptsCodes = true
    var needsOutput: Bool { isRectified }
    var parameterArrays: [ParameterArray] { convolution.parameterArrays }

    /// nil where the first layers are others.
    init?(_ layers: [any Layer]) {
        guard let convolution = layers.first as? Conv1D, convolution.acceptsCodes,
            convolution.filters >= Conv1D.pairFilters
        else { return nil }
        isRectified = layers.count > 2 && layers[1] is ReLU
        guard layers.count > (isRectified ? 2 : 1) else { return nil }
        pool = layers[isRectified ? 2 : 1]
        if let pool = pool as? MaxPool1D {
            // Positions in several windows would be computed for each.
            guard pool.windows.stride >= pool.windows.width else { return nil }
            windows = pool.windows
        } else {
            guard pool is GlobalMaxPool1D else { return nil }
            windows = nil
        }
        self.convolution = convolution
    }

    func zerosBlockGradient(before: Bool) -> Bool { isRectified }

    func outputShape(for input: Shape) throws(DeepMotifError) -> Shape {
        try pool.outputShape(for: try convolution.outputShape(for: input))
    }

    /// Positions and filters of the convolution; shapes that do not fit were refused before.
    private func map(for input: Shape) -> Shape {
        (try? convolution.outputShape(for: input)) ?? Shape(length: 0, channels: convolution.filters)
    }

    func scratchCount(for input: Shape, rows: Int, kernels: KernelTable) -> Int {
        aligned(map(for: input).count) + convolution.scratchCount(for: input, rows: 1, kernels: kernels)
    }

    func cacheCount(for input: Shape, kernels: KernelTable) -> Int {
        pool.cacheCount(for: map(for: input), kernels: kernels)
    }

    /// The convolution's part of a pass, with `rows` sequences.
    private func inner(_ pass: LayerPass, rows: Int) -> LayerPass {
        var inner = pass
        inner.rows = rows
        inner.output = map(for: pass.input)
        inner.scratch += aligned(inner.output.count)
        inner.cache = nil
        return inner
    }

    /// Offsets of the winners in the cache, as the pool has them.
    private func offsets(_ pass: LayerPass) -> UnsafeMutablePointer<Int32>? {
        pass.cache.map {
            UnsafeMutableRawPointer($0).bindMemory(to: Int32.self, capacity: pass.rows * pass.output.count)
        }
    }

    /// Calls with runs of windows of equal width, and the number of the first one.
    @inline(__always)
    private func forEachRun(_ pass: LayerPass, _ map: Shape, _ body: (_ first: Int, _ run: PoolRun) -> Void) {
        guard let windows else {
            body(0, PoolRun(start: 0, width: map.length, stride: map.length, count: 1))
            return
        }
        windows.forEachRun(length: map.length, count: pass.output.length) { first, count, start, width, _ in
            body(first, PoolRun(start: start, width: width, stride: windows.stride, count: count))
        }
    }

    // MARK: Passes

    private func codes(_ input: LayerInput) -> UnsafePointer<UInt8> {
        guard case .codes(let codes) = input else { preconditionFailure("a layer of codes was given letters") }
        return codes
    }

    func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        let codes = codes(input)
        let offsets = offsets(pass)
        let inner = inner(pass, rows: pass.rows)
        let bias = convolution.bias(inner)
        let geometry = convolution.geometry(inner)
        let memory = convolution.pairMemory(inner)
        let taps = convolution.usesPairs ? 2 : 1
        forEachRun(pass, inner.output) { first, run in
            for row in 0..<pass.rows {
                let place = row * pass.output.count + first * pass.output.channels
                pass.table.pointee.convolveCodePools(
                    codes + row * pass.input.length, taps, pass.prepared, bias, output + place,
                    offsets.map { $0 + place }, memory, geometry, run, isRectified)
            }
        }
    }

    func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        let codes = codes(input)
        guard let offsets = offsets(pass) else { preconditionFailure("backward without a cache") }
        if isRectified {
            pass.kernels.reluGradient(output, outputGradient, outputGradient, pass.rows * pass.output.count)
        }
        if let parameterGradient { addGradient(codes, outputGradient, offsets, parameterGradient, pass) }
        guard let inputGradient else { return }
        let inner = inner(pass, rows: 1)
        for row in 0..<pass.rows {
            spread(outputGradient + row * pass.output.count, row: row, to: pass.scratch, pass, inner.output)
            convolution.backward(
                .codes(codes + row * pass.input.length), output: Floats(pass.scratch), outputGradient: pass.scratch,
                inputGradient: inputGradient + row * pass.input.length * letterCount, parameterGradient: nil,
                pass: inner)
        }
    }

    /// One sequence's gradient with respect to the map of the convolution.
    private func spread(
        _ dy: MutableFloats, row: Int, to gradient: MutableFloats, _ pass: LayerPass, _ map: Shape
    ) {
        var own = pass
        own.rows = 1
        own.input = map
        own.cache = pass.cache.map { $0 + row * pass.output.count }
        pool.backward(
            .dense(Floats(gradient)), output: Floats(dy), outputGradient: dy, inputGradient: gradient,
            parameterGradient: nil, pass: own)
    }

    // MARK: Gradients of the parameters

    private func addGradient(
        _ codes: UnsafePointer<UInt8>, _ dy: MutableFloats, _ offsets: UnsafePointer<Int32>,
        _ gradient: MutableFloats, _ pass: LayerPass
    ) {
        let inner = inner(pass, rows: pass.rows)
        let (filters, hasBias) = (convolution.filters, convolution.hasBias)
        let bias = hasBias ? gradient + filters * convolution.span : nil
        let elements = pass.rows * pass.output.count
        let nonzeros = pass.kernels.countNonzeros(dy, elements)
        let table = convolution.clearedTable(inner)
        if convolution.isListed(nonzeros: nonzeros, of: pass.rows * inner.output.count) {
            for row in 0..<pass.rows {
                let place = row * pass.output.count
                let lists = convolution.lists(dy + place, rows: pass.output.length, inner)
                findPositions(lists, offsets + place, inner.output.length)
                convolution.addListedGradient(codes + row * pass.input.length, lists, to: table, bias, inner)
            }
        } else {
            if let bias { pass.kernels.addColumnSums(dy, pass.rows * pass.output.length, filters, bias) }
            forEachRun(pass, inner.output) { first, run in
                for row in 0..<pass.rows {
                    let place = row * pass.output.count + first * filters
                    convolution.addTableGradient(
                        codes + row * pass.input.length, dy + place, offsets: offsets + place, run, to: table, inner)
                }
            }
        }
        convolution.addTable(table, to: gradient)
    }

    /// Turns the numbers of the listed windows into the positions of their winners.
    private func findPositions(_ lists: Conv1D.Lists, _ offsets: UnsafePointer<Int32>, _ length: Int) {
        let filters = convolution.filters
        let left = windows?.paddings(length: length).left ?? 0
        let stride = windows?.stride ?? length
        for f in 0..<filters {
            let list = lists.indices + f * lists.stride
            for e in 0..<Int(lists.counts[f]) {
                let window = Int(list[e])
                let start = max(window * stride - left, 0)
                list[e] = Int32(truncatingIfNeeded: start) + offsets[window * filters + f]
            }
        }
    }
}
