// TestNetworks: the three architectures in small, and their neighbours. Tests of the views.

import CDeepMotif
import DeepMotifCore
import DeepMotifInterpretation
import DeepMotifNetworks
import DeepMotifSequences
import DeepMotifTestSupport

#if canImport(Glibc)
    import Glibc
#endif

enum TestNetworks {
    static let cnn: [LayerSpec] = [
        .init(DM_LAYER_CONV1D, units: 6, width: 5), .init(DM_LAYER_RELU),
        .init(DM_LAYER_MAX_POOL1D, width: 2, stride: 2),
        .init(DM_LAYER_DROPOUT, rate: 0.5), .init(DM_LAYER_CONV1D, units: 5, width: 3), .init(DM_LAYER_RELU),
        .init(DM_LAYER_GLOBAL_MAX_POOL1D), .init(DM_LAYER_DENSE, units: 2),
    ]
    static let rnn: [LayerSpec] = [
        .init(DM_LAYER_LSTM, units: 5, bidirectional: true), .init(DM_LAYER_DROPOUT, rate: 0.5),
        .init(DM_LAYER_GLOBAL_AVERAGE_POOL1D), .init(DM_LAYER_DENSE, units: 2),
    ]
    static let deepRNN: [LayerSpec] = [
        .init(DM_LAYER_LSTM, units: 4, bidirectional: true),
        .init(DM_LAYER_LSTM, units: 3, bidirectional: true, splitInput: true),
        .init(DM_LAYER_GLOBAL_AVERAGE_POOL1D), .init(DM_LAYER_DENSE, units: 3),
    ]
    static let oneWayRNN: [LayerSpec] = [
        .init(DM_LAYER_LSTM, units: 5), .init(DM_LAYER_GLOBAL_MAX_POOL1D), .init(DM_LAYER_DENSE, units: 2),
    ]
    static let oneWayMean: [LayerSpec] = [
        .init(DM_LAYER_LSTM, units: 5), .init(DM_LAYER_LSTM, units: 3), .init(DM_LAYER_DROPOUT, rate: 0.5),
        .init(DM_LAYER_GLOBAL_AVERAGE_POOL1D), .init(DM_LAYER_DENSE, units: 2),
    ]
    /// The second layer reads both directions of the first.
    static let mixedRNN: [LayerSpec] = [
        .init(DM_LAYER_LSTM, units: 4, bidirectional: true), .init(DM_LAYER_LSTM, units: 3, bidirectional: true),
        .init(DM_LAYER_GLOBAL_AVERAGE_POOL1D), .init(DM_LAYER_DENSE, units: 2),
    ]
    static let lastState: [LayerSpec] = [
        .init(DM_LAYER_LSTM, units: 4, bidirectional: true, returnSequences: false), .init(DM_LAYER_DENSE, units: 2),
    ]
    static let cnnRNN: [LayerSpec] = [
        .init(DM_LAYER_CONV1D, units: 6, width: 5, padding: DM_PADDING_SAME), .init(DM_LAYER_RELU),
        .init(DM_LAYER_LSTM, units: 4, bidirectional: true), .init(DM_LAYER_GLOBAL_AVERAGE_POOL1D),
        .init(DM_LAYER_DENSE, units: 2),
    ]
    /// The layers before the LSTM shorten the sequence.
    static let pooledRNN: [LayerSpec] = [
        .init(DM_LAYER_CONV1D, units: 6, width: 3), .init(DM_LAYER_RELU),
        .init(DM_LAYER_MAX_POOL1D, width: 3, stride: 3),
        .init(DM_LAYER_LSTM, units: 4, bidirectional: true), .init(DM_LAYER_GLOBAL_AVERAGE_POOL1D),
        .init(DM_LAYER_DENSE, units: 2),
    ]
    static let gru: [LayerSpec] = [
        .init(DM_LAYER_CONV1D, units: 6, width: 3, padding: DM_PADDING_SAME), .init(DM_LAYER_GELU),
        .init(DM_LAYER_GRU, units: 4, bidirectional: true), .init(DM_LAYER_TANH), .init(DM_LAYER_GRU, units: 3),
        .init(DM_LAYER_GLOBAL_MAX_POOL1D), .init(DM_LAYER_DENSE, units: 2),
    ]
    static let linear: [LayerSpec] = [.init(DM_LAYER_FLATTEN), .init(DM_LAYER_DENSE, units: 2)]

    static let recurrent = [
        ("rnn", rnn), ("deep rnn", deepRNN), ("one way rnn", oneWayRNN), ("one way mean", oneWayMean),
        ("mixed rnn", mixedRNN), ("last state", lastState), ("cnn-rnn", cnnRNN), ("pooled rnn", pooledRNN),
        ("gru", gru),
    ]
    static let all = [("cnn", cnn), ("linear", linear)] + recurrent
}

/// Sequences that live as long as the test: codes with unknown letters in them, or soft letters.
final class TestSequences {
    let codes: [UInt8]
    let letters: [Float]
    let count: Int
    let length: Int
    private let isCodes: Bool
    private let codeMemory: UnsafeMutablePointer<UInt8>
    private let letterMemory: UnsafeMutablePointer<Float>

    init(codes: [UInt8], length: Int) {
        self.codes = codes
        letters = Twin.oneHot(codes, letters: 4).floats
        count = codes.count / length
        self.length = length
        isCodes = true
        (codeMemory, letterMemory) = TestSequences.memory(codes, letters)
    }

    init(letters: [Float], length: Int) {
        codes = []
        self.letters = letters
        count = letters.count / length / 4
        self.length = length
        isCodes = false
        (codeMemory, letterMemory) = TestSequences.memory(codes, letters)
    }

    static func drawn(_ count: Int, length: Int, seed: UInt64 = 1, isCodes: Bool = true) -> TestSequences {
        isCodes
            ? TestSequences(codes: testCodes(count * length, seed: seed), length: length)
            : TestSequences(letters: testFloats(count * length * 4, seed: seed), length: length)
    }

    private static func memory(
        _ codes: [UInt8], _ letters: [Float]
    ) -> (UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<Float>) {
        let first = UnsafeMutablePointer<UInt8>.allocate(capacity: max(codes.count, 1))
        first.update(from: codes, count: codes.count)
        let second = UnsafeMutablePointer<Float>.allocate(capacity: max(letters.count, 1))
        second.update(from: letters, count: letters.count)
        return (first, second)
    }

    deinit {
        codeMemory.deallocate()
        letterMemory.deallocate()
    }

    var batch: SequenceBatch {
        SequenceBatch(form: isCodes ? .codes(codeMemory) : .letters(letterMemory), count: count, length: length)
    }

    /// Letters (L, 4) of one sequence.
    func row(_ index: Int) -> [Double] {
        letters[(index * length * 4)..<((index + 1) * length * 4)].doubles
    }
}

extension ArraySlice where Element == Float {
    var doubles: [Double] { map(Double.init) }
}

extension Twin {
    static func logarithm(_ x: Double) -> Double { log(x) }
}

/// The quantity of a case for a network.
func quantity(_ network: Network, _ item: TargetQuantityCase = .init()) throws -> TargetQuantity {
    try TargetQuantity(
        target: item.target, quantity: item.quantity, output: item.output, classes: network.classCount)
}

/// A new array that a call fills; the call's error passes through.
func filled(_ count: Int, _ body: (UnsafeMutablePointer<Float>) throws -> Void) rethrows -> [Float] {
    let buffer = GuardedBuffer<Float>(count: count)
    try body(buffer.pointer)
    precondition(buffer.isIntact, "written outside of the result")
    return buffer.values
}
