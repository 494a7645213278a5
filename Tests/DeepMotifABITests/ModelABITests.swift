// ModelABITests: nothing that a C client passes may end the process; every failure has its status and its words.

import CDeepMotif
import Testing

@Suite struct ModelABITests {
    @Test func nullPointersAreErrors() throws {
        let model = try Model()
        var handle: OpaquePointer?
        var scores = [Float](repeating: 0, count: 2)
        expectFailure(dm_model_create(nil, 1, 20, 1, &handle), DM_ERROR_INVALID_ARGUMENT, "layers", "null")
        expectFailure(dm_model_create(smallLayers(), 4, 20, 1, nil), DM_ERROR_INVALID_ARGUMENT, "model", "null")
        expectFailure(dm_model_scores(nil, nil, 1, &scores), DM_ERROR_INVALID_ARGUMENT, "model", "null")
        expectFailure(
            dm_model_scores(model.handle, nil, 1, &scores), DM_ERROR_INVALID_ARGUMENT, "sequences", "null")
        let status = withSequences(someCodes(20), count: 1, length: 20) { dm_model_scores(model.handle, $0, 1, nil) }
        expectFailure(status, DM_ERROR_INVALID_ARGUMENT, "scores", "null")
        dm_model_free(nil)
    }

    @Test(arguments: [0, -1, 5000, Int64.max])
    func layerCountsOutOfRange(count: Int64) {
        var handle: OpaquePointer?
        expectFailure(
            dm_model_create(smallLayers(), count, 20, 1, &handle), DM_ERROR_INVALID_ARGUMENT, "layer_count")
        #expect(handle == nil)
    }

    @Test(arguments: [0, -3, Int64.min, 1 << 41, Int64.max])
    func lengthsOutOfRange(length: Int64) {
        var handle: OpaquePointer?
        expectFailure(dm_model_create(smallLayers(), 4, length, 1, &handle), DM_ERROR_INVALID_ARGUMENT, "length")
    }

    @Test func unknownKindOfLayer() {
        var handle: OpaquePointer?
        expectFailure(dm_model_create([layer(99)], 1, 20, 1, &handle), DM_ERROR_INVALID_ARGUMENT, "kind", "99")
    }

    @Test(arguments: [Int64.min, -1, 3, Int64.max])
    func residualCountsOutOfRange(count: Int64) {
        var handle: OpaquePointer?
        var block = layer(DM_LAYER_RESIDUAL)
        block.body_count = count
        let layers = [block, layer(DM_LAYER_RELU), layer(DM_LAYER_GLOBAL_MAX_POOL1D)]
        expectFailure(dm_model_create(layers, 3, 20, 1, &handle), DM_ERROR_INVALID_ARGUMENT, "body_count")
    }

    @Test func blocksNestedTooDeep() {
        var handle: OpaquePointer?
        let count = 4000
        var layers = (1..<count).map { place in
            var block = layer(DM_LAYER_RESIDUAL)
            block.body_count = Int64(count - place)
            return block
        }
        layers.append(layer(DM_LAYER_RELU))
        expectFailure(dm_model_create(layers, Int64(count), 20, 1, &handle), DM_ERROR_INVALID_ARGUMENT, "nested")
    }

    /// One layer on the outside, three entries within.
    @Test func blocksAreOneLayer() throws {
        var handle: OpaquePointer?
        var block = layer(DM_LAYER_RESIDUAL)
        (block.body_count, block.shortcut_count) = (2, 1)
        let layers = [
            block, layer(DM_LAYER_RELU), layer(DM_LAYER_DENSE, units: 3), layer(DM_LAYER_DENSE, units: 3),
            layer(DM_LAYER_GLOBAL_MAX_POOL1D),
        ]
        #expect(dm_model_create(layers, 5, 20, 1, &handle) == DM_OK)
        defer { dm_model_free(handle) }
        var (positions, channels): (Int64, Int64) = (0, 0)
        #expect(dm_model_layer_shape(handle, 0, 20, &positions, &channels) == DM_OK)
        #expect((positions, channels) == (20, 3))
        expectFailure(dm_model_layer_shape(handle, 2, 20, &positions, &channels), DM_ERROR_INVALID_ARGUMENT, "layer")
    }

    @Test(arguments: [-1, 0, Int64.max])
    func unitsOutOfRange(units: Int64) {
        var handle: OpaquePointer?
        let layers = [layer(DM_LAYER_CONV1D, units: units, width: 5)]
        expectFailure(dm_model_create(layers, 1, 20, 1, &handle), DM_ERROR_INVALID_ARGUMENT, "units")
    }

    @Test func tooShortForTheLayers() throws {
        let model = try Model()
        var minimum: Int64 = 0
        #expect(dm_model_minimum_length(model.handle, &minimum) == DM_OK)
        #expect(minimum == 5)
        var scores = [Float](repeating: 0, count: 2)
        let status = withSequences(someCodes(4), count: 1, length: 4) {
            dm_model_scores(model.handle, $0, 1, &scores)
        }
        expectFailure(status, DM_ERROR_SHAPE, "5", "4")
    }

