// PooledConv1DTests: networks whose first layers run as one on codes, beside the same networks on letters, where each runs
// for itself. The twin has both (`Cases`).

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifNetworks
import DeepMotifTestSupport
import Testing

/// The first layers and the length that they are tried at.
private let heads: [NetworkCase] = [
    NetworkCase("windows", length: 101, [conv(32, 8), relu, pool(4, 4)]),
    NetworkCase("global", length: 101, [conv(16, 25, DM_PADDING_SAME), relu, LayerSpec(DM_LAYER_GLOBAL_MAX_POOL1D)]),
    NetworkCase("no ReLU", length: 61, [conv(17, 5, DM_PADDING_CAUSAL), pool(2, 3)]),
    NetworkCase("single letters", length: 75, [conv(48, 17).with { $0.hasBias = false }, relu, pool(13, 13)]),
    NetworkCase("long", length: 613, [conv(20, 9), relu, pool(2, 2)]),
    NetworkCase(
        "dilated, strided", length: 90, [conv(33, 4).with { ($0.stride, $0.dilation) = (2, 3) }, relu, pool(3, 3)]),
    NetworkCase(
        "padded windows", length: 50,
        [conv(18, 3).padded(4, 1), relu, pool(5, 6).with { $0.isCeil = true }.padded(2, 4)]
    ),
    NetworkCase("ending with the pool", length: 31, [conv(16, 3), LayerSpec(DM_LAYER_GLOBAL_MAX_POOL1D)]),
    // Each layer for itself here too.
    NetworkCase("windows that overlap", length: 40, [conv(16, 3), relu, pool(3, 2)]),
    NetworkCase("few filters", length: 40, [conv(15, 3), relu, pool(3, 3)]),
]

private let relu = LayerSpec(DM_LAYER_RELU)

private func conv(_ units: Int, _ width: Int, _ padding: Int32 = DM_PADDING_VALID) -> LayerSpec {
    LayerSpec(DM_LAYER_CONV1D, units: units, width: width, padding: padding)
}

private func pool(_ width: Int, _ stride: Int) -> LayerSpec {
    LayerSpec(DM_LAYER_MAX_POOL1D, width: width, stride: stride)
}

@Suite struct PooledConv1DTests {
    private static let rows = 5

    private func network(_ head: NetworkCase, _ level: Int32) throws -> Network {
        let rest = [LayerSpec(DM_LAYER_FLATTEN), LayerSpec(DM_LAYER_DENSE, units: 3)]
        return try Network(
            layers: head.specs + (head.name == "ending with the pool" ? [] : rest), length: head.length, seed: 5,
            kernels: .table(level: level))
    }

    @Test(arguments: heads, InstructionLevel.available)
    func codesGiveWhatLettersGive(_ head: NetworkCase, level: Int32) throws {
        let network = try network(head, level)
        let codes = testCodes(Self.rows * head.length, seed: 8)
        let labels: [Int32] = [0, 1, 2, 1, 0]
        func expectEqual(_ actual: [Float], _ letters: [Float]) throws {
            let relative = 2 * (try network.tolerance(length: head.length))
            let bound = relative * max(letters.doubles.largest, 0x1p-6)
            #expect(worstRatio(actual, letters.doubles, allowed: .init(repeating: bound, count: letters.count)) <= 1)
        }
        try expectEqual(
            network.scores(codes, length: head.length), network.scores(letters: letters(codes), length: head.length))
        try expectEqual(
            network.scoreGradient(codes, length: head.length, target: 1),
            network.scoreGradient(letters: letters(codes), length: head.length, target: 1))
        try expectEqual(
            network.lossGradient(codes, length: head.length, labels: labels),
            network.lossGradient(letters: letters(codes), length: head.length, labels: labels))
    }

    /// What stands between the layers is the same whether it is asked for or not.
    @Test(arguments: heads, InstructionLevel.available)
    func partsGiveWhatTheWholeGives(_ head: NetworkCase, level: Int32) throws {
        let network = try network(head, level)
        let codes = testCodes(Self.rows * head.length, seed: 9)
        let last = head.specs.count - 1
        let map = try network.activations(codes, length: head.length, layer: last - 1)
        let shape = try network.shape(ofLayer: last - 1, length: head.length)
        var pooled = [Float](
            repeating: .nan, count: Self.rows * (try network.shape(ofLayer: last, length: head.length)).count)
        let inputs = Inputs()
        try network.run(
            last..<(last + 1), input: .dense(inputs(map)), rows: Self.rows, length: shape.length, threads: 1,
            output: &pooled)
        #expect(try network.activations(codes, length: head.length, layer: last) == pooled)
    }
}
