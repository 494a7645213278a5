// FeatureMapsTests: ascents against the Double twin, known optima, stopping, and independence of everything else.

import CDeepMotif
import DeepMotifCore
import DeepMotifInterpretation
import DeepMotifNetworks
import DeepMotifTestSupport
import Testing

/// All arrays of some ascents.
private final class Ascent {
    let count: Int
    let length: Int
    let options: FeatureMapOptions
    let l2: GuardedBuffer<Float>
    let targets: GuardedBuffer<Int64>
    let maps: GuardedBuffer<Float>
    let best: GuardedBuffer<Float>
    let objectives: GuardedBuffer<Double>
    let scores: GuardedBuffer<Float>
    let highest: GuardedBuffer<Float>
    let steps: GuardedBuffer<Int64>
    let waits: GuardedBuffer<Int64>
    let states: GuardedBuffer<UInt8>

    init(_ start: [Float], targets: [Int64], length: Int, l2: Float = 0.5, _ options: FeatureMapOptions) {
        count = targets.count
        self.length = length
        self.options = options
        self.l2 = GuardedBuffer([Float](repeating: l2, count: count))
        self.targets = GuardedBuffer(targets)
        maps = GuardedBuffer(start)
        best = GuardedBuffer([Float](repeating: 0, count: start.count))
        objectives = GuardedBuffer([Double](repeating: -.infinity, count: count))
        scores = GuardedBuffer([Float](repeating: 0, count: count))
        highest = GuardedBuffer([Float](repeating: -.infinity, count: count))
        steps = GuardedBuffer([Int64](repeating: 0, count: count))
        waits = GuardedBuffer([Int64](repeating: 0, count: count))
        states = GuardedBuffer([UInt8](repeating: 0, count: count))
    }

    @discardableResult
    func climb(_ network: Network, steps: Int, threads: Int = 1) throws -> Int {
        let state = FeatureMapState(
            count: count, length: length, targets: targets.readOnly, l2: l2.readOnly, maps: maps.pointer,
            bestMaps: best.pointer, objectives: objectives.pointer, scores: scores.pointer,
            highestScores: highest.pointer, steps: self.steps.pointer, waits: waits.pointer, states: states.pointer)
        let left = try network.climb(state, options: options, steps: steps, threads: threads)
        #expect(maps.isIntact && best.isIntact && objectives.isIntact && scores.isIntact && highest.isIntact)
        #expect(self.steps.isIntact && waits.isIntact && states.isIntact)
        return left
    }

    /// Everything of one ascent that a caller can see.
    func outcome(_ index: Int) -> [Double] {
        let size = maps.values.count / count
        let part = (index * size)..<((index + 1) * size)
        return maps.values[part].map(Double.init) + best.values[part].map(Double.init)
            + [
                objectives.values[index], Double(scores.values[index]), Double(highest.values[index]),
                Double(steps.values[index]), Double(waits.values[index]), Double(states.values[index]),
            ]
    }
}

/// A layer of each test network that has maps of several positions, or of one.
private let places: [(String, [LayerSpec], Int)] = [
    ("cnn", TestNetworks.cnn, 4), ("cnn", TestNetworks.cnn, 6), ("cnn", TestNetworks.cnn, 7),
    ("cnn-rnn", TestNetworks.cnnRNN, 2), ("pooled rnn", TestNetworks.pooledRNN, 3),
    ("deep rnn", TestNetworks.deepRNN, 1), ("linear", TestNetworks.linear, 0),
]

@Suite struct FeatureMapsTests {
    private func shape(_ network: Network, _ layer: Int) throws -> Shape {
        try network.shape(ofLayer: layer - 1, length: 14)
    }

    /// Gradient ascent by central differences in Double.
    private func twinRun(
        _ twin: TwinNetwork, _ layer: Int, _ start: [Float], length: Int, target: Int, steps: Int
    ) -> (map: [Double], objective: Double) {
        let objectiveOf = { (map: [Double]) -> Double in
            twin.run(layer..<twin.specs.count, map, length: length)[target] - 0.5 * map.reduce(0) { $0 + $1 * $1 }
        }
        var map = start.doubles
        var best = -Double.infinity
        for _ in 0..<steps {
            best = max(best, objectiveOf(map))
            let slopes = map.indices.map { index in
                var moved = map
                moved[index] += 1e-6
                let above = objectiveOf(moved)
                moved[index] -= 2e-6
                return (above - objectiveOf(moved)) / 2e-6
            }
            for i in map.indices { map[i] += 0.05 * slopes[i] }
        }
        return (map, best)
    }

