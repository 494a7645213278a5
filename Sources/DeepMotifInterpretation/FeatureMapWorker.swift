// FeatureMapWorker: one thread's share of an ascent of feature maps. Interpretation room.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifNetworks

/// The memory of one thread, and the steps of one block of ascents in it. The maps that still climb lie side by side in
/// `maps`; where one stops, the last takes its place. A step leads from there to `others`, and the two change their
/// roles: the map of the best objective is copied only when a step fails to beat it.
final class FeatureMapWorker: @unchecked Sendable {
    private let part: NetworkPart
    private let mapCount: Int
    private let kernels: KernelTable
    private let workspace: Buffer<Float>
    /// Owners of the two following.
    private let stages: (Buffer<Float>, Buffer<Float>)
    private var maps: MutableFloats
    /// Where the maps stood one step ago.
    private var others: MutableFloats
    /// Empty where the part reads maxima.
    private let gradient: Buffer<Float>
    /// No position in any channel.
    private let nowhere: Buffer<Int32>
    /// Sum of squares of each map.
    private let squares: Buffer<Double>
    /// Whether the map that was evaluated last is the best of its ascent, and not yet copied.
    private let isBest: Buffer<UInt8>
    /// Which ascent each map belongs to.
    private let climbing: Buffer<Int>
    private var count = 0
    /// The rate of a step, which most ascents of a block take at the same time.
    private var rate: (step: Int, value: Float) = (-1, 0)

    init(_ part: NetworkPart, kernels: KernelTable) throws(DeepMotifError) {
        self.part = part
        mapCount = part.input.count
        self.kernels = kernels
        workspace = try Buffer(count: part.workspaceCount)
        stages = (
            try Buffer(count: part.rows * part.input.count), try Buffer(count: part.rows * part.input.count)
        )
        (maps, others) = (stages.0.pointer, stages.1.pointer)
        gradient = try Buffer(count: part.readsMaxima ? 0 : part.rows * part.input.count)
        nowhere = try Buffer(count: part.input.channels)
        nowhere.pointer.update(repeating: -1, count: part.input.channels)
        squares = try Buffer(count: part.rows)
        isBest = try Buffer(count: part.rows)
        climbing = try Buffer(count: part.rows)
    }

    /// Up to `steps` steps of the ascents `rows`.
    func climb(_ rows: Range<Int>, of state: FeatureMapState, options: FeatureMapOptions, steps: Int) {
        load(rows, of: state)
        for _ in 0..<steps where count > 0 {
            let scores = part.outputs(Floats(maps), rows: count, workspace: workspace.pointer)
            for place in 0..<count { compare(place, scores, state, options) }
            // A pass keeps its rows from forward to backward, so the ones that stop now leave behind it.
            writeSeeds(state)
            moveAll(state, options)
            removeStopped(state)
            swap(&maps, &others)
        }
        for place in 0..<count {
            copyMap(place, of: maps, to: state.maps, state)
            if isBest.pointer[place] != 0 { copyMap(place, of: others, to: state.bestMaps, state) }
        }
    }

    private func isClimbing(_ place: Int, _ state: FeatureMapState) -> Bool {
        state.states[climbing.pointer[place]] == DM_ASCENT_CLIMBING
    }

    private func load(_ rows: Range<Int>, of state: FeatureMapState) {
        count = 0
        for ascent in rows where state.states[ascent] == DM_ASCENT_CLIMBING {
            let map = maps + count * mapCount
            map.update(from: state.maps + ascent * mapCount, count: mapCount)
            squares.pointer[count] = atRest(map)
            isBest.pointer[count] = 0
            climbing.pointer[count] = ascent
            count += 1
        }
    }

    private func copyMap(_ place: Int, of source: MutableFloats, to target: MutableFloats, _ state: FeatureMapState) {
        let ascent = climbing.pointer[place]
        (target + ascent * mapCount).update(from: source + place * mapCount, count: mapCount)
    }

