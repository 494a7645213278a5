// FeatureMapWorker: one thread's share of an ascent of feature maps. Interpretation room.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifNetworks

/// The memory of one thread, and the steps of one block of ascents in it. The maps that still climb lie side by side in
/// `maps`; where one stops, the last takes its place.
final class FeatureMapWorker: @unchecked Sendable {
    private let part: NetworkPart
    private let kernels: KernelTable
    private let workspace: Buffer<Float>
    private let maps: Buffer<Float>
    private let gradient: Buffer<Float>
    /// Sum of squares of each map.
    private let squares: Buffer<Double>
    /// Which ascent each map belongs to.
    private let climbing: Buffer<Int>
    private var count = 0
    /// The rate of a step, which most ascents of a block take at the same time.
    private var rate: (step: Int, value: Float) = (-1, 0)

    init(_ part: NetworkPart, kernels: KernelTable) throws(DeepMotifError) {
        self.part = part
        self.kernels = kernels
        workspace = try Buffer(count: part.workspaceCount)
        maps = try Buffer(count: part.rows * part.input.count)
        gradient = try Buffer(count: part.rows * part.input.count)
        squares = try Buffer(count: part.rows)
        climbing = try Buffer(count: part.rows)
    }

    private var mapCount: Int { part.input.count }

    /// Up to `steps` steps of the ascents `rows`.
    func climb(_ rows: Range<Int>, of state: FeatureMapState, options: FeatureMapOptions, steps: Int) {
        load(rows, of: state)
        for _ in 0..<steps where count > 0 {
            let scores = part.outputs(maps.readOnly, rows: count, workspace: workspace.pointer)
            for place in 0..<count { compare(place, scores, state, options) }
            // A pass keeps its rows from forward to backward, so the ones that stop now leave behind it.
            writeSeeds(state)
            part.gradient(maps.readOnly, rows: count, workspace: workspace.pointer, inputGradient: gradient.pointer)
            for place in 0..<count where isClimbing(place, state) { move(place, state, options) }
            removeStopped(state)
        }
        for place in 0..<count { copyMap(place, to: state.maps, state) }
    }

    private func isClimbing(_ place: Int, _ state: FeatureMapState) -> Bool {
        state.states[climbing.pointer[place]] == DM_ASCENT_CLIMBING
    }

    private func load(_ rows: Range<Int>, of state: FeatureMapState) {
        count = 0
        for ascent in rows where state.states[ascent] == DM_ASCENT_CLIMBING {
            let map = maps.pointer + count * mapCount
            map.update(from: state.maps + ascent * mapCount, count: mapCount)
            // The kernel that moves maps, at rest, so that a cut into calls changes no rounding.
            squares.pointer[count] = kernels.ascend(map, Floats(map), 1, 0, mapCount)
            climbing.pointer[count] = ascent
            count += 1
        }
    }

    private func copyMap(_ place: Int, to target: MutableFloats, _ state: FeatureMapState) {
        let ascent = climbing.pointer[place]
        (target + ascent * mapCount).update(from: maps.pointer + place * mapCount, count: mapCount)
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
            copyMap(place, to: state.bestMaps, state)
        } else {
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

    /// H + lr (dS/dH - 2 lambda H).
    private func move(_ place: Int, _ state: FeatureMapState, _ options: FeatureMapOptions) {
        let ascent = climbing.pointer[place]
        let step = Int(state.steps[ascent])
        if rate.step != step { rate = (step, options.rate(ofStep: step)) }
        squares.pointer[place] = kernels.ascend(
            maps.pointer + place * mapCount, gradient.pointer + place * mapCount,
            1 - 2 * rate.value * state.l2[ascent], rate.value, mapCount)
        state.steps[ascent] += 1
    }

    /// Writes stopped maps back; the last ones take their places. From the end, so that one that moves was looked at.
    private func removeStopped(_ state: FeatureMapState) {
        for place in (0..<count).reversed() where !isClimbing(place, state) {
            copyMap(place, to: state.maps, state)
            count -= 1
            guard place < count else { continue }
            let last = maps.pointer + count * mapCount
            (maps.pointer + place * mapCount).update(from: last, count: mapCount)
            squares.pointer[place] = squares.pointer[count]
            climbing.pointer[place] = climbing.pointer[count]
        }
    }
}
