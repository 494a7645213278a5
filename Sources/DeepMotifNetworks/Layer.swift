// Layer: the one protocol of everything a network is made of. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// What a layer reads: codes (rows, L) where it is the first one and accepts them, or floats (rows, L, C).
package enum LayerInput {
    case codes(UnsafePointer<UInt8>)
    case dense(Floats)
}

/// One parameter array in PyTorch's layout. In the layer's own layout an array has the same place and its first dimension,
/// the output units, is the outermost as well.
package struct ParameterArray: Sendable, Equatable {
    /// Name within the layer: "weight", "bias", "weight_ih_reverse".
    package let name: String
    /// PyTorch's shape.
    package let dimensions: [Int]
    /// False for statistics, which no optimizer moves.
    package let isTrained: Bool
    package var count: Int { dimensions.reduce(1, *) }

    package init(_ name: String, _ dimensions: [Int], isTrained: Bool = true) {
        self.name = name
        self.dimensions = dimensions
        self.isTrained = isTrained
    }
}

/// The sizes and the memory of one pass of one layer over `rows` sequences. Plain bits, so that handing it on costs
/// nothing.
package struct LayerPass {
    /// The table lives as long as the network.
    package var table: UnsafePointer<KernelTable>
    package var rows: Int
    package var input: Shape
    package var output: Shape
    /// The layer's parameters in its own layout.
    package var parameters: Floats
    /// What `prepare` made of them.
    package var prepared: Floats
    /// `scratchCount` floats, contents undefined.
    package var scratch: MutableFloats
    /// `cacheCount` floats for each row, from forward to backward; nil in inference.
    package var cache: MutableFloats?
    /// Dropout is on; `key` names its random stream, one key a row (`rowKey`).
    package var isTraining: Bool
    package var key: UInt64
    /// Number of the chunk's first row in its batch, so that random streams do not depend on the chunks.
    package var firstRow: Int
    /// No gradient gets through an input element that is zero to the layers before (`Layer.zerosBlockGradient`): the input
    /// gradient is wanted at the others only, and may be zero there.
    package var zerosBlockGradient = false
    /// Statistics of the whole batch, `statisticsCount` floats; nil where the layer's own are to be taken.
    package var statistics: Floats?

    package var kernels: KernelTable { _read { yield table.pointee } }

    /// The random stream of one row of this pass.
    package func rowKey(_ row: Int) -> UInt64 {
        mixBits(key &+ 0x9E37_79B9_7F4A_7C15 &* UInt64(truncatingIfNeeded: firstRow + row + 1))
    }
}

/// A layer works on a block of `rows` sequences, each (L, C), one after the other. It owns no memory and keeps no state:
/// one object serves all threads. Forward and backward are twins; inference is forward with no cache.
package protocol Layer: Sendable {
    /// PyTorch-like name of the kind, "conv1d"; the network appends the order.
    var kind: String { get }
    var parameterArrays: [ParameterArray] { get }
    /// True where `forward` takes codes; otherwise the network expands them to one-hot letters first.
    var acceptsCodes: Bool { get }
    /// The output may overwrite the input (element-by-element layers).
    var isInPlace: Bool { get }
    /// `backward` reads the layer's output, so that no later layer may overwrite it.
    var needsOutput: Bool { get }
    /// No gradient gets through an output element that is zero; `before` says whether this holds for the layer's input.
    func zerosBlockGradient(before: Bool) -> Bool

    /// Throws where the length does not fit, saying what the layer needs.
    func outputShape(for input: Shape) throws(DeepMotifError) -> Shape

    /// Draws the initial parameters, in the layer's own layout.
    func initialize(_ parameters: MutableFloats, random: inout RandomSource)

    /// From the layer's own layout to PyTorch's, and back; the arrays follow each other in both.
    func exportParameters(_ parameters: Floats, to values: MutableFloats)
    func importParameters(_ values: Floats, to parameters: MutableFloats)

    /// Floats that `prepare` writes: packed matrices and tables, made once a step.
    func preparedCount(kernels: KernelTable) -> Int
    func prepare(_ parameters: Floats, to prepared: MutableFloats, kernels: KernelTable)

    func scratchCount(for input: Shape, rows: Int, kernels: KernelTable) -> Int
    func cacheCount(for input: Shape, kernels: KernelTable) -> Int

    /// Floats of statistics of a whole batch that training needs; above 0, batches go layer by layer. A block counts
    /// none for the layers inside of it.
    var statisticsCount: Int { get }

    func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass)

    /// Writes the input gradient (nil: not wanted) and adds to the parameter gradient in the layer's own layout (nil in
    /// interpretation). In-place layers may be given the same memory for both gradients. `output` is what forward
    /// wrote, valid only where `needsOutput`. With codes as input, the input gradient is that of the letters (rows, L, 4).
    func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass)
}

extension Layer {
    package var parameterArrays: [ParameterArray] { [] }
    package var acceptsCodes: Bool { false }
    package var isInPlace: Bool { false }
    package var needsOutput: Bool { false }
    package func zerosBlockGradient(before: Bool) -> Bool { false }
    package func initialize(_ parameters: MutableFloats, random: inout RandomSource) {}
    package func preparedCount(kernels: KernelTable) -> Int { 0 }
    package func prepare(_ parameters: Floats, to prepared: MutableFloats, kernels: KernelTable) {}
    package var statisticsCount: Int { 0 }
    package func scratchCount(for input: Shape, rows: Int, kernels: KernelTable) -> Int { 0 }
    package func cacheCount(for input: Shape, kernels: KernelTable) -> Int { 0 }

    /// Number of scalars in all parameter arrays.
    package var parameterCount: Int { parameterArrays.reduce(0) { $0 + $1.count } }

    package func exportParameters(_ parameters: Floats, to values: MutableFloats) {
        values.update(from: parameters, count: parameterCount)
    }

    package func importParameters(_ values: Floats, to parameters: MutableFloats) {
        parameters.update(from: values, count: parameterCount)
    }
}

extension LayerInput {
    /// The floats of a layer that never accepts codes.
    var floats: Floats {
        guard case .dense(let floats) = self else { preconditionFailure("a layer was given codes") }
        return floats
    }
}

/// Floats rounded up to whole cache lines, so that every part of a workspace starts on one.
func aligned(_ count: Int) -> Int {
    (count + 15) & ~15
}

/// Uniform draws in +-bound.
func drawUniform(_ values: MutableFloats, count: Int, bound: Float, random: inout RandomSource) {
    for i in 0..<count { values[i] = (2 * random.uniformFloat() - 1) * bound }
}
