// ViewsABITests: views as a C client calls them: every failure has its status and its words, inputs stay as they were.

import CDeepMotif
import Testing

@Suite struct ViewsABITests {
    /// Arguments of the three calls on sequences, right ones by default.
    struct Call {
        var target: Int64 = 1
        var quantity = DM_TARGET_SCORE
        var output = DM_OUTPUT_SOFTMAX
        var flags: Int32 = 0
        var threads: Int32 = 1
        var length = 20
    }

    private func gradient(_ call: Call, _ model: Model) -> (Int32, [Float]) {
        var values = [Float](repeating: .nan, count: 3 * call.length * 4)
        let status = withSequences(someCodes(3 * call.length), count: 3, length: Int64(call.length)) {
            dm_view_input_gradient(
                model.handle, $0, call.target, call.quantity, call.output, call.flags, call.threads, &values)
        }
        return (status, values)
    }

    private func saliency(_ call: Call, _ model: Model) -> (Int32, [Float]) {
        var values = [Float](repeating: .nan, count: 3 * call.length)
        let status = withSequences(someCodes(3 * call.length), count: 3, length: Int64(call.length)) {
            dm_view_saliency(
                model.handle, $0, call.target, call.quantity, call.output, call.flags, call.threads, &values)
        }
        return (status, values)
    }

    private func temporal(_ call: Call, _ model: Model, direction: Int32) -> (Int32, [Float]) {
        var values = [Float](repeating: .nan, count: 3 * call.length)
        let status = withSequences(someCodes(3 * call.length), count: 3, length: Int64(call.length)) {
            dm_view_temporal_scores(
                model.handle, $0, call.target, call.output, direction, call.threads, &values)
        }
        return (status, values)
    }

    private func recurrentModel() throws -> Model {
        var lstm = layer(DM_LAYER_LSTM, units: 3)
        lstm.bidirectional = 1
        return try Model([lstm, layer(DM_LAYER_GLOBAL_AVERAGE_POOL1D), layer(DM_LAYER_DENSE, units: 2)])
    }

    @Test func resultsAreComplete() throws {
        let model = try recurrentModel()
        for (status, values) in [
            gradient(Call(), model), saliency(Call(), model),
            temporal(Call(), model, direction: DM_DIRECTION_FORWARD),
            temporal(Call(), model, direction: DM_DIRECTION_BACKWARD),
        ] {
            #expect(status == DM_OK)
            #expect(values.allSatisfy { $0.isFinite })
        }
    }

    @Test(arguments: [
        (Call(target: 2), "target"), (Call(target: -1), "target"), (Call(target: .min), "target"),
        (Call(quantity: 5), "quantity"), (Call(output: -1), "output"), (Call(flags: 64), "flags"),
        (Call(threads: 0), "threads"), (Call(quantity: DM_TARGET_LOG_PROBABILITY, output: DM_OUTPUT_LINEAR), "linear"),
    ])
    func badArgumentsAreNamed(call: Call, word: String) throws {
        let model = try Model()
        expectFailure(gradient(call, model).0, DM_ERROR_INVALID_ARGUMENT, word)
        expectFailure(saliency(call, model).0, DM_ERROR_INVALID_ARGUMENT, word)
    }

    @Test func signedIsNoFlagOfGradients() throws {
        let model = try Model()
        expectFailure(
            gradient(Call(flags: DM_SALIENCY_SIGNED), model).0, DM_ERROR_INVALID_ARGUMENT, "flags")
        #expect(saliency(Call(flags: DM_SALIENCY_SIGNED | DM_SALIENCY_CENTERED), model).0 == DM_OK)
    }

    @Test func tooShortForTheLayers() throws {
        let model = try Model()
        expectFailure(gradient(Call(length: 4), model).0, DM_ERROR_SHAPE, "5", "4")
        expectFailure(saliency(Call(length: 4), model).0, DM_ERROR_SHAPE, "5", "4")
    }

    @Test func temporalScoresNeedAnLSTMAndADirection() throws {
        expectFailure(
            temporal(Call(), try Model(), direction: DM_DIRECTION_FORWARD).0, DM_ERROR_INVALID_ARGUMENT, "LSTM")
        expectFailure(
            temporal(Call(), try recurrentModel(), direction: 2).0, DM_ERROR_INVALID_ARGUMENT, "direction", "2")
    }

    @Test func nullPointersAreErrors() throws {
        let model = try Model()
        var options = dm_class_optimization_options()
        dm_class_optimization_options_init(&options)
        dm_class_optimization_options_init(nil)
        var values = [Float](repeating: 0, count: 80)
        expectFailure(
            dm_view_saliency(nil, nil, 1, 0, 0, 0, 1, &values), DM_ERROR_INVALID_ARGUMENT, "model", "null")
        expectFailure(
            dm_view_saliency(model.handle, nil, 1, 0, 0, 0, 1, &values), DM_ERROR_INVALID_ARGUMENT, "sequences")
        let status = withSequences(someCodes(20), count: 1, length: 20) {
            dm_view_input_gradient(model.handle, $0, 1, 0, 0, 0, 1, nil)
        }
        expectFailure(status, DM_ERROR_INVALID_ARGUMENT, "gradient", "null")
        expectFailure(
            dm_view_class_optimization(model.handle, nil, 1, 20, 1, nil, 1, &values, nil, nil),
            DM_ERROR_INVALID_ARGUMENT, "options", "null")
        expectFailure(
            dm_view_class_optimization(model.handle, &options, 1, 20, 1, nil, 1, nil, nil, nil),
            DM_ERROR_INVALID_ARGUMENT, "variables", "null")
        expectFailure(dm_random_uniform(1, 2, 3, nil), DM_ERROR_INVALID_ARGUMENT, "values", "null")
        expectFailure(dm_view_class_optimization_matrix(nil, 1, 20, &values), DM_ERROR_INVALID_ARGUMENT, "inputs")
    }