    @Test func codesOutOfRangeNameTheirPlace() throws {
        let model = try Model()
        var codes = someCodes(60)
        codes[47] = 9
        var scores = [Float](repeating: 0, count: 6)
        let status = withSequences(codes, count: 3, length: 20) { dm_model_scores(model.handle, $0, 1, &scores) }
        expectFailure(status, DM_ERROR_INVALID_ARGUMENT, "9", "sequence 2", "position 7")
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func nonFiniteLettersNameTheirPlace(value: Float) throws {
        let model = try Model()
        var letters = [Float](repeating: 0.25, count: 160)
        letters[87] = value
        var scores = [Float](repeating: 0, count: 4)
        let status = letters.withUnsafeBufferPointer { buffer in
            var sequences = dm_sequences(codes: nil, letters: buffer.baseAddress, count: 2, length: 20)
            return dm_model_scores(model.handle, &sequences, 1, &scores)
        }
        expectFailure(status, DM_ERROR_INVALID_ARGUMENT, "sequence 1", "position 1")
    }

    @Test(arguments: [(-1, 20), (Int64.max, 20), (1, -1), (1 << 39, 1 << 39)] as [(Int64, Int64)])
    func sizesOutOfRange(count: Int64, length: Int64) throws {
        let model = try Model()
        var scores = [Float](repeating: 0, count: 2)
        let status = withSequences(someCodes(20), count: count, length: length) {
            dm_model_scores(model.handle, $0, 1, &scores)
        }
        #expect(status == DM_ERROR_INVALID_ARGUMENT)
    }

    @Test(arguments: [0, -1, Int32.min])
    func threadsOutOfRange(threads: Int32) throws {
        let model = try Model()
        var scores = [Float](repeating: 0, count: 2)
        let status = withSequences(someCodes(20), count: 1, length: 20) {
            dm_model_scores(model.handle, $0, threads, &scores)
        }
        expectFailure(status, DM_ERROR_INVALID_ARGUMENT, "threads")
    }

    @Test func noSequencesIsNoError() throws {
        let model = try Model()
        var scores = [Float](repeating: 7, count: 2)
        let status = withSequences([0], count: 0, length: 20) { dm_model_scores(model.handle, $0, 2, &scores) }
        #expect(status == DM_OK)
        #expect(scores == [7, 7])
    }

    @Test func parametersRoundTrip() throws {
        let model = try Model()
        var arrays: Int64 = 0
        var scalars: Int64 = 0
        #expect(dm_model_parameter_count(model.handle, &arrays, &scalars) == DM_OK)
        #expect(arrays == 4)
        #expect(scalars == 6 * 4 * 5 + 6 + 2 * 6 + 2)
        let written = (0..<Int(scalars)).map { Float($0) / 64 }
        #expect(dm_model_set_parameters(model.handle, written, scalars) == DM_OK)
        var read = [Float](repeating: 0, count: Int(scalars))
        #expect(dm_model_get_parameters(model.handle, &read, scalars) == DM_OK)
        #expect(read == written)
        expectFailure(dm_model_get_parameters(model.handle, &read, scalars - 1), DM_ERROR_SHAPE, "\(scalars)")
    }

    @Test func nonFiniteParametersAreRefusedWhole() throws {
        let model = try Model()
        var before = [Float](repeating: 0, count: 140)
        #expect(dm_model_get_parameters(model.handle, &before, 140) == DM_OK)
        var poisoned = [Float](repeating: 1, count: 140)
        poisoned[139] = .nan
        expectFailure(
            dm_model_set_parameters(model.handle, poisoned, 140), DM_ERROR_INVALID_ARGUMENT, "finite", "139")
        var after = [Float](repeating: 0, count: 140)
        #expect(dm_model_get_parameters(model.handle, &after, 140) == DM_OK)
        #expect(before == after)
    }

    @Test func namesAndShapesOfParameters() throws {
        let model = try Model()
        var name = [CChar](repeating: 0, count: 32)
        var shape = [Int64](repeating: 0, count: 3)
        var rank: Int64 = 0
        #expect(dm_model_parameter_info(model.handle, 0, &name, 32, &shape, &rank) == DM_OK)
        #expect(String(cString: name) == "conv1d_0.weight")
        #expect(rank == 3)
        #expect(shape == [6, 4, 5])
        expectFailure(
            dm_model_parameter_info(model.handle, 0, &name, 3, &shape, &rank), DM_ERROR_INVALID_ARGUMENT, "capacity")
        expectFailure(
            dm_model_parameter_info(model.handle, 4, &name, 32, &shape, &rank), DM_ERROR_INVALID_ARGUMENT, "index", "4")
    }

    @Test func messagesBelongToTheThread() throws {
        expectFailure(dm_model_scores(nil, nil, 1, nil), DM_ERROR_INVALID_ARGUMENT, "model")
        let kept = lastMessage()
        #expect(dm_isa_set_level(dm_isa_level()) == DM_OK)
        #expect(lastMessage() == kept)
    }
}
