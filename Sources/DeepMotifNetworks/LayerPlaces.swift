// LayerPlaces: where the numbers of every layer lie, those inside of residual blocks too. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// A layer of the network or of one of its residual blocks.
struct LayerPlace {
    let layer: any Layer
    /// First scalar of its parameters.
    let parameters: Int
    /// First scalar of what `prepare` makes of them.
    let prepared: Int
    /// First scalar of its statistics of a batch.
    let statistics: Int
    /// Numbers of its random stream, from the network's layer inwards.
    let streams: [Int]
    /// Of a residual block: the numbers of its layers.
    var body = 0..<0
    var shortcut = 0..<0
    /// The layer, or one inside of it, takes statistics of a batch.
    var takesStatistics = false

    /// The key of its random stream in a pass of the network.
    func key(_ pass: UInt64) -> UInt64 {
        let outer = mixBits(pass &+ UInt64(truncatingIfNeeded: streams[0]))
        return streams.dropFirst().reduce(outer) { LayerChain.key($0, stream: $1) }
    }
}

/// All layers by number: those of the network in order, then those inside of its blocks.
struct LayerPlaces {
    private var places: [LayerPlace] = []
    /// Floats of all prepared parameters.
    private(set) var preparedCount = 0
    /// The first layers as one, for codes (`PooledConv1D`), and its number; it stands behind all others.
    private var head: (layer: PooledConv1D, number: Int)?
    /// Floats of all statistics of a batch.
    private(set) var statisticsCount = 0

    /// `parameters` holds the first scalar of each of the network's layers.
    init(_ layers: [any Layer], parameters: [Int], kernels: KernelTable) {
        for (i, layer) in layers.enumerated() {
            append(layer, parameters: parameters[i], prepared: preparedCount, streams: [i])
            preparedCount += aligned(layer.preparedCount(kernels: kernels))
        }
        var next = 0
        while next < places.count {
            let place = places[next]
            if let block = place.layer as? Residual {
                places[next].body = append(
                    block.body, parameters: place.parameters, prepared: place.prepared, streams: place.streams, kernels)
                places[next].shortcut = append(
                    block.shortcut, parameters: place.parameters + block.body.parameterCount,
                    prepared: place.prepared + block.body.preparedCount(kernels: kernels), streams: place.streams,
                    kernels)
            }
            next += 1
        }
        if let pooled = PooledConv1D(layers) {
            head = (pooled, places.count)
            append(pooled, parameters: parameters[0], prepared: places[0].prepared, streams: [0])
        }
        // What is inside of a block has a larger number.
        for i in places.indices.reversed() {
            let inner = Array(places[i].body) + Array(places[i].shortcut)
            places[i].takesStatistics =
                places[i].layer.statisticsCount > 0 || inner.contains { places[$0].takesStatistics }
        }
    }

    subscript(number: Int) -> LayerPlace { _read { yield places[number] } }

    private mutating func append(_ layer: any Layer, parameters: Int, prepared: Int, streams: [Int]) {
        places.append(
            LayerPlace(
                layer: layer, parameters: parameters, prepared: prepared, statistics: statisticsCount, streams: streams)
        )
        statisticsCount += aligned(layer.statisticsCount)
    }

    private mutating func append(
        _ chain: LayerChain, parameters: Int, prepared: Int, streams: [Int], _ kernels: KernelTable
    ) -> Range<Int> {
        let first = places.count
        var prepared = prepared
        var offset = parameters
        for (i, layer) in chain.layers.enumerated() {
            append(layer, parameters: offset, prepared: prepared, streams: streams + [chain.firstStream + i])
            offset += layer.parameterCount
            prepared += aligned(layer.preparedCount(kernels: kernels))
        }
        return first..<places.count
    }

    // MARK: Stops

    /// The stops of a pass through some layers of the network. `shapes` holds the input's shape and each layer's output.
    /// Unfolded, every layer that takes statistics of a batch is a stop of its own. On codes the first layers may be one
    /// stop.
    func stops(
        _ range: Range<Int>, shapes: [Shape], isUnfolded: Bool, readsCodes: Bool
    ) throws(DeepMotifError) -> [PassPlan.Stop] {
        var stops: [PassPlan.Stop] = []
        var range = range
        var shapes = shapes[...]
        if readsCodes, range.lowerBound == 0, let head, head.layer.layerCount <= range.count {
            let output = shapes[head.layer.layerCount]
            stops.append(PassPlan.Stop(layer: head.layer, number: head.number, input: shapes[0], output: output))
            range = head.layer.layerCount..<range.upperBound
            shapes = shapes.dropFirst(head.layer.layerCount)
        }
        for (number, input) in zip(range, shapes) {
            _ = try append(number, input: input, isUnfolded: isUnfolded, to: &stops)
        }
        return stops
    }

    /// Returns the shape behind the layer.
    private func append(
        _ number: Int, input: Shape, isUnfolded: Bool, to stops: inout [PassPlan.Stop]
    ) throws(DeepMotifError) -> Shape {
        let place = places[number]
        var stop = PassPlan.Stop(
            layer: place.layer, number: number, input: input, output: try place.layer.outputShape(for: input))
        guard isUnfolded, place.takesStatistics, place.layer is Residual else {
            stops.append(stop)
            return stop.output
        }
        for (role, chain) in [(PassPlan.Role.fork, place.body), (.turn, place.shortcut)] {
            stop.role = role
            stops.append(stop)
            var shape = input
            for inner in chain { shape = try append(inner, input: shape, isUnfolded: true, to: &stops) }
        }
        stop.role = .join
        stops.append(stop)
        return stop.output
    }
}
