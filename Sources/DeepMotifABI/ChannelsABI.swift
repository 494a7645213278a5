// ChannelsABI: the channels of a layer: where they are strongest, and scores without them. ABI room.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CDeepMotif
import DeepMotifCore
import DeepMotifInterpretation
import DeepMotifNetworks

/// A layer's index, which must be one of the model's.
private func checkedLayer(_ layer: Int64, of network: Network) throws(DeepMotifError) -> Int {
    guard layer >= 0, layer < network.layerNames.count else {
        throw .invalidArgument("layer must be in 0 ..< \(network.layerNames.count); got \(layer)")
    }
    return Int(layer)
}

@_cdecl("dm_view_channel_peaks") @implementation
public func dm_view_channel_peaks(
    _ model: OpaquePointer?, _ sequences: UnsafePointer<dm_sequences>?, _ layer: Int64, _ threads: Int32,
    _ positions: UnsafeMutablePointer<Int32>?, _ values: UnsafeMutablePointer<Float>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let network = try network(model)
        try network.channelPeaks(
            try sequenceBatch(sequences), layer: try checkedLayer(layer, of: network),
            threads: try threadCount(threads), positions: try require(positions, "positions"),
            values: try require(values, "values"))
    }
}

@_cdecl("dm_view_ablated_scores") @implementation
public func dm_view_ablated_scores(
    _ model: OpaquePointer?, _ sequences: UnsafePointer<dm_sequences>?, _ layer: Int64, _ threads: Int32,
    _ scores: UnsafeMutablePointer<Float>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let network = try network(model)
        try network.ablatedScores(
            try sequenceBatch(sequences), layer: try checkedLayer(layer, of: network),
            threads: try threadCount(threads), scores: try require(scores, "scores"))
    }
}
