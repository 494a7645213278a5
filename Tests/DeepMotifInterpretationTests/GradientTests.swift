// GradientTests: input gradients and saliency against central differences of the Double twin, and their axioms.

import CDeepMotif
import DeepMotifCore
import DeepMotifInterpretation
import DeepMotifNetworks
import DeepMotifTestSupport
import Testing

/// Float gradients of these networks pass through about 100 roundings one after the other (14 positions of an LSTM, 5 to
/// 8 each): 100 u of the largest element, and as much again for what the rounded activations shift.
private let gradientTolerance = 200 * unitRoundoff

private func gradient(
    _ network: Network, _ sequences: TestSequences, _ item: TargetQuantityCase = .init(),
    isCentered: Bool = false, threads: Int = 1
) throws -> [Float] {
    let of = try quantity(network, item)
    return try filled(sequences.letters.count) {
        try network.inputGradient(
            sequences.batch, of: of, isCentered: isCentered, threads: threads, gradient: $0)
    }
}

private func saliency(
    _ network: Network, _ sequences: TestSequences, isSigned: Bool = true, isCentered: Bool = false,
    threads: Int = 1
) throws -> [Float] {
    let of = try quantity(network)
    return try filled(sequences.count * sequences.length) {
        try network.saliency(
            sequences.batch, of: of, isSigned: isSigned, isCentered: isCentered, threads: threads, saliency: $0)
    }
}

@Suite struct InputGradientTests {
    @Test(arguments: TestNetworks.all, [true, false])
    func equalsCentralDifferences(network item: (String, [LayerSpec]), isCodes: Bool) throws {
        for level in InstructionLevel.available {
            let twin = try TwinNetwork(item.0, item.1, level: level)
            let sequences = TestSequences.drawn(3, length: twin.length, isCodes: isCodes)
            for quantity in TargetQuantityCase.all {
                let actual = try gradient(twin.network, sequences, quantity)
                let expected = (0..<3).flatMap { twin.gradient(quantity, sequences.row($0)) }
                let allowed = [Double](repeating: gradientTolerance * expected.largest + 1e-9, count: expected.count)
                #expect(worstRatio(actual, expected, allowed: allowed) <= 1)
            }
        }
    }

    @Test func centeredGradientsSumToZero() throws {
        let network = try TwinNetwork("rnn", TestNetworks.rnn).network
        let sequences = TestSequences.drawn(2, length: 14)
        let plain = try gradient(network, sequences)
        let centered = try gradient(network, sequences, isCentered: true)
        for position in stride(from: 0, to: plain.count, by: 4) {
            let mean = (plain[position] + plain[position + 1] + plain[position + 2] + plain[position + 3]) * 0.25
            for letter in 0..<4 { #expect(centered[position + letter] == plain[position + letter] - mean) }
        }
    }

    /// The gradient of a linear model is its weights, whatever the input.
    @Test func linearModelGivesItsWeights() throws {
        let twin = try TwinNetwork("linear", TestNetworks.linear)
        let actual = try gradient(twin.network, .drawn(1, length: 14))
        #expect(actual.doubles == Array(twin.parameters["dense_0.weight"]![56...]))
    }

    @Test(arguments: TestNetworks.all)
    func sameBytesForAnyThreadsAndCut(network item: (String, [LayerSpec])) throws {
        let network = try TwinNetwork(item.0, item.1).network
        let sequences = TestSequences.drawn(150, length: 14)
        let whole = try gradient(network, sequences)
        #expect(try gradient(network, sequences, threads: 2) == whole)
        #expect(try gradient(network, sequences, threads: 3) == whole)
        let alone = TestSequences(codes: Array(sequences.codes[(77 * 14)..<(78 * 14)]), length: 14)
        #expect(try gradient(network, alone) == Array(whole[(77 * 56)..<(78 * 56)]))
    }

    @Test func noSequencesNoGradient() throws {
        let network = try TwinNetwork("cnn", TestNetworks.cnn).network
        #expect(try gradient(network, TestSequences(codes: [], length: 14)).isEmpty)
    }

    @Test func tooShortIsAnError() throws {
        let network = try TwinNetwork("cnn", TestNetworks.cnn).network
        #expect(throws: DeepMotifError.self) { try gradient(network, .drawn(1, length: 6)) }
    }
}

@Suite struct SaliencyTests {
    @Test(arguments: [true, false], [true, false])
    func isGradientTimesInput(isCodes: Bool, isCentered: Bool) throws {
        let network = try TwinNetwork("cnn-rnn", TestNetworks.cnnRNN).network
        let sequences = TestSequences.drawn(3, length: 14, isCodes: isCodes)
        let slopes = try gradient(network, sequences, isCentered: isCentered)
        let signed = try saliency(network, sequences, isCentered: isCentered)
        let magnitude = try saliency(network, sequences, isSigned: false, isCentered: isCentered)
        for position in 0..<signed.count {
            let products = (0..<4).map {
                Double(slopes[position * 4 + $0]) * Double(sequences.letters[position * 4 + $0])
            }
            let allowed = 6 * unitRoundoff * products.reduce(0) { $0 + abs($1) }
            #expect(abs(Double(signed[position]) - products.reduce(0, +)) <= allowed)
        }
        #expect(magnitude == signed.map(abs))
    }

