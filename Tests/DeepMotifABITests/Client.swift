// Client: the engine as a C program sees it, with the least of Swift comfort around the calls.

import CDeepMotif
import Testing

/// The message of the last failure in this thread.
func lastMessage() -> String { String(cString: dm_error_message()) }

/// A failure: its status and words of its message.
func expectFailure(
    _ status: Int32, _ expected: Int32, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(status == expected, sourceLocation: sourceLocation)
    for word in words {
        #expect(lastMessage().contains(word), "\(lastMessage())", sourceLocation: sourceLocation)
    }
}

/// Options of one layer.
func layer(_ kind: Int32, units: Int64 = 0, width: Int64 = 0, stride: Int64 = 1) -> dm_layer_options {
    var options = dm_layer_options()
    dm_layer_options_init(&options, kind)
    options.units = units
    options.width = width
    options.stride = stride
    return options
}

/// conv1d 6 x 5, ReLU, global maximum, dense to 2 classes.
func smallLayers() -> [dm_layer_options] {
    [
        layer(DM_LAYER_CONV1D, units: 6, width: 5), layer(DM_LAYER_RELU), layer(DM_LAYER_GLOBAL_MAX_POOL1D),
        layer(DM_LAYER_DENSE, units: 2),
    ]
}

/// A model that frees itself.
final class Model {
    private(set) var handle: OpaquePointer?

    init(_ layers: [dm_layer_options] = smallLayers(), length: Int64 = 20, seed: UInt64 = 1) throws {
        try #require(dm_model_create(layers, Int64(layers.count), length, seed, &handle) == DM_OK, "\(lastMessage())")
    }

    deinit { dm_model_free(handle) }
}

/// `count` reproducible codes in 0 ... 3.
func someCodes(_ count: Int) -> [UInt8] {
    (0..<count).map { (i: Int) -> UInt8 in
        let mixed: Int = 7 * i + i / 5 + i * i / 3
        return UInt8(mixed % 4)
    }
}

/// Calls the body with codes as a dm_sequences.
func withSequences<Result>(
    _ codes: [UInt8], count: Int64, length: Int64, _ body: (UnsafePointer<dm_sequences>) -> Result
) -> Result {
    codes.withUnsafeBufferPointer { buffer in
        var sequences = dm_sequences(codes: buffer.baseAddress, letters: nil, count: count, length: length)
        return body(&sequences)
    }
}