    /// Gradients are exact to 2e-5 of their largest element, which is of order 1; six steps of 0.05.
    @Test(arguments: places.indices)
    func stepsEqualTheTwin(place: Int) throws {
        let (name, specs, layer) = places[place]
        let twin = try TwinNetwork(name, specs)
        let input = try shape(twin.network, layer)
        let start = testFloats(input.count, seed: 9, bound: 2)
        let options = try FeatureMapOptions(firstLayer: layer, learningRate: 0.05)
        let ascent = Ascent(start, targets: [1], length: input.length, options)
        try ascent.climb(twin.network, steps: 6)
        let expected = twinRun(twin, layer, start, length: input.length, target: 1, steps: 6)
        let allowed = [Double](repeating: 2e-5, count: start.count)
        #expect(worstRatio(ascent.maps.values, expected.map, allowed: allowed) <= 1)
        #expect(abs(ascent.objectives.values[0] - expected.objective) < 2e-5)
        #expect(ascent.steps.values == [6])
    }

    /// Of a linear score g H + b the optimum is g / (2 lambda), whatever the start.
    @Test func linearScoresHaveKnownOptima() throws {
        let twin = try TwinNetwork("linear", TestNetworks.linear)
        let options = try FeatureMapOptions(firstLayer: 0, learningRate: 0.05)
        let ascent = Ascent(testFloats(4 * 56, seed: 4, bound: 3), targets: [0, 1, 0, 1], length: 14, l2: 2, options)
        #expect(try ascent.climb(twin.network, steps: 10_000) == 0)
        let weights = twin.parameters["dense_0.weight"]!
        for row in 0..<4 {
            let expected = (0..<56).map { weights[row % 2 * 56 + $0] / 4 }
            let found = Array(ascent.best.values[(row * 56)..<((row + 1) * 56)])
            // It stops where 10 steps change the objective, about 3, by no more than its rounding error u: there the
            // distance to the optimum is below sqrt(4 u).
            #expect(worstRatio(found, expected, allowed: [Double](repeating: 5e-4, count: 56)) <= 1)
            #expect(ascent.states.values[row] == UInt8(DM_ASCENT_CONVERGED))
            #expect(ascent.highest.values[row] >= ascent.scores.values[row])
        }
    }

