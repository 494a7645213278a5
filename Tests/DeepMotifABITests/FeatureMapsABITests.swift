// FeatureMapsABITests: parts of models and ascents through the C door: nulls, sizes, shapes, values.

import CDeepMotif
import Testing

/// Everything that an ascent of two starts needs; the small model's last layer reads 6 channels at one position.
private struct Arrays {
    var targets: [Int64] = [0, 1]
    var l2: [Float] = [1, 1]
    var maps = [Float](repeating: 0.5, count: 12)
    var best = [Float](repeating: 0, count: 12)
    var objectives = [Double](repeating: -.infinity, count: 2)
    var scores: [Float] = [0, 0]
    var highest: [Float] = [-.infinity, -.infinity]
    var steps: [Int64] = [0, 0]
    var waits: [Int64] = [0, 0]
    var states: [UInt8] = [0, 0]

    /// Calls the body with the arrays as a dm_feature_maps.
    mutating func call(length: Int64 = 1, _ body: (inout dm_feature_maps) -> Int32) -> Int32 {
        targets.withUnsafeBufferPointer { targets in
            l2.withUnsafeBufferPointer { l2 in
                maps.withUnsafeMutableBufferPointer { maps in
                    best.withUnsafeMutableBufferPointer { best in
                        objectives.withUnsafeMutableBufferPointer { objectives in
                            scores.withUnsafeMutableBufferPointer { scores in
                                highest.withUnsafeMutableBufferPointer { highest in
                                    steps.withUnsafeMutableBufferPointer { steps in
                                        waits.withUnsafeMutableBufferPointer { waits in
                                            states.withUnsafeMutableBufferPointer { states in
                                                var all = dm_feature_maps(
                                                    count: 2, length: length, targets: targets.baseAddress,
                                                    l2: l2.baseAddress, maps: maps.baseAddress,
                                                    best_maps: best.baseAddress, objectives: objectives.baseAddress,
                                                    scores: scores.baseAddress, highest_scores: highest.baseAddress,
                                                    steps: steps.baseAddress, waits: waits.baseAddress,
                                                    states: states.baseAddress)
                                                return body(&all)
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

private func options(first: Int64 = 3) -> dm_feature_map_options {
    var options = dm_feature_map_options()
    dm_feature_map_options_init(&options)
    options.first_layer = first
    return options
}

@Suite struct FeatureMapsABITests {
    @Test func climbs() throws {
        let model = try Model()
        var arrays = Arrays()
        var given = options()
        var climbing: Int64 = -1
        let status = arrays.call { dm_feature_maps_climb(model.handle, &given, &$0, 20, 2, &climbing) }
        #expect(status == DM_OK)
        #expect(climbing == 2)
        #expect(arrays.steps == [20, 20])
        #expect(arrays.objectives.allSatisfy { $0.isFinite })
        #expect(given.patience == 10 && given.max_steps == 10_000 && given.decay_start == 500)
    }

    @Test func refuses() throws {
        let model = try Model()
        var climbing: Int64 = 0
        var good = options()
        var arrays = Arrays()
        func climb(_ given: dm_feature_map_options, _ arrays: inout Arrays, length: Int64 = 1, steps: Int64 = 1)
            -> Int32
        {
            var given = given
            return arrays.call(length: length) { dm_feature_maps_climb(model.handle, &given, &$0, steps, 1, &climbing) }
        }
        expectFailure(climb(options(first: 4), &arrays), DM_ERROR_INVALID_ARGUMENT, "first")
        expectFailure(climb(options(first: -1), &arrays), DM_ERROR_INVALID_ARGUMENT, "first_layer")
        expectFailure(climb(good, &arrays, length: 2), DM_ERROR_SHAPE)
        expectFailure(climb(good, &arrays, length: 1 << 50), DM_ERROR_INVALID_ARGUMENT, "length")
        expectFailure(climb(good, &arrays, steps: -1), DM_ERROR_INVALID_ARGUMENT, "steps")
        good.learning_rate = .nan
        expectFailure(climb(good, &arrays), DM_ERROR_INVALID_ARGUMENT, "learning_rate")
        var wrong = Arrays()
        wrong.targets[1] = 2
        expectFailure(climb(options(), &wrong), DM_ERROR_INVALID_ARGUMENT, "targets", "index 1")
        wrong = Arrays()
        wrong.maps[7] = .infinity
        expectFailure(climb(options(), &wrong), DM_ERROR_INVALID_ARGUMENT, "maps", "index 7")
        var null = options()
        expectFailure(
            arrays.call { maps in
                maps.waits = nil
                return dm_feature_maps_climb(model.handle, &null, &maps, 1, 1, &climbing)
            }, DM_ERROR_INVALID_ARGUMENT, "waits")
        expectFailure(
            dm_feature_maps_climb(model.handle, nil, nil, 1, 1, &climbing), DM_ERROR_INVALID_ARGUMENT, "options")
    }

    @Test func partsOfModels() throws {
        let model = try Model()
        var (channels, length, outChannels) = (Int64(0), Int64(0), Int64(0))
        #expect(dm_model_part_shape(model.handle, 1, 3, 16, &channels, &length, &outChannels) == DM_OK)
        #expect((channels, length, outChannels) == (6, 1, 6))
        let inputs = [Float](repeating: 0.25, count: 2 * 16 * 6)
        var outputs = [Float](repeating: .nan, count: 2 * 2)
        #expect(dm_model_part_outputs(model.handle, 1, 4, inputs, 2, 16, 1, &outputs) == DM_OK)
        #expect(outputs.allSatisfy { $0.isFinite } && outputs[0] == outputs[2])
        var gradient = [Float](repeating: .nan, count: inputs.count)
        #expect(dm_model_part_gradient(model.handle, 1, 4, inputs, [1, 0, 0, 1], 2, 16, 1, &gradient) == DM_OK)
        #expect(gradient.allSatisfy { $0.isFinite })
        expectFailure(
            dm_model_part_outputs(model.handle, 2, 2, inputs, 2, 16, 1, &outputs), DM_ERROR_INVALID_ARGUMENT, "first")
        expectFailure(
            dm_model_part_outputs(model.handle, 0, 5, inputs, 2, 16, 1, &outputs), DM_ERROR_INVALID_ARGUMENT, "last")
        expectFailure(
            dm_model_part_outputs(model.handle, 1, 4, nil, 2, 16, 1, &outputs), DM_ERROR_INVALID_ARGUMENT, "inputs")
        expectFailure(
            dm_model_part_gradient(model.handle, 1, 4, inputs, nil, 2, 16, 1, &gradient), DM_ERROR_INVALID_ARGUMENT,
            "output_gradient")
        expectFailure(
            dm_model_part_gradient(model.handle, 1, 4, inputs, [1, 0, 0, 1], 1 << 40, 1 << 40, 1, &gradient),
            DM_ERROR_SHAPE)
    }

    @Test func normalStarts() {
        var values = [Float](repeating: 0, count: 6)
        #expect(dm_random_normal(1, 2, 3, &values) == DM_OK)
        #expect(values.allSatisfy { $0.isFinite && $0 != 0 })
        expectFailure(dm_random_normal(1, -1, 3, &values), DM_ERROR_INVALID_ARGUMENT, "streams")
        expectFailure(dm_random_normal(1, 2, 3, nil), DM_ERROR_INVALID_ARGUMENT, "values")
    }
}
