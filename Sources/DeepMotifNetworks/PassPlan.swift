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

    /// What happens at a step: a layer's pass, or the branches of an unfolded residual block part. The body runs between
    /// fork and turn, the shortcut between turn and join.
    enum Role {
        case layer, fork, turn, join
    }

    /// What a plan is made of: a layer with its number among the network's places, and its shapes; at the ends of the
    /// branches of a block, the block and its shapes.
    struct Stop {
        var role = Role.layer
        var layer: any Layer
        var number: Int
        var input: Shape
        var output: Shape
    }

    /// One stop of the pass.
    struct Step {
        var role = Role.layer
        /// Number of its place.
        var layer: Int
        var input: Shape
        var output: Shape
        /// Where the input lies in a gradient's plan; nil: in the caller's memory.
        var source: Int?
        /// Where the output lies; nil: in the caller's memory, or there is none.
        var target: Int?
        /// A layer's cache; where branches part, room for the block's output gradient or the shortcut's input gradient.
        var cache = 0
        /// No gradient gets through an input element that is zero.
        var zerosBlockGradient = false
        /// Where branches join: the body's output, while the input is that of the shortcut.
        var beside: Int?

        init(_ stop: Stop, source: Int? = nil, target: Int? = nil) {
            (role, layer, input, output) = (stop.role, stop.number, stop.input, stop.output)
            (self.source, self.target) = (source, target)
        }
    }

    /// Memory that a block should stay within: about twice what a core's own cache holds, since most of it is passed once.
    static let blockBytes = 2 << 20
    static let largestBlock = 64
    /// Calls are cut into this many blocks where they are large enough: work for many threads.
    static let fairBlocks = 16
    /// Smaller blocks waste registers of the recurrent product.
    static let smallestBlock = 4
    /// For such a block of long sequences the core's own cache may overflow so far: beyond, memory costs more than the
    /// registers.
    static let overflowBytes = 4 << 20
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

    /// `count` is the number of sequences of the whole call and keeps small calls from being one block. The rows of a
    /// block are a multiple of `multiple`.
    init(purpose: Purpose, stops: [Stop], count sequences: Int, multiple: Int = 1, kernels: KernelTable) {
        // What every row adds: scratch memory for one row at a time is there once.
        let (one, two) = (
            PassPlan(purpose: purpose, stops: stops, rows: 1, kernels: kernels),
            PassPlan(purpose: purpose, stops: stops, rows: 2, kernels: kernels)
        )
        let rowBytes = 4 * max(two.count - one.count, 1)
        // Weights are read once a block: a block of big layers holds as much itself as they do, within bounds.
        let weightBytes = 4 * stops.reduce(0) { $0 + ($1.role == .layer ? $1.layer.parameterCount : 0) }
        let fitting = max(PassPlan.blockBytes, min(weightBytes, Workspaces.keptBytes)) / rowBytes
        let isBroad = weightBytes > 4 * rowBytes
        let smallest = isBroad && purpose == .gradient ? PassPlan.sharedRows : PassPlan.smallestBlock
        let fair = max(smallest, (sequences + PassPlan.fairBlocks - 1) / PassPlan.fairBlocks)
        let least = min(PassPlan.smallestBlock, PassPlan.overflowBytes / rowBytes)
        let rows = max(1, min(max(fitting, least), fair, PassPlan.largestBlock) / multiple) * multiple
        self = PassPlan(purpose: purpose, stops: stops, rows: rows, kernels: kernels)
        self.isBroad = isBroad
    }

    private init(purpose: Purpose, stops: [Stop], rows: Int, kernels: KernelTable) {
        self.purpose = purpose
        self.rows = rows
        var used = 0
        func reserve(_ floats: Int) -> Int {
            defer { used += aligned(floats) }
            return used
        }
        letters = reserve(rows * stops[0].input.length * letterCount)
        switch purpose {
        case .inference: addInferenceSteps(stops, reserve)
        case .gradient: addGradientSteps(stops, kernels, reserve)
        }
        let needed = stops.map {
            $0.role == .layer ? $0.layer.scratchCount(for: $0.input, rows: rows, kernels: kernels) : 0
        }
        scratch = reserve(needed.max() ?? 0)
        count = used
    }

    private mutating func addInferenceSteps(_ stops: [Stop], _ reserve: (Int) -> Int) {
        let largest = rows * (stops.map(\.output.count).max() ?? 0)
        let buffers = [reserve(largest), reserve(largest)]
        var current: Int?
        for (i, stop) in stops.enumerated() {
            let isLast = i == stops.count - 1
            if current == nil || !stop.layer.isInPlace { current = current == 0 ? 1 : 0 }
            steps.append(Step(stop, target: isLast ? nil : buffers[current ?? 0]))
        }
    }

    private mutating func addGradientSteps(_ stops: [Stop], _ kernels: KernelTable, _ reserve: (Int) -> Int) {
        var current: Int?
        var mayOverwrite = false
        // The forks of the blocks under way, each with its body's output as soon as it is known.
        var forks: [Step] = []
        var largest = 0
        // Where branches meet the sums are taken whole.
        var zerosBlock = false
        for stop in stops {
            var step = Step(stop, source: current)
            largest = max(largest, stop.role == .layer ? stop.output.count : max(stop.input.count, stop.output.count))
            switch stop.role {
            case .layer:
                let isInPlace = stop.layer.isInPlace && mayOverwrite
                step.target = isInPlace ? current : reserve(rows * stop.output.count)
                step.cache = reserve(rows * stop.layer.cacheCount(for: stop.input, kernels: kernels))
                step.zerosBlockGradient = zerosBlock
                zerosBlock = stop.layer.zerosBlockGradient(before: zerosBlock)
                mayOverwrite = !stop.layer.needsOutput
                current = step.target
            case .fork:
                step.cache = reserve(rows * max(stop.input.count, stop.output.count))
                forks.append(step)
                // Both branches read what is there.
                mayOverwrite = false
            case .turn:
                forks[forks.count - 1].beside = current
                current = forks[forks.count - 1].source
                step.cache = forks[forks.count - 1].cache
                mayOverwrite = false
            case .join:
                let fork = forks.removeLast()
                (step.beside, step.cache) = (fork.beside, fork.cache)
                step.target = reserve(rows * stop.output.count)
                mayOverwrite = true
                current = step.target
            }
            if stop.role != .layer { zerosBlock = false }
            steps.append(step)
        }
        gradients = (reserve(rows * largest), reserve(rows * largest))
    }

    /// The first step of a layer of the network, which is that of its fork where it is an unfolded block.
    func firstStep(ofLayer layer: Int) -> Int { steps.firstIndex { $0.layer == layer } ?? 0 }
}

/// What a plan depends on beside the network.
struct PlanRequest: Equatable {
    var purpose: PassPlan.Purpose
    var range: Range<Int>
    /// Positions of what the first layer reads.
    var length: Int
    /// Sequences of the whole call.
    var count: Int
    var multiple = 1
    var isUnfolded = false
    var readsCodes = false
    /// Dropout is off: a pass that keeps every layer's input need not copy it.
    var skipsDropout = false
}

/// The plans of the last calls: to plan a call of one sequence takes a good part of the time of the call.
struct RecentPlans {
    private static let limit = 4
    private var plans: [(request: PlanRequest, plan: PassPlan)] = []

    subscript(request: PlanRequest) -> PassPlan? {
        for i in plans.indices where plans[i].request == request { return plans[i].plan }
        return nil
    }

    mutating func append(_ plan: PassPlan, for request: PlanRequest) {
        if plans.count == RecentPlans.limit { plans.removeFirst() }
        plans.append((request, plan))
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