    @Test(arguments: places.indices)
    func ascentsDoNotKnowOfEachOther(place: Int) throws {
        let (name, specs, layer) = places[place]
        let network = try TwinNetwork(name, specs).network
        let input = try shape(network, layer)
        let start = testFloats(40 * input.count, seed: 6, bound: 2)
        let targets = (0..<40).map { Int64($0 % 2) }
        let options = try FeatureMapOptions(firstLayer: layer, learningRate: 0.05, decayStart: 20, maxSteps: 150)
        let together = Ascent(start, targets: targets, length: input.length, options)
        #expect(try together.climb(network, steps: 1000) == 0)
        let cut = Ascent(start, targets: targets, length: input.length, options)
        while try cut.climb(network, steps: 7, threads: 3) > 0 {}
        for row in 0..<40 { #expect(cut.outcome(row) == together.outcome(row)) }
        for row in [0, 17, 39] {
            let alone = Ascent(
                Array(start[(row * input.count)..<((row + 1) * input.count)]), targets: [targets[row]],
                length: input.length, options)
            try alone.climb(network, steps: 1000)
            #expect(alone.outcome(0) == together.outcome(row))
        }
    }

    @Test func stoppedOnesStay() throws {
        let network = try TwinNetwork("cnn", TestNetworks.cnn).network
        let options = try FeatureMapOptions(firstLayer: 7, learningRate: 0.05, maxSteps: 5)
        let ascent = Ascent(testFloats(10, seed: 2), targets: [0, 1], length: 1, options)
        #expect(try ascent.climb(network, steps: 5) == 2)
        #expect(try ascent.climb(network, steps: 5) == 0)
        #expect(ascent.states.values == [UInt8](repeating: UInt8(DM_ASCENT_OUT_OF_STEPS), count: 2))
        #expect(ascent.steps.values == [5, 5])
        let before = [ascent.outcome(0), ascent.outcome(1)]
        try ascent.climb(network, steps: 5)
        #expect([ascent.outcome(0), ascent.outcome(1)] == before)
    }

    @Test func normalStartsAreStreams() {
        let many = filled(2000) { normalStarts(seed: 1, streams: 2, count: 1000, values: $0) }
        let one = filled(1000) { normalStarts(seed: 1, streams: 1, count: 1000, values: $0) }
        #expect(Array(many[..<1000]) == one)
        // Five standard deviations of the mean and of the variance of 2,000 draws.
        #expect(abs(many.doubles.reduce(0, +) / 2000) < 0.112)
        #expect(abs(many.doubles.reduce(0) { $0 + $1 * $1 } / 2000 - 1) < 0.158)
    }

    @Test func refusesWhatItCannotUse() throws {
        let network = try TwinNetwork("cnn", TestNetworks.cnn).network
        #expect(throws: DeepMotifError.self) { try FeatureMapOptions(firstLayer: 0, learningRate: .nan) }
        #expect(throws: DeepMotifError.self) { try FeatureMapOptions(firstLayer: 0, patience: 0) }
        #expect(throws: DeepMotifError.self) { try FeatureMapOptions(firstLayer: 0, decayFloor: 2) }
        func refuses(_ layer: Int, targets: [Int64] = [0], l2: Float = 1, length: Int = 1) throws -> Bool {
            let options = try FeatureMapOptions(firstLayer: layer)
            let ascent = Ascent(
                [Float](repeating: 0, count: 5 * length), targets: targets, length: length, l2: l2, options)
            do {
                try ascent.climb(network, steps: 1)
                return false
            } catch is DeepMotifError {
                return true
            }
        }
        #expect(try !refuses(7))
        #expect(try refuses(8))
        #expect(try refuses(-1))
        #expect(try refuses(7, targets: [2]))
        #expect(try refuses(7, targets: [-1]))
        #expect(try refuses(7, l2: .infinity))
        #expect(try refuses(7, length: 2))
    }
}

@Suite struct NetworkPartTests {
    /// The product with the Jacobian of some layers, by central differences of the twin.
    @Test(arguments: [(0, 2), (1, 4), (2, 6), (4, 8)])
    func gradientsEqualTheTwin(range: (Int, Int)) throws {
        let twin = try TwinNetwork("cnn", TestNetworks.cnn)
        let input = try twin.network.shape(ofLayer: range.0 - 1, length: 14)
        let shapes = try twin.network.partShapes(range.0..<range.1, length: input.length)
        #expect(shapes.input == input)
        let x = testFloats(3 * input.count, seed: 5, bound: 2)
        let seeds = testFloats(3 * shapes.output.count, seed: 6)
        let found = try filled(x.count) {
            try twin.network.gradient(
                range.0..<range.1, input: x, outputGradient: seeds, rows: 3, length: input.length, threads: 2,
                inputGradient: $0)
        }
        for row in 0..<3 {
            let rowInput = x[(row * input.count)..<((row + 1) * input.count)].map(Double.init)
            let weights = seeds[(row * shapes.output.count)..<((row + 1) * shapes.output.count)].map(Double.init)
            let value = { (moved: [Double]) -> Double in
                let outputs = twin.run(range.0..<range.1, moved, length: input.length)
                return zip(outputs, weights).reduce(0) { $0 + $1.0 * $1.1 }
            }
            let expected = rowInput.indices.map { index in
                var moved = rowInput
                moved[index] += 1e-6
                let above = value(moved)
                moved[index] -= 2e-6
                return (above - value(moved)) / 2e-6
            }
            let allowed = [Double](repeating: 2e-5, count: expected.count)
            #expect(
                worstRatio(Array(found[(row * input.count)..<((row + 1) * input.count)]), expected, allowed: allowed)
                    <= 1)
        }
    }
}
