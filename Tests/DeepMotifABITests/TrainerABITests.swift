// TrainerABITests: training through the C ABI, and what it refuses.

import CDeepMotif
import Testing

@Suite struct TrainerABITests {
    private func makeTrainer(_ model: Model, _ change: (inout dm_trainer_options) -> Void = { _ in }) -> OpaquePointer?
    {
        var options = dm_trainer_options()
        dm_trainer_options_init(&options, DM_OPTIMIZER_ADAM)
        change(&options)
        var trainer: OpaquePointer?
        return dm_trainer_create(model.handle, &options, &trainer) == DM_OK ? trainer : nil
    }

    private func run(
        _ trainer: OpaquePointer?, labels: [Int32], rows: [Int64], batchSize: Int64 = 4
    ) -> (status: Int32, loss: Double, weight: Double) {
        var loss = 0.0
        var weight = 0.0
        let status = withSequences(someCodes(160), count: 8, length: 20) { sequences in
            labels.withUnsafeBufferPointer {
                var targets = dm_targets(labels: $0.baseAddress, flags: nil, values: nil, columns: 0)
                return dm_trainer_run(
                    trainer, sequences, &targets, rows, Int64(rows.count), batchSize, nil, 1, &loss, &weight, nil)
            }
        }
        return (status, loss, weight)
    }

    @Test func nullPointersAreErrors() throws {
        let model = try Model()
        var trainer: OpaquePointer?
        expectFailure(dm_trainer_create(nil, nil, &trainer), DM_ERROR_INVALID_ARGUMENT, "null")
        expectFailure(dm_trainer_create(model.handle, nil, &trainer), DM_ERROR_INVALID_ARGUMENT, "options", "null")
        expectFailure(run(nil, labels: [0], rows: [0]).status, DM_ERROR_INVALID_ARGUMENT, "trainer", "null")
        expectFailure(dm_trainer_set_learning_rate(nil, 1), DM_ERROR_INVALID_ARGUMENT, "trainer")
        dm_trainer_free(nil)
        dm_trainer_options_init(nil, DM_OPTIMIZER_SGD)
        dm_layer_options_init(nil, DM_LAYER_RELU)
    }

    @Test func optionsOutOfRange() throws {
        let model = try Model()
        #expect(makeTrainer(model) { $0.learning_rate = -1 } == nil)
        #expect(lastMessage().contains("learning_rate"))
        #expect(makeTrainer(model) { $0.beta1 = 1 } == nil)
        #expect(makeTrainer(model) { $0.epsilon = .nan } == nil)
        #expect(makeTrainer(model) { $0.gradient_clip = -.infinity } == nil)
        #expect(makeTrainer(model) { $0.optimizer = 77 } == nil)
        #expect(makeTrainer(model) { $0.output = 77 } == nil)
    }

    @Test func theTrainerOutlivesTheCallersModel() throws {
        var trainer: OpaquePointer?
        do {
            let model = try Model()
            trainer = makeTrainer(model)
        }
        let result = run(trainer, labels: [0, 1, 0, 1, 0, 1, 0, 1], rows: [0, 1, 2, 3, 4, 5, 6, 7])
        #expect(result.status == DM_OK)
        #expect(result.weight == 8)
        #expect(result.loss.isFinite && result.loss > 0)
        dm_trainer_free(trainer)
    }

    @Test func rowsAndLabelsOutOfRange() throws {
        let model = try Model()
        let trainer = makeTrainer(model)
        let labels: [Int32] = [0, 1, 0, 1, 0, 1, 0, 5]
        expectFailure(run(trainer, labels: labels, rows: [8]).status, DM_ERROR_INVALID_ARGUMENT, "rows", "8")
        expectFailure(run(trainer, labels: labels, rows: [-1]).status, DM_ERROR_INVALID_ARGUMENT, "rows", "-1")
        expectFailure(run(trainer, labels: labels, rows: [7]).status, DM_ERROR_INVALID_ARGUMENT, "label", "5")
        let wrongBatch = run(trainer, labels: labels, rows: [0], batchSize: -4)
        expectFailure(wrongBatch.status, DM_ERROR_INVALID_ARGUMENT, "batch_size")
        #expect(run(trainer, labels: labels, rows: [0, 1, 2]).status == DM_OK)
        dm_trainer_free(trainer)
    }
}