    /// Takes note of a map's objective and decides whether it goes on.
    private func compare(_ place: Int, _ scores: Floats, _ state: FeatureMapState, _ options: FeatureMapOptions) {
        let ascent = climbing.pointer[place]
        let score = scores[place * part.output.count + Int(state.targets[ascent])]
        let objective = Double(score) - Double(state.l2[ascent]) * squares.pointer[place]
        state.highestScores[ascent] = max(state.highestScores[ascent], score)
        if objective > state.objectives[ascent], objective.isFinite {
            state.objectives[ascent] = objective
            state.scores[ascent] = score
            state.waits[ascent] = 0
            isBest.pointer[place] = 1
        } else {
            if isBest.pointer[place] != 0 { copyMap(place, of: others, to: state.bestMaps, state) }
            isBest.pointer[place] = 0
            state.waits[ascent] += 1
        }
        if state.waits[ascent] >= Int64(options.patience) {
            state.states[ascent] = UInt8(DM_ASCENT_CONVERGED)
        } else if state.steps[ascent] >= Int64(options.maxSteps) {
            state.states[ascent] = UInt8(DM_ASCENT_OUT_OF_STEPS)
        }
    }

    /// The gradient of each map's score with respect to all scores: 1 at its class.
    private func writeSeeds(_ state: FeatureMapState) {
        let classes = part.output.count
        let seeds = part.seeds(workspace.pointer)
        seeds.update(repeating: 0, count: count * classes)
        for place in 0..<count { seeds[place * classes + Int(state.targets[climbing.pointer[place]])] = 1 }
    }

    /// H + lr (dS/dH - 2 lambda H) of all that climb.
    private func moveAll(_ state: FeatureMapState, _ options: FeatureMapOptions) {
        if part.readsMaxima {
            let slopes = part.gradientOfMaxima(Floats(maps), rows: count, workspace: workspace.pointer)
            let channels = part.input.channels
            for place in 0..<count where isClimbing(place, state) {
                let (shrink, rate) = factors(place, state, options)
                squares.pointer[place] = kernels.ascendMaxima(
                    Floats(maps) + place * mapCount, slopes.values + place * channels,
                    slopes.positions + place * channels, shrink, rate, part.input.length, channels,
                    others + place * mapCount)
            }
        } else {
            part.gradient(Floats(maps), rows: count, workspace: workspace.pointer, inputGradient: gradient.pointer)
            for place in 0..<count where isClimbing(place, state) {
                let (shrink, rate) = factors(place, state, options)
                squares.pointer[place] = kernels.ascend(
                    Floats(maps) + place * mapCount, gradient.readOnly + place * mapCount, shrink, rate, mapCount,
                    others + place * mapCount)
            }
        }
    }

    /// What the next step of an ascent multiplies its map and its gradient by; the step counts as made.
    private func factors(
        _ place: Int, _ state: FeatureMapState, _ options: FeatureMapOptions
    ) -> (shrink: Float, rate: Float) {
        let ascent = climbing.pointer[place]
        let step = Int(state.steps[ascent])
        if rate.step != step { rate = (step, options.rate(ofStep: step)) }
        state.steps[ascent] += 1
        return (1 - 2 * rate.value * state.l2[ascent], rate.value)
    }

    /// The sum of squares of a map, by the kernel that moves it, so that a cut into calls changes no rounding.
    private func atRest(_ map: MutableFloats) -> Double {
        part.readsMaxima
            ? kernels.ascendMaxima(
                Floats(map), Floats(map), nowhere.readOnly, 1, 0, part.input.length, part.input.channels, map)
            : kernels.ascend(Floats(map), Floats(map), 1, 0, mapCount, map)
    }

    /// Writes stopped maps back; the last ones take their places. From the end, so that one that moves was looked at.
    private func removeStopped(_ state: FeatureMapState) {
        for place in (0..<count).reversed() where !isClimbing(place, state) {
            copyMap(place, of: maps, to: state.maps, state)
            if isBest.pointer[place] != 0 { copyMap(place, of: maps, to: state.bestMaps, state) }
            count -= 1
            guard place < count else { continue }
            for stage in [maps, others] {
                (stage + place * mapCount).update(from: stage + count * mapCount, count: mapCount)
            }
            squares.pointer[place] = squares.pointer[count]
            isBest.pointer[place] = isBest.pointer[count]
            climbing.pointer[place] = climbing.pointer[count]
        }
    }
}
