// TemporalScoresTests: against the whole model run on every cut, one at a time.

import CDeepMotif
import DeepMotifCore
import DeepMotifInterpretation
import DeepMotifNetworks
import DeepMotifTestSupport
import Testing

private func temporal(
    _ network: Network, _ sequences: TestSequences, _ direction: TemporalDirection, threads: Int = 1,
    _ item: TargetQuantityCase = .init()
) throws -> [Float] {
    let target = try quantity(network, item)
    return try filled(sequences.count * sequences.length) {
        try network.temporalScores(
            sequences.batch, target: target, direction: direction, threads: threads, probabilities: $0)
    }
}

@Suite struct TemporalScoresTests {
    /// The probability on a cut, by definition: layers before the first recurrent one on the whole sequence, the rest on a
    /// part.
    private func expected(
        _ twin: TwinNetwork, _ letters: [Double], _ direction: TemporalDirection, _ item: TargetQuantityCase
    ) -> [Double] {
        let first = twin.specs.firstIndex { $0.kind == DM_LAYER_LSTM || $0.kind == DM_LAYER_GRU } ?? 0
        let features = twin.run(0..<first, letters, length: twin.length)
        let channels = first == 0 ? 4 : twin.specs[0].units
        let positions = features.count / channels
        return (0..<twin.length).map { i in
            let share = Double(direction == .forward ? i + 1 : i) * Double(positions) / Double(twin.length)
            let range = direction == .forward ? 0..<Int(share.rounded(.up)) : Int(share)..<positions
            let cut = Array(features[(range.lowerBound * channels)..<(range.upperBound * channels)])
            return item.probability(twin.run(first..<twin.specs.count, cut, length: range.count))
        }
    }

    /// The bar of the project is 1e-6; a probability moves by at most a quarter of the change of a score, which is some
    /// ten u per step of the recurrence.
    @Test(arguments: TestNetworks.recurrent, [TemporalDirection.forward, .backward])
    func equalsBruteForce(network item: (String, [LayerSpec]), direction: TemporalDirection) throws {
        for level in InstructionLevel.available {
            let twin = try TwinNetwork(item.0, item.1, length: 17, level: level)
            for isCodes in [true, false] {
                let sequences = TestSequences.drawn(70, length: 17, isCodes: isCodes)
                for quantity in [TargetQuantityCase(), TargetQuantityCase(target: 0, output: DM_OUTPUT_SIGMOID)] {
                    let actual = try temporal(twin.network, sequences, direction, quantity)
                    for row in [0, 1, 69] {
                        let wanted = expected(twin, sequences.row(row), direction, quantity)
                        let allowed = [Double](repeating: 1e-6, count: 17)
                        #expect(worstRatio(Array(actual[(row * 17)..<((row + 1) * 17)]), wanted, allowed: allowed) <= 1)
                    }
                }
            }
        }
    }

    /// The last prefix and the first suffix are the sequence itself.
    @Test(arguments: TestNetworks.recurrent)
    func wholeSequenceAtTheEnds(network item: (String, [LayerSpec])) throws {
        let network = try TwinNetwork(item.0, item.1).network
        let sequences = TestSequences.drawn(9, length: 14)
        let forward = try temporal(network, sequences, .forward)
        let backward = try temporal(network, sequences, .backward)
        let probabilities = try filled(9 * network.classCount) {
            try network.scores(sequences.batch, threads: 1, output: $0)
            applyOutput(DM_OUTPUT_SOFTMAX, scores: $0, count: 9, classes: network.classCount, values: $0)
        }
        for row in 0..<9 {
            let whole = probabilities[row * network.classCount + 1]
            #expect(abs(forward[row * 14 + 13] - whole) <= 1e-6)
            #expect(abs(backward[row * 14] - whole) <= 1e-6)
        }
    }

    @Test(arguments: TestNetworks.recurrent)
    func sameBytesForAnyThreadsAndCut(network item: (String, [LayerSpec])) throws {
        let network = try TwinNetwork(item.0, item.1).network
        let sequences = TestSequences.drawn(130, length: 14)
        for direction in [TemporalDirection.forward, .backward] {
            let whole = try temporal(network, sequences, direction)
            #expect(try temporal(network, sequences, direction, threads: 2) == whole)
            #expect(try temporal(network, sequences, direction, threads: 3) == whole)
            let alone = TestSequences(codes: Array(sequences.codes[(77 * 14)..<(78 * 14)]), length: 14)
            #expect(try temporal(network, alone, direction) == Array(whole[(77 * 14)..<(78 * 14)]))
        }
    }

    @Test func linearOutputGivesScores() throws {
        let twin = try TwinNetwork("rnn", TestNetworks.rnn)
        let sequences = TestSequences.drawn(1, length: 14)
        let scores = try temporal(twin.network, sequences, .forward, .init(output: DM_OUTPUT_LINEAR))
        #expect(abs(Double(scores[13]) - twin.scores(sequences.row(0))[1]) < 1e-5)
    }

    @Test func refusesNetworksWithoutRecurrence() throws {
        let network = try TwinNetwork("cnn", TestNetworks.cnn).network
        let error = #expect(throws: DeepMotifError.self) { try temporal(network, .drawn(1, length: 14), .forward) }
        #expect(error?.message.contains("LSTM") == true)
        #expect(error?.status == DM_ERROR_INVALID_ARGUMENT)
    }

    @Test func namesTheLayerThatCannotReadOnePosition() throws {
        let specs: [LayerSpec] = [
            .init(DM_LAYER_LSTM, units: 3), .init(DM_LAYER_FLATTEN), .init(DM_LAYER_DENSE, units: 2),
        ]
        let network = try TwinNetwork("fixed", specs).network
        let error = #expect(throws: DeepMotifError.self) { try temporal(network, .drawn(1, length: 14), .backward) }
        #expect(error?.message.contains("flatten_0") == true || error?.message.contains("dense_0") == true)
        #expect(error?.status == DM_ERROR_SHAPE)
    }

    @Test func noSequencesNoScores() throws {
        let network = try TwinNetwork("rnn", TestNetworks.rnn).network
        #expect(try temporal(network, TestSequences(codes: [], length: 14), .forward).isEmpty)
    }
}
