// Network: a list of layers with their parameters. Networks room.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifSequences

/// Layers in order, from (L, 4) up to the scores (1, C). One object serves one call at a time: callers lock.
package final class Network: @unchecked Sendable {
    package let specs: [LayerSpec]
    package let layers: [any Layer]
    /// Kind and order: "conv1d_0".
    package let layerNames: [String]
    /// Length of training sequences.
    package let length: Int
    /// C.
    package let classCount: Int
    /// Shortest length that the layers allow.
    package private(set) var minimumLength = 1
    package let parameters: ParameterStore
    /// The first layer with parameters: training goes back no further.
    let firstTrainedLayer: Int
    /// Where the numbers of all layers lie.
    let places: LayerPlaces
    let table: UnsafeMutablePointer<KernelTable>
    let workspaces = Workspaces()
    private var recentPlans = RecentPlans()
    private let prepared: Buffer<Float>
    /// False where parameters changed since `prepare`.
    private var isPrepared = false

    package var kernels: KernelTable { table.pointee }

    /// Longest sequence: sizes stay far from overflow, and positions fit 32 bits.
    package static let lengthLimit = Int(Int32.max)

    /// Parameters are drawn from `seed`. Throws where an option is out of range, or the layers do not fit together or
    /// to the length.
    package init(
        layers specs: [LayerSpec], length: Int, seed: UInt64, kernels: KernelTable = .current
    ) throws(DeepMotifError) {
        guard !specs.isEmpty else { throw .invalidArgument("a network needs at least one layer; got none") }
        guard length >= 1, length <= Network.lengthLimit else {
            throw .shape("length must be in 1 ... \(Network.lengthLimit); got \(length)")
        }
        var layers: [any Layer] = []
        var names: [String] = []
        var shape = Shape(length: length, channels: letterCount)
        for (i, spec) in specs.enumerated() {
            do throws(DeepMotifError) {
                let layer = try spec.makeLayer(input: shape)
                shape = try layer.outputShape(for: shape)
                names.append("\(layer.kind)_\(layers.count { $0.kind == layer.kind })")
                layers.append(layer)
            } catch {
                throw error.at("layer \(i) of a network for sequences of length \(length)")
            }
        }
        guard shape.length == 1 else {
            throw .shape(
                "the last layer must end in one position of scores; got \(shape.length) positions: "
                    + "a global pool or flatten is missing")
        }
        self.specs = specs
        self.layers = layers
        layerNames = names
        self.length = length
        classCount = shape.channels
        firstTrainedLayer = layers.firstIndex { $0.parameterCount > 0 } ?? 0
        parameters = try ParameterStore(layers: layers, names: names)
        parameters.initialize(seed: seed)
        places = LayerPlaces(layers, parameters: parameters.offsets, kernels: kernels)
        prepared = try Buffer(count: places.preparedCount)
        table = .allocate(capacity: 1)
        table.initialize(to: kernels)
        minimumLength = findMinimumLength()
    }

    deinit {
        table.deinitialize(count: 1)
        table.deallocate()
    }

    // MARK: Shapes

    /// Output shape of a layer for sequences of `length`; -1 is the input (L, 4).
    package func shape(ofLayer layer: Int, length: Int) throws(DeepMotifError) -> Shape {
        guard layer >= -1, layer < layers.count else {
            throw .invalidArgument("layer must be in -1 ..< \(layers.count); got \(layer)")
        }
        guard length >= 1, length <= Network.lengthLimit else {
            throw .shape("length must be in 1 ... \(Network.lengthLimit); got \(length)")
        }
        let input = Shape(length: length, channels: letterCount)
        return try shapes(0..<(layer + 1), input: input)[layer + 1]
    }

    /// The input's shape and the output shape of each layer of a range.
    func shapes(_ range: Range<Int>, input: Shape) throws(DeepMotifError) -> [Shape] {
        var result = [input]
        for i in range {
            do throws(DeepMotifError) {
                result.append(try layers[i].outputShape(for: result[result.count - 1]))
            } catch {
                let place = range.lowerBound == 0 ? "for sequences of length \(input.length)" : ""
                throw error.at("layer \(layerNames[i]) \(place)".trimmed)
            }
        }
        return result
    }

    /// The lengths that fit are an interval that ends at `length` or above: every layer's output grows with its input.
    private func findMinimumLength() -> Int {
        var low = 1
        var high = length
        while low < high {
            let middle = low + (high - low) / 2
            if (try? shape(ofLayer: layers.count - 1, length: middle)) != nil {
                high = middle
            } else {
                low = middle + 1
            }
        }
        return high
    }

    // MARK: Parameters

    package var parameterArrays: [(name: String, dimensions: [Int])] { parameters.arrays }
    package var parameterCount: Int { parameters.count }

    /// All parameters, concatenated, in PyTorch's layout.
    package func getParameters(_ values: MutableFloats) {
        parameters.export(Floats(parameters.values), to: values)
    }

    package func setParameters(_ values: Floats) {
        parameters.load(values)
        parametersChanged()
    }

    /// The packed forms are made anew before the next pass.
    func parametersChanged() {
        isPrepared = false
    }

    func prepareParameters() {
        guard !isPrepared else { return }
        for (i, layer) in layers.enumerated() {
            layer.prepare(
                Floats(parameters.values + parameters.offsets[i]), to: prepared.pointer + places[i].prepared,
                kernels: kernels)
        }
        isPrepared = true
    }

    /// What a layer's `prepare` made of its parameters; valid until they change.
    package func preparedParameters(ofLayer layer: Int) -> Floats {
        prepareParameters()
        return Floats(prepared.pointer + places[layer].prepared)
    }

    /// The plan of some layers. Throws where the length does not fit.
    func plan(_ request: PlanRequest) throws(DeepMotifError) -> PassPlan {
        if let plan = recentPlans[request] { return plan }
        let range = request.range
        let shapes = try shapes(range, input: try inputShape(ofLayer: range.lowerBound, length: request.length))
        var stops = try places.stops(
            range, shapes: shapes, isUnfolded: request.isUnfolded, readsCodes: request.readsCodes)
        if request.skipsDropout, stops.contains(where: { !($0.layer is Dropout) }) {
            stops.removeAll { $0.layer is Dropout }
        }
        let plan = PassPlan(
            purpose: request.purpose, stops: stops, count: request.count, multiple: request.multiple, kernels: kernels)
        recentPlans.append(plan, for: request)
        return plan
    }

    /// The pass of one step over a block.
    func layerPass(
        _ step: PassPlan.Step, rows: Int, scratch: MutableFloats, cache: MutableFloats?
    ) -> LayerPass {
        LayerPass(
            table: UnsafePointer(table), rows: rows, input: step.input, output: step.output,
            parameters: Floats(parameters.values + places[step.layer].parameters),
            prepared: Floats(prepared.pointer + places[step.layer].prepared), scratch: scratch, cache: cache,
            isTraining: false, key: 0, firstRow: 0)
    }
}

extension DeepMotifError {
    /// The same error with its place in front.
    func at(_ place: String) -> DeepMotifError {
        status == DeepMotifError.shape("").status
            ? .shape(place + ": " + message) : .invalidArgument(place + ": " + message)
    }
}

extension String {
    fileprivate var trimmed: String { last == " " ? String(dropLast()) : self }
}
