// LayerChain: layers one after the other inside of a layer. Networks room.
//
// What a network plans once a call, a chain finds anew in each pass by walking over its few layers: a layer keeps no
// state and does not know the length before the pass. Nothing is allocated.

import DeepMotifCore
import DeepMotifKernelTable

/// The layers of one branch of a residual block; empty for the identity.
package struct LayerChain: Sendable {
    package let layers: [any Layer]
    /// Kind and order within the chain: "conv1d_0".
    package let names: [String]
    let parameterCount: Int
    /// Number of the first layer's random stream within the block.
    let firstStream: Int

    /// Throws with the layer's name where one does not fit.
    init(_ specs: [LayerSpec], input: Shape, part: String, firstStream: Int) throws(DeepMotifError) {
        var layers: [any Layer] = []
        var names: [String] = []
        var shape = input
        for (i, spec) in specs.enumerated() {
            do throws(DeepMotifError) {
                let layer = try spec.makeLayer(input: shape)
                shape = try layer.outputShape(for: shape)
                names.append("\(layer.kind)_\(layers.count { $0.kind == layer.kind })")
                layers.append(layer)
            } catch {
                throw error.at("layer \(i) of the \(part) of residual")
            }
        }
        self.layers = layers
        self.names = names
        self.firstStream = firstStream
        parameterCount = layers.reduce(0) { $0 + $1.parameterCount }
    }

    func outputShape(for input: Shape) throws(DeepMotifError) -> Shape {
        var shape = input
        for layer in layers { shape = try layer.outputShape(for: shape) }
        return shape
    }

    // MARK: Parameters

    func parameterArrays(prefix: String) -> [ParameterArray] {
        zip(layers, names).flatMap { layer, name in
            layer.parameterArrays.map {
                ParameterArray(prefix + name + "." + $0.name, $0.dimensions, isTrained: $0.isTrained)
            }
        }
    }

    func forEachParameters(_ body: (any Layer, Int) -> Void) {
        var offset = 0
        for layer in layers {
            body(layer, offset)
            offset += layer.parameterCount
        }
    }

    func preparedCount(kernels: KernelTable) -> Int {
        layers.reduce(0) { $0 + aligned($1.preparedCount(kernels: kernels)) }
    }

    func prepare(_ parameters: Floats, to prepared: MutableFloats, kernels: KernelTable) {
        var target = prepared
        forEachParameters { layer, offset in
            layer.prepare(parameters + offset, to: target, kernels: kernels)
            target += aligned(layer.preparedCount(kernels: kernels))
        }
    }

    // MARK: Memory

    /// One layer on its way through a pass: its shapes, and where its parts start. Output and cache count floats a row.
    private struct Place {
        var layer = -1
        var input: Shape
        var output: Shape
        var parameters = 0
        var prepared = 0
        var target = 0
        var cache = 0
        /// Floats a row of all outputs and caches so far.
        var used = 0
        /// Floats a row of the largest output so far.
        var largest = 0
    }

    /// Shapes that do not fit were refused before the pass.
    private func next(_ place: Place, kernels: KernelTable) -> Place {
        var next = place
        if place.layer >= 0 {
            next.parameters += layers[place.layer].parameterCount
            next.prepared += aligned(layers[place.layer].preparedCount(kernels: kernels))
        }
        next.layer += 1
        let layer = layers[next.layer]
        next.input = place.output
        next.output = (try? layer.outputShape(for: next.input)) ?? next.input
        let mayOverwrite = next.layer > 0 && !layers[next.layer - 1].needsOutput
        if !(layer.isInPlace && mayOverwrite) {
            next.target = next.used
            next.used += aligned(next.output.count)
        }
        next.cache = next.used
        next.used += aligned(layer.cacheCount(for: next.input, kernels: kernels))
        next.largest = max(next.largest, next.output.count)
        return next
    }

    private func place(_ layer: Int, for input: Shape, kernels: KernelTable) -> Place {
        var place = Place(input: input, output: input)
        for _ in 0..<(layer + 1) { place = next(place, kernels: kernels) }
        return place
    }

    /// Outputs and caches of all layers: floats for each row.
    func cacheCount(for input: Shape, kernels: KernelTable) -> Int {
        place(layers.count - 1, for: input, kernels: kernels).used
    }

    /// Two buffers for outputs or gradients, then the layers' own.
    func scratchCount(for input: Shape, rows: Int, kernels: KernelTable) -> Int {
        var place = Place(input: input, output: input)
        var needed = 0
        for layer in layers {
            place = next(place, kernels: kernels)
            needed = max(needed, layer.scratchCount(for: place.input, rows: rows, kernels: kernels))
        }
        return 2 * aligned(rows * place.largest) + needed
    }

    // MARK: Passes

    private func pass(_ place: Place, _ pass: LayerPass, bufferCount: Int) -> LayerPass {
        var own = pass
        own.input = place.input
        own.output = place.output
        own.parameters += place.parameters
        own.prepared += place.prepared
        own.scratch += 2 * bufferCount
        own.cache = pass.cache.map { $0 + pass.rows * place.cache }
        own.zerosBlockGradient = pass.zerosBlockGradient && place.layer == 0
        own.key = LayerChain.key(pass.key, stream: firstStream + place.layer)
        return own
    }

    /// The key of a layer's random stream inside of a block.
    static func key(_ block: UInt64, stream: Int) -> UInt64 {
        mixBits(block &+ 0xD1B5_4A32_D192_ED03 &* UInt64(stream + 1))
    }

    private func bufferCount(_ pass: LayerPass) -> Int {
        aligned(pass.rows * place(layers.count - 1, for: pass.input, kernels: pass.kernels).largest)
    }

    /// The chain is not empty; `pass` is that of the block, with the chain's parameters, scratch and cache.
    func forward(_ x: Floats, to output: MutableFloats, pass: LayerPass) {
        let buffer = bufferCount(pass)
        var place = Place(input: pass.input, output: pass.input)
        var current = x
        var turn = 0
        for (index, layer) in layers.enumerated() {
            place = next(place, kernels: pass.kernels)
            let target: MutableFloats
            if let cache = pass.cache {
                target = cache + pass.rows * place.target
            } else if index == layers.count - 1 {
                target = output
            } else {
                if index == 0 || !layer.isInPlace { turn = 1 - turn }
                target = pass.scratch + turn * buffer
            }
            layer.forward(.dense(current), to: target, pass: self.pass(place, pass, bufferCount: buffer))
            current = Floats(target)
        }
        if pass.cache != nil { output.update(from: current, count: pass.rows * place.output.count) }
    }

    /// Leaves the output gradient as it is.
    func backward(
        _ x: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?, parameterGradient: MutableFloats?,
        pass: LayerPass
    ) {
        guard let cache = pass.cache else { preconditionFailure("backward without a cache") }
        let buffer = bufferCount(pass)
        var (gradient, other) = (pass.scratch, pass.scratch + buffer)
        var place = place(layers.count - 1, for: pass.input, kernels: pass.kernels)
        gradient.update(from: outputGradient, count: pass.rows * place.output.count)
        for index in layers.indices.reversed() {
            let layer = layers[index]
            let before = self.place(index - 1, for: pass.input, kernels: pass.kernels)
            let input = index == 0 ? x : Floats(cache + pass.rows * before.target)
            let isInPlace = layer.isInPlace && index > 0
            let target: MutableFloats? = index == 0 ? inputGradient : isInPlace ? gradient : other
            layer.backward(
                .dense(input), output: Floats(cache + pass.rows * place.target), outputGradient: gradient,
                inputGradient: target, parameterGradient: parameterGradient.map { $0 + place.parameters },
                pass: self.pass(place, pass, bufferCount: buffer))
            if !isInPlace { swap(&gradient, &other) }
            place = before
        }
    }
}
