// StrandTies: weights tied so that a network treats both strands alike. Networks room.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifSequences

/// Reverse-complement parameter sharing (Shrikumar, Greenside and Kundaje 2017). Complements are mirror images in the order
/// A C G T, and so is every layer's order of channels: what channel c is at position p, channel C-1-c is at position L-1-p
/// of the other strand. That holds where weights equal their mirror images: W[F-1-f, K-1-k, C-1-c] = W[f, k, c] of a
/// convolution, the reverse direction of a recurrent layer those of the forward one with both orders of channels
/// mirrored, and W[o, mirror(j)] = W[o, j] of the first dense layer behind the positions, whose outputs no longer depend on
/// the strand.
struct StrandTies: @unchecked Sendable {
    /// The place of every parameter's mirror image; its own where it is not tied.
    private let mirrors: Buffer<Int>
    private let count: Int
    /// By the number of a layer's place: the mirror image of each channel that a batch normalisation reads.
    private(set) var channelMirrors: [Int: [Int]] = [:]

    /// What reading the other strand does to the output of a layer.
    private enum Symmetry {
        /// Reverses the positions and mirrors the channels.
        case positions
        /// Exchanges the channels so.
        case vector([Int])
        case invariant
    }

    private static func reversal(_ count: Int) -> [Int] { (0..<count).map { count - 1 - $0 } }

    /// Throws where a layer cannot be tied.
    init(_ network: Network) throws(DeepMotifError) {
        count = network.parameterCount
        mirrors = try Buffer(count: count)
        for i in 0..<count { mirrors.pointer[i] = i }
        var symmetry = Symmetry.positions
        for (i, layer) in network.layers.enumerated() {
            do throws(DeepMotifError) {
                let shapes = (
                    try network.shape(ofLayer: i - 1, length: network.length),
                    try network.shape(ofLayer: i, length: network.length)
                )
                if case .positions = symmetry, shapes.0.length == 1, layer is Dense {
                    symmetry = .vector(Self.reversal(shapes.0.channels))
                }
                symmetry = try tie(i, of: network.places, symmetry, input: shapes.0, output: shapes.1)
            } catch {
                throw error.at("strands cannot share the weights of \(network.layerNames[i])")
            }
        }
        guard case .invariant = symmetry else {
            throw .invalidArgument(
                "strands cannot share weights: a dense layer must follow where the positions end, to make scores that "
                    + "do not depend on the strand")
        }
    }

    // MARK: Layers

    private mutating func tie(
        _ number: Int, of places: LayerPlaces, _ symmetry: Symmetry, input: Shape, output: Shape
    ) throws(DeepMotifError) -> Symmetry {
        if case .invariant = symmetry { return .invariant }
        let (layer, offset) = (places[number].layer, places[number].parameters)
        switch (layer.kind, symmetry) {
        case ("conv1d", .positions):
            try requireEven(output.channels, "filters")
            mirrorArrays(of: layer, offset: offset)
            return .positions
        case ("dense", .positions):
            try requireEven(output.channels, "units")
            mirrorArrays(of: layer, offset: offset)
            return .positions
        case ("dense", .vector(let channels)):
            mirrorColumns(offset: offset, units: output.channels, channels)
            return .invariant
        case ("lstm", .positions), ("gru", .positions):
            try mirrorDirections(of: layer, offset: offset, units: output.channels / 2)
            return output.length > 1 ? .positions : .vector(Self.reversal(output.channels))
        case ("batch_norm1d", _), ("layer_norm", _):
            let channels = vector(symmetry, input)
            mirrorChannels(of: layer, offset: offset, channels)
            if layer.kind == "batch_norm1d" { channelMirrors[number] = channels }
            return symmetry
        case ("flatten", .positions): return .vector(Self.reversal(output.channels))
        case ("global_max_pool1d", .positions), ("global_average_pool1d", .positions):
            return .vector(Self.reversal(output.channels))
        case ("global_max_average_pool1d", .positions):
            // Maximum and mean of a channel stand side by side.
            return .vector((0..<output.channels).map { output.channels - 2 - $0 + 2 * ($0 & 1) })
        case ("residual", .positions):
            try tieBranch(places[number].body, of: places, input: input)
            try tieBranch(places[number].shortcut, of: places, input: input)
            return .positions
        default:
            guard layer.parameterCount == 0, input.channels == output.channels else {
                throw .invalidArgument("there is no tie for this kind of layer at this place")
            }
            return symmetry
        }
    }

    /// A branch of a residual block, whose layers must all be positions in order.
    private mutating func tieBranch(
        _ branch: Range<Int>, of places: LayerPlaces, input: Shape
    ) throws(DeepMotifError) {
        var shape = input
        for number in branch {
            let output = try places[number].layer.outputShape(for: shape)
            guard case .positions = try tie(number, of: places, .positions, input: shape, output: output) else {
                throw .invalidArgument("its \(places[number].layer.kind) ends the positions inside of the block")
            }
            shape = output
        }
    }