    @Test func channelsNeedALayerAndRoomForTheResults() throws {
        let model = try Model()
        var positions = [Int32](repeating: -1, count: 12)
        var values = [Float](repeating: .nan, count: 24)
        withSequences(someCodes(40), count: 2, length: 20) {
            #expect(dm_view_channel_peaks(model.handle, $0, 0, 1, &positions, &values) == DM_OK)
            #expect(positions.allSatisfy { (0..<16).contains($0) })
            for layer: Int64 in [-1, 4, .max] {
                expectFailure(
                    dm_view_channel_peaks(model.handle, $0, layer, 1, &positions, &values), DM_ERROR_INVALID_ARGUMENT,
                    "layer")
                expectFailure(
                    dm_view_ablated_scores(model.handle, $0, layer, 1, &values), DM_ERROR_INVALID_ARGUMENT, "layer")
            }
            #expect(dm_view_ablated_scores(model.handle, $0, 0, 1, &values) == DM_OK)
            #expect(values.allSatisfy { $0.isFinite })
            expectFailure(
                dm_view_channel_peaks(model.handle, $0, 0, 1, nil, &values), DM_ERROR_INVALID_ARGUMENT, "positions")
            expectFailure(
                dm_view_ablated_scores(model.handle, $0, 0, 0, &values), DM_ERROR_INVALID_ARGUMENT, "threads")
        }
        expectFailure(
            dm_view_ablated_scores(nil, nil, 0, 1, &values), DM_ERROR_INVALID_ARGUMENT, "model")
    }

    @Test(arguments: [(-1, 20, 1), (1, -20, 1), (1, 20, -1), (1 << 39, 1 << 39, 1), (1 << 39, 20, 1 << 39)])
    func sizesOutOfRange(restarts: Int64, length: Int64, steps: Int64) throws {
        let model = try Model()
        var options = dm_class_optimization_options()
        dm_class_optimization_options_init(&options)
        var (variables, squares, objective) = ([Float](repeating: 0, count: 80), [Float](), [Float]())
        squares = variables
        objective = variables
        expectFailure(
            dm_view_class_optimization(
                model.handle, &options, restarts, length, steps, nil, 1, &variables, &squares, &objective),
            DM_ERROR_INVALID_ARGUMENT)
        #expect(variables.allSatisfy { $0 == 0 })
        expectFailure(dm_random_uniform(1, -1, 3, &variables), DM_ERROR_INVALID_ARGUMENT, "streams")
    }

    /// The defaults are those that the header states.
    @Test func defaultsOfClassOptimization() {
        var options = dm_class_optimization_options()
        dm_class_optimization_options_init(&options)
        #expect(options.target == 1)
        #expect(options.quantity == DM_TARGET_LOG_PROBABILITY)
        #expect(options.output == DM_OUTPUT_SOFTMAX)
        #expect(options.softmax == 0)
        #expect([options.l2, options.learning_rate, options.alpha, options.epsilon] == [0.009, 0.05, 0.99, 1e-8])
    }

    @Test(arguments: ["l2", "learning_rate", "alpha", "epsilon"])
    func optionsOutOfRangeAreNamed(name: String) throws {
        let model = try Model()
        var options = dm_class_optimization_options()
        dm_class_optimization_options_init(&options)
        switch name {
        case "l2": options.l2 = -.infinity
        case "learning_rate": options.learning_rate = .nan
        case "alpha": options.alpha = 1.5
        default: options.epsilon = 0
        }
        var variables = [Float](repeating: 0.5, count: 80)
        var squares = [Float](repeating: 0, count: 80)
        var objective: [Float] = [0]
        expectFailure(
            dm_view_class_optimization(
                model.handle, &options, 1, 20, 1, nil, 1, &variables, &squares, &objective),
            DM_ERROR_INVALID_ARGUMENT, name)
        #expect(variables.allSatisfy { $0 == 0.5 })
    }

    @Test(arguments: [Float.nan, .infinity])
    func nonFiniteStartsAreErrors(value: Float) throws {
        let model = try Model()
        for softmax in [0, 1] as [Int32] {
            var options = dm_class_optimization_options()
            dm_class_optimization_options_init(&options)
            options.softmax = softmax
            var variables = [Float](repeating: 0.5, count: 80)
            variables[3] = value
            var squares = [Float](repeating: 0, count: 80)
            var objective: [Float] = [0]
            expectFailure(
                dm_view_class_optimization(
                    model.handle, &options, 1, 20, 1, nil, 1, &variables, &squares, &objective),
                DM_ERROR_INVALID_ARGUMENT)
        }
    }
}