    @Test func unknownLettersHaveNone() throws {
        let network = try TwinNetwork("rnn", TestNetworks.rnn).network
        let sequences = TestSequences.drawn(20, length: 14)
        let values = try saliency(network, sequences)
        #expect(sequences.codes.contains(4))
        for (code, value) in zip(sequences.codes, values) where code == 4 { #expect(value == 0) }
    }

    /// Completeness: on a linear model signed saliency sums to the score less the bias.
    @Test func sumsToTheScoreOfALinearModel() throws {
        let twin = try TwinNetwork("linear", TestNetworks.linear)
        let sequences = TestSequences.drawn(5, length: 14)
        let values = try saliency(twin.network, sequences)
        for row in 0..<5 {
            let sum = values[(row * 14)..<((row + 1) * 14)].reduce(0.0) { $0 + Double($1) }
            let expected = twin.scores(sequences.row(row))[1] - twin.parameters["dense_0.bias"]![1]
            // The weights pass through unrounded and are summed in Double here.
            #expect(abs(sum - expected) < 1e-12)
        }
    }

    /// A network of filters in reverse-complement pairs with equal weights does not know its strand; nor does saliency.
    @Test func mirroredOnTheOtherStrand() throws {
        let specs: [LayerSpec] = [
            .init(DM_LAYER_CONV1D, units: 6, width: 5), .init(DM_LAYER_RELU), .init(DM_LAYER_GLOBAL_MAX_POOL1D),
            .init(DM_LAYER_DENSE, units: 2),
        ]
        var filters: [Float] = testFloats(3 * 20, seed: 9)
        for filter in 0..<3 {
            for letter in 0..<4 {
                for k in 0..<5 { filters.append(filters[filter * 20 + (3 - letter) * 5 + (4 - k)]) }
            }
        }
        let biases = testFloats(3, seed: 10, bound: 0.2)
        let dense = testFloats(6, seed: 11)
        var values = filters
        for part in [biases, biases, Array(dense[..<3]), Array(dense[..<3]), Array(dense[3...]), Array(dense[3...])] {
            values += part
        }
        values += [0.1, 0.2]
        let network = try TwinNetwork("stranded", specs, length: 14, values: values).network
        let codes = testCodes(20 * 14, seed: 4)
        var mirrored: [UInt8] = []
        for row in 0..<20 {
            for position in (0..<14).reversed() {
                let code = codes[row * 14 + position]
                mirrored.append(code < 4 ? 3 - code : 4)
            }
        }
        let plus = try saliency(network, TestSequences(codes: codes, length: 14))
        let minus = try saliency(network, TestSequences(codes: mirrored, length: 14))
        for row in 0..<20 {
            let allowed = [Double](repeating: gradientTolerance * plus.doubles.largest, count: 14)
            let reversed = Array(plus[(row * 14)..<((row + 1) * 14)].doubles.reversed())
            #expect(worstRatio(Array(minus[(row * 14)..<((row + 1) * 14)]), reversed, allowed: allowed) <= 1)
        }
    }

    /// More sequences than one block of the view holds.
    @Test func sameBytesInManyBlocks() throws {
        let network = try TwinNetwork("linear", TestNetworks.linear, length: 3000).network
        let sequences = TestSequences.drawn(300, length: 3000)
        let values = try saliency(network, sequences)
        #expect(try saliency(network, sequences, threads: 2) == values)
        let last = TestSequences(codes: Array(sequences.codes[(299 * 3000)...]), length: 3000)
        #expect(try saliency(network, last) == Array(values[(299 * 3000)...]))
    }
}
