// FurtherLayerTests: what the cases do not show: determinism of the new layers, random streams, errors.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifNetworks
import DeepMotifTestSupport
import Testing

@Suite struct FurtherLayerTests {
    private static let dropout = LayerSpec(DM_LAYER_DROPOUT, rate: 0.5)

    /// Every new layer with memory of its own, nested and with dropout in every place.
    private static let network: [LayerSpec] = [
        LayerSpec(DM_LAYER_CONV1D, units: 12, width: 5).padded(4, 1), LayerSpec(DM_LAYER_GELU),
        .residual(
            [
                LayerSpec(DM_LAYER_LAYER_NORM), LayerSpec(DM_LAYER_GRU, units: 6, bidirectional: true), dropout,
                .residual([LayerSpec(DM_LAYER_TANH), dropout]),
            ], shortcut: [LayerSpec(DM_LAYER_DENSE, units: 12), dropout]),
        LayerSpec(DM_LAYER_MAX_POOL1D, width: 3, stride: 2).padded(1, 1),
        LayerSpec(DM_LAYER_GRU, units: 9, returnSequences: false).with { $0.resetsAfter = false },
        LayerSpec(DM_LAYER_DENSE, units: 2),
    ]

    @Test(arguments: InstructionLevel.available)
    func trainingDoesNotDependOnThreads(level: Int32) throws {
        var results: [[Float]] = []
        for threads in [1, 2, 3] {
            let network = try Network(layers: Self.network, length: 41, seed: 2, kernels: .table(level: level))
            let trainer = try Trainer(network: network, options: TrainerOptions(learningRate: 0.003))
            var call = TrainingCall(count: 75, length: 41)
            call.batchSize = 32
            call.threads = threads
            results.append(try call.run(trainer) + network.parameterValues)
        }
        #expect(results[1] == results[0] && results[2] == results[0])
        #expect(results[0].allSatisfy { $0.isFinite })
    }

    @Test(arguments: InstructionLevel.available)
    func scoresAndGradientsDoNotDependOnTheBatch(level: Int32) throws {
        let network = try Network(layers: Self.network, length: 41, seed: 2, kernels: .table(level: level))
        let rows = 23
        let codes = testCodes(rows * 41, seed: 6)
        let scores = try network.scores(codes, length: 41, threads: 2)
        let gradients = try network.scoreGradient(codes, length: 41, target: 1, threads: 3)
        for row in [0, 7, rows - 1] {
            let own = Array(codes[(row * 41)..<((row + 1) * 41)])
            #expect(try network.scores(own, length: 41) == Array(scores[(2 * row)..<(2 * row + 2)]))
            let gradient = try network.scoreGradient(own, length: 41, target: 1)
            #expect(gradient == Array(gradients[(row * 164)..<((row + 1) * 164)]))
        }
    }

    /// Two branches that drop the same elements would give 0 or 4 here; independent ones give 2 in half of the places.
    @Test func dropoutInsideABlockHasStreamsOfItsOwn() throws {
        let block = LayerSpec.residual([Self.dropout], shortcut: [Self.dropout])
        let network = try Network(
            layers: [block, LayerSpec(DM_LAYER_FLATTEN)], length: 200, seed: 1)
        let trainer = try Trainer(network: network, options: TrainerOptions(learningRate: 0))
        var call = TrainingCall(count: 4, length: 200)
        call.codes = .init(repeating: 2, count: 800)
        call.labels = [0, 0, 0, 0]
        let scores = try call.run(trainer)
        let letters = stride(from: 2, to: scores.count, by: 4).map { scores[$0] }
        #expect(Set(letters) == [0, 2, 4])
        #expect(abs(letters.count { $0 == 2 } - 400) < 100)
    }

    private func message(_ specs: [LayerSpec], length: Int = 12) -> String {
        #expect(throws: DeepMotifError.self) { try Network(layers: specs, length: length, seed: 1) }?.message ?? ""
    }

    @Test func errorsNameTheLayer() {
        let pool = LayerSpec(DM_LAYER_GLOBAL_MAX_POOL1D)
        let conv = LayerSpec(DM_LAYER_CONV1D, units: 3, width: 4)
        let long = LayerSpec.residual([LayerSpec(DM_LAYER_TANH), LayerSpec(DM_LAYER_CONV1D, units: 4, width: 20)])
        #expect(message([long, pool]).contains("layer 0 of a network"))
        #expect(message([long, pool]).contains("layer 1 of the body of residual: conv1d needs"))
        #expect(message([.residual([conv]), pool]).contains("(9, 3) and (12, 4)"))
        #expect(message([.residual([]), pool]).contains("at least one layer"))
        #expect(message([conv.padded(-1, 0), pool]).contains("paddings of conv1d"))
        #expect(message([LayerSpec(DM_LAYER_MAX_POOL1D, width: 2).padded(0, 2), pool]).contains("0 ..< 2"))
        #expect(message([LayerSpec(DM_LAYER_ELU).with { $0.slope = .nan }, pool]).contains("slope of elu"))
        #expect(message([LayerSpec(DM_LAYER_FLATTEN).with { $0.order = 7 }]).contains("order of flatten"))
        #expect(message([LayerSpec(DM_LAYER_GRU, units: 0), pool]).contains("units of gru"))
        #expect(message([LayerSpec(DM_LAYER_MAXOUT, width: 3), pool]).contains("width of maxout must divide its 4"))
    }
}
