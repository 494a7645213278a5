// PassPlan: where the memory of one pass over a block of sequences lies. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// The layout of one worker's memory for some layers at one length: planned once a call, so that the pass itself
/// allocates nothing. Offsets count floats and start cache lines.
struct PassPlan {
    enum Purpose {
        /// Outputs only: two buffers taken in turns; the last layer writes to the caller's memory.
        case inference
        /// Every layer's input is kept for the backward pass, and the scores stay in the workspace.
        case gradient
    }

    /// One layer of the pass.
    struct Step {
        var layer: Int
        var input: Shape
        var output: Shape
        /// Where the output lies; nil: in the caller's memory.
        var target: Int?
        var cache: Int
        /// No gradient gets through an input element that is zero.
        var zerosBlockGradient = false
    }

    /// Memory that a block should stay within: about twice what a core's own cache holds, since most of it is passed once.
    static let blockBytes = 2 << 20
    static let largestBlock = 64
    /// Calls are cut into this many blocks where they are large enough: work for many threads.
    static let fairBlocks = 16
    /// Smaller blocks waste registers of the recurrent product.
    static let smallestBlock = 4
    /// Rows that share the cost of the weights' gradients where parameters outnumber the activations of a row by far.
    static let sharedRows = 32

    let purpose: Purpose
    /// Most rows of one block.
    let rows: Int
    /// Parameters outnumber the activations of a row by far: reading weights and summing their gradients is much of the
    /// work.
    private(set) var isBroad = false
    private(set) var steps: [Step] = []
    /// Letters of the block where codes must be expanded for the first layer.
    private(set) var letters = 0
    private(set) var gradients = (0, 0)
    private(set) var scratch = 0
    private(set) var count = 0

    /// `shapes` holds the input's shape and each layer's output. `count` is the number of sequences of the whole call
    /// and keeps small calls from being one block. The rows of a block are a multiple of `multiple`.
    init(
        purpose: Purpose, layers: ArraySlice<any Layer>, shapes: [Shape], count sequences: Int, multiple: Int = 1,
        kernels: KernelTable
    ) {
        let one = PassPlan(purpose: purpose, layers: layers, shapes: shapes, rows: 1, kernels: kernels)
        let rowBytes = 4 * max(one.count, 1)
        // Weights are read once a block: a block of big layers holds as much itself as they do, within bounds.
        let weightBytes = 4 * layers.reduce(0) { $0 + $1.parameterCount }
        let fitting = max(PassPlan.blockBytes, min(weightBytes, Workspaces.keptBytes)) / rowBytes
        let isBroad = weightBytes > 4 * rowBytes
        let smallest = isBroad && purpose == .gradient ? PassPlan.sharedRows : PassPlan.smallestBlock
        let fair = max(smallest, (sequences + PassPlan.fairBlocks - 1) / PassPlan.fairBlocks)
        let rows = max(1, min(fitting, fair, PassPlan.largestBlock) / multiple) * multiple
        self = PassPlan(purpose: purpose, layers: layers, shapes: shapes, rows: rows, kernels: kernels)
        self.isBroad = isBroad
    }

    private init(purpose: Purpose, layers: ArraySlice<any Layer>, shapes: [Shape], rows: Int, kernels: KernelTable) {
        self.purpose = purpose
        self.rows = rows
        var used = 0
        func reserve(_ floats: Int) -> Int {
            defer { used += aligned(floats) }
            return used
        }
        letters = reserve(rows * shapes[0].length * letterCount)
        switch purpose {
        case .inference: addInferenceSteps(layers, shapes, reserve)
        case .gradient: addGradientSteps(layers, shapes, kernels, reserve)
        }
        let needed = zip(layers, shapes).map { $0.scratchCount(for: $1, rows: rows, kernels: kernels) }
        scratch = reserve(needed.max() ?? 0)
        count = used
    }

    private mutating func addInferenceSteps(
        _ layers: ArraySlice<any Layer>, _ shapes: [Shape], _ reserve: (Int) -> Int
    ) {
        let largest = rows * (shapes.dropFirst().map(\.count).max() ?? 0)
        let buffers = [reserve(largest), reserve(largest)]
        var current: Int?
        for (i, layer) in layers.enumerated() {
            let isLast = i == layers.count - 1
            if current == nil || !layer.isInPlace { current = current == 0 ? 1 : 0 }
            steps.append(
                Step(
                    layer: layers.startIndex + i, input: shapes[i], output: shapes[i + 1],
                    target: isLast ? nil : buffers[current ?? 0], cache: 0))
        }
    }

    private mutating func addGradientSteps(
        _ layers: ArraySlice<any Layer>, _ shapes: [Shape], _ kernels: KernelTable, _ reserve: (Int) -> Int
    ) {
        var mayOverwrite = false
        var zerosBlock = false
        for (i, layer) in layers.enumerated() {
            let previous = steps.last?.target
            let target = layer.isInPlace && mayOverwrite ? previous : reserve(rows * shapes[i + 1].count)
            let cache = reserve(rows * layer.cacheCount(for: shapes[i], kernels: kernels))
            steps.append(
                Step(
                    layer: layers.startIndex + i, input: shapes[i], output: shapes[i + 1], target: target, cache: cache,
                    zerosBlockGradient: zerosBlock)
            )
            zerosBlock = layer.zerosBlockGradient(before: zerosBlock)
            mayOverwrite = !layer.needsOutput
        }
        let largest = rows * (shapes.dropFirst().map(\.count).max() ?? 0)
        gradients = (reserve(largest), reserve(largest))
    }
}

/// The workers' memory, kept between calls.
final class Workspaces {
    /// More than this is given back at the end of a call.
    static let keptBytes = 64 << 20
    private var buffers: [Buffer<Float>] = []

    /// At least `count` floats for each of `workers`, contents undefined.
    func reserve(workers: Int, count: Int) throws(DeepMotifError) -> [MutableFloats] {
        for i in 0..<workers {
            if i == buffers.count {
                buffers.append(try Buffer(count: count))
            } else if buffers[i].count < count {
                buffers[i] = try Buffer(count: count)
            }
        }
        return buffers.prefix(workers).map(\.pointer)
    }

    func trim() {
        buffers.removeAll { $0.count > Workspaces.keptBytes / 4 }
    }
}
