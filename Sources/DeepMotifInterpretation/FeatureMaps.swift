// FeatureMaps: gradient ascent to the feature maps that classes like best (DeepResolve). Interpretation room.
//
// Liu, Zeng and Gifford 2019, BMC Bioinformatics 20:262: maximise S_c(H) - lambda ||H||^2 over the feature map H between
// two layers, through the layers behind it alone.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifNetworks

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where the feature map lies and how it climbs.
package struct FeatureMapOptions: Sendable {
    /// The layer that reads the feature map.
    package var firstLayer: Int
    package var learningRate: Float
    /// The last step with the full learning rate.
    package var decayStart: Int
    package var decayPower: Float
    /// Least factor on the learning rate.
    package var decayFloor: Float
    /// Steps without a better objective after which a restart stops.
    package var patience: Int
    package var maxSteps: Int

    /// Throws where a number is out of its range.
    package init(
        firstLayer: Int, learningRate: Float = 0.005, decayStart: Int = 500, decayPower: Float = 0.2,
        decayFloor: Float = 1e-6, patience: Int = 10, maxSteps: Int = 10_000
    ) throws(DeepMotifError) {
        guard learningRate.isFinite, learningRate > 0 else {
            throw .invalidArgument("learning_rate must be finite and above 0; got \(learningRate)")
        }
        guard decayPower.isFinite, decayPower >= 0, decayFloor >= 0, decayFloor <= 1 else {
            throw .invalidArgument(
                "decay_power must be finite and at least 0, decay_floor in 0 ... 1; got \(decayPower) and \(decayFloor)"
            )
        }
        guard decayStart >= 0, patience >= 1, maxSteps >= 1 else {
            throw .invalidArgument(
                "decay_start must be at least 0, patience and max_steps at least 1; "
                    + "got \(decayStart), \(patience) and \(maxSteps)")
        }
        self.firstLayer = firstLayer
        self.learningRate = learningRate
        self.decayStart = decayStart
        self.decayPower = decayPower
        self.decayFloor = decayFloor
        self.patience = patience
        self.maxSteps = maxSteps
    }

    /// lr max((i - start)^-power, floor) behind the start.
    func rate(ofStep step: Int) -> Float {
        guard step > decayStart else { return learningRate }
        let factor = pow(Double(step - decayStart), -Double(decayPower))
        return learningRate * max(Float(factor), decayFloor)
    }
}

/// The ascents of one run, R in all: any classes, any number of restarts of each. Everything lies in the caller's arrays,
/// so that a run can be cut and taken up again anywhere. Borrowed for one call.
package struct FeatureMapState {
    /// R.
    package var count: Int
    /// W, positions of a feature map.
    package var length: Int
    /// (R,) class of each ascent.
    package var targets: UnsafePointer<Int64>
    /// (R,) lambda of each.
    package var l2: Floats
    /// (R, W, K) where each stands.
    package var maps: MutableFloats
    /// (R, W, K) the map of its highest objective.
    package var bestMaps: MutableFloats
    /// (R,) that objective; minus infinity at first.
    package var objectives: UnsafeMutablePointer<Double>
    /// (R,) the class score of the best map.
    package var scores: MutableFloats
    /// (R,) the highest class score seen; minus infinity at first.
    package var highestScores: MutableFloats
    /// (R,) steps made.
    package var steps: UnsafeMutablePointer<Int64>
    /// (R,) evaluations since the best one.
    package var waits: UnsafeMutablePointer<Int64>
    /// (R,) DM_ASCENT_...
    package var states: UnsafeMutablePointer<UInt8>

    package init(
        count: Int, length: Int, targets: UnsafePointer<Int64>, l2: Floats, maps: MutableFloats,
        bestMaps: MutableFloats, objectives: UnsafeMutablePointer<Double>, scores: MutableFloats,
        highestScores: MutableFloats, steps: UnsafeMutablePointer<Int64>, waits: UnsafeMutablePointer<Int64>,
        states: UnsafeMutablePointer<UInt8>
    ) {
        self.count = count
        self.length = length
        self.targets = targets
        self.l2 = l2
        self.maps = maps
        self.bestMaps = bestMaps
        self.objectives = objectives
        self.scores = scores
        self.highestScores = highestScores
        self.steps = steps
        self.waits = waits
        self.states = states
    }

    fileprivate func validate(classes: Int) throws(DeepMotifError) {
        for i in 0..<count {
            guard targets[i] >= 0, targets[i] < classes else {
                throw .invalidArgument("targets must be in 0 ..< \(classes); got \(targets[i]) at index \(i)")
            }
            guard l2[i].isFinite, l2[i] >= 0 else {
                throw .invalidArgument("l2 must be finite and at least 0; got \(l2[i]) at index \(i)")
            }
            guard steps[i] >= 0, steps[i] <= 1 << 40, waits[i] >= 0, waits[i] <= 1 << 40 else {
                throw .invalidArgument("steps and waits must be at least 0; got another at index \(i)")
            }
        }
    }
}

extension Network {
    /// Up to `steps` steps of every ascent that has not stopped; returns how many have not stopped then. An ascent is
    /// evaluated, compared with its best, and moved by its learning rate; it stops where `patience` evaluations brought
    /// nothing better, or behind its last step. What becomes of one does not depend on the others, on the cuts into
    /// calls, or on the number of threads.
    package func climb(
        _ state: FeatureMapState, options: FeatureMapOptions, steps: Int, threads: Int
    ) throws(DeepMotifError) -> Int {
        guard threads >= 1, steps >= 0 else {
            throw .invalidArgument("threads must be at least 1 and steps at least 0; got \(threads) and \(steps)")
        }
        guard options.firstLayer >= 0, options.firstLayer < layerNames.count else {
            throw .invalidArgument("first_layer must be in 0 ..< \(layerNames.count); got \(options.firstLayer)")
        }
        // Tails are small and their passes many: eight times the rows of a block of sequences pay for a pass's own cost.
        let part = try part(options.firstLayer..<layerNames.count, length: state.length, count: 8 * state.count)
        guard part.output.length == 1, part.output.count == classCount else {
            throw .shape("feature maps of \(state.length) positions do not end in one position of scores")
        }
        try state.validate(classes: classCount)
        // Ascents stay in the block that their number gives them, so that no pass depends on who has stopped elsewhere.
        let blocks = (state.count + part.rows - 1) / part.rows
        var workers: [FeatureMapWorker] = []
        for _ in 0..<min(threads, blocks) { workers.append(try FeatureMapWorker(part, kernels: kernels)) }
        nonisolated(unsafe) let state = state
        let climbers = workers
        parallelFor(chunks: blocks, threads: threads) { block, worker in
            let rows = (block * part.rows)..<min((block + 1) * part.rows, state.count)
            climbers[worker].climb(rows, of: state, options: options, steps: steps)
        }
        return (0..<state.count).count { state.states[$0] == DM_ASCENT_CLIMBING }
    }
}

/// Standard normal values (streams, count), one stream of random numbers a row.
package func normalStarts(seed: UInt64, streams: Int, count: Int, values: MutableFloats) {
    for stream in 0..<streams {
        var random = RandomSource(seed: seed, purpose: .featureMaps, stream: UInt64(stream))
        for i in 0..<count { values[stream * count + i] = Float(random.normal()) }
    }
}