    private func vector(_ symmetry: Symmetry, _ shape: Shape) -> [Int] {
        if case .vector(let channels) = symmetry { return channels }
        return Self.reversal(shape.channels)
    }

    private func requireEven(_ value: Int, _ name: String) throws(DeepMotifError) {
        guard value % 2 == 0 else {
            throw .invalidArgument("the number of \(name) must be even, each and its mirror image; got \(value)")
        }
    }

    /// All dimensions of every array are reversed, which reverses its scalars in any order of the dimensions.
    private func mirrorArrays(of layer: any Layer, offset: Int) {
        var start = offset
        for array in layer.parameterArrays {
            for i in 0..<array.count { mirrors.pointer[start + i] = start + array.count - 1 - i }
            start += array.count
        }
    }

    /// Weights (units, J) from mirrored inputs to outputs that do not depend on the strand.
    private func mirrorColumns(offset: Int, units: Int, _ channels: [Int]) {
        for unit in 0..<units {
            let row = offset + unit * channels.count
            for (j, mirror) in channels.enumerated() { mirrors.pointer[row + j] = row + mirror }
        }
    }

    /// Arrays (C,) by channel.
    private func mirrorChannels(of layer: any Layer, offset: Int, _ channels: [Int]) {
        var start = offset
        for array in layer.parameterArrays {
            for (c, mirror) in channels.enumerated() { mirrors.pointer[start + c] = start + mirror }
            start += array.count
        }
    }

    /// Output channel u of the forward direction and H-1-u of the reverse one are mirror images. In an array (gates x H, D)
    /// each gate's block is reversed as a whole.
    private func mirrorDirections(of layer: any Layer, offset: Int, units: Int) throws(DeepMotifError) {
        let arrays = layer.parameterArrays
        guard arrays.count % 2 == 0, arrays[arrays.count / 2].name.hasSuffix("_reverse") else {
            throw .invalidArgument("it must be bidirectional")
        }
        let half = layer.parameterCount / 2
        var start = offset
        for array in arrays.prefix(arrays.count / 2) {
            let block = array.count / (array.dimensions[0] / units)
            for i in 0..<array.count {
                let (gate, place) = (i / block, i % block)
                let mirror = half + start + gate * block + block - 1 - place
                mirrors.pointer[start + i] = mirror
                mirrors.pointer[mirror] = start + i
            }
            start += array.count
        }
    }

    // MARK: Values

    /// The first of each pair gives its value to the second.
    func tie(_ values: MutableFloats) {
        for i in 0..<count where mirrors.pointer[i] > i { values[mirrors.pointer[i]] = values[i] }
    }

    /// Tied weights have one gradient: the sum of the two.
    func symmetrize(_ gradient: MutableFloats, threads: Int) {
        let chunks = (count + TrainedSlice.limit - 1) / TrainedSlice.limit
        nonisolated(unsafe) let gradient = gradient
        parallelFor(chunks: chunks, threads: threads) { chunk, _ in
            for i in chunkRange(chunk, of: chunks, count: self.count) {
                let mirror = self.mirrors.pointer[i]
                guard mirror > i else { continue }
                let sum = gradient[i] + gradient[mirror]
                gradient[i] = sum
                gradient[mirror] = sum
            }
        }
    }

    /// Ties the parameters and tries them: positions may be read differently at the two ends for reasons that no weight
    /// can mend (padding, windows that leave a rest). Throws with the first layer that does.
    func tieAndCheck(_ network: Network) throws(DeepMotifError) {
        tie(network.parameters.values)
        network.parametersChanged()
        let length = network.length
        let codes = try Buffer<UInt8>(count: 2 * length)
        var random = RandomSource(seed: 0, purpose: .simulation)
        for p in 0..<length {
            codes.pointer[p] = UInt8(random.below(letterCount))
            codes.pointer[2 * length - 1 - p] = 3 - codes.pointer[p]
        }
        let batch = SequenceBatch(form: .codes(codes.readOnly), count: 2, length: length)
        for (i, name) in network.layerNames.enumerated() {
            let shape = try network.shape(ofLayer: i, length: length)
            guard shape.length > 1 || i == network.layers.count - 1 else { continue }
            let output = try Buffer<Float>(count: 2 * shape.count)
            try network.activations(batch, layer: i, threads: 1, output: output.pointer)
            guard isMirrored(output.readOnly, shape.count, isInvariant: shape.length == 1) else {
                throw .invalidArgument(
                    "strands cannot share weights: \(name) does not read both ends of \(length) positions alike "
                        + "(uneven padding, or a rest that its stride leaves at one end)")
            }
        }
    }

    /// Whether the second of two outputs is the first one backwards, or the same where scores are compared, but for the
    /// rounding of sums in another order.
    private func isMirrored(_ values: Floats, _ count: Int, isInvariant: Bool) -> Bool {
        var largest: Float = 0
        var difference: Float = 0
        for i in 0..<count {
            let other = values[count + (isInvariant ? i : count - 1 - i)]
            largest = max(largest, abs(values[i]))
            difference = max(difference, abs(values[i] - other))
        }
        return difference <= 1e-4 * largest
    }
}
