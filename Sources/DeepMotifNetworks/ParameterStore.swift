// ParameterStore: all parameters of a network in one buffer, with named views. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// One flat buffer of the layers' parameters, each layer in its own layout; PyTorch's layout outside.
package final class ParameterStore: @unchecked Sendable {
    /// Name ("conv1d_0.weight") and shape of every array in PyTorch's layout, in layer order.
    package let arrays: [(name: String, dimensions: [Int])]
    /// Number of scalars.
    package let count: Int
    /// First scalar and form of every array.
    let places: [(start: Int, array: ParameterArray)]
    /// First scalar of each layer; the same in both layouts.
    let offsets: [Int]
    private let layers: [any Layer]
    private let buffer: Buffer<Float>

    var values: MutableFloats { buffer.pointer }

    init(layers: [any Layer], names: [String]) throws(DeepMotifError) {
        var arrays: [(name: String, dimensions: [Int])] = []
        var places: [(start: Int, array: ParameterArray)] = []
        var offsets: [Int] = []
        var total = 0
        for (layer, name) in zip(layers, names) {
            offsets.append(total)
            for array in layer.parameterArrays {
                arrays.append((name + "." + array.name, array.dimensions))
                places.append((total, array))
                total += array.count
            }
        }
        self.arrays = arrays
        self.places = places
        self.offsets = offsets
        self.layers = layers
        count = total
        buffer = try Buffer(count: total)
    }

    /// Draws all parameters; layer i from stream i, so that a change of one layer leaves the others alone.
    func initialize(seed: UInt64) {
        for (i, layer) in layers.enumerated() {
            var random = RandomSource(seed: seed, purpose: .initialization, stream: UInt64(i))
            layer.initialize(values + offsets[i], random: &random)
        }
    }

    /// From the layers' layout, parameters or gradients, to PyTorch's.
    func export(_ own: Floats, to result: MutableFloats) {
        for (i, layer) in layers.enumerated() {
            layer.exportParameters(own + offsets[i], to: result + offsets[i])
        }
    }

    func load(_ source: Floats) {
        for (i, layer) in layers.enumerated() {
            layer.importParameters(source + offsets[i], to: values + offsets[i])
        }
    }

    /// From PyTorch's layout to the layers', for arrays of the same form as the parameters.
    func convert(_ source: Floats, to own: MutableFloats) {
        for (i, layer) in layers.enumerated() {
            layer.importParameters(source + offsets[i], to: own + offsets[i])
        }
    }
}
