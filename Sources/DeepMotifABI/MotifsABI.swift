// MotifsABI: motif scores and their p-values. ABI room.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CDeepMotif
import DeepMotifCore
import DeepMotifMotifs
import DeepMotifSequences

@_cdecl("dm_motif_scores") @implementation
public func dm_motif_scores(
    _ log_odds: UnsafePointer<Double>?, _ width: Int64, _ codes: UnsafePointer<UInt8>?, _ count: Int64,
    _ length: Int64, _ threads: Int32, _ scores: UnsafeMutablePointer<Double>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let motif = try LogOdds(try require(log_odds, "log_odds"), width: try size(width, "width"))
        let codes = try require(codes, "codes")
        let batch = SequenceBatch(
            form: .codes(codes), count: try size(count, "count"), length: try size(length, "length"))
        _ = try product(batch.count, batch.length, name: "codes")
        try batch.validate()
        try motif.scores(
            codes: codes, count: batch.count, length: batch.length, threads: try threadCount(threads),
            scores: try require(scores, "scores"))
    }
}

@_cdecl("dm_motif_p_values") @implementation
public func dm_motif_p_values(
    _ log_odds: UnsafePointer<Double>?, _ width: Int64, _ background: UnsafePointer<Double>?,
    _ scores: UnsafePointer<Double>?, _ count: Int64, _ p_values: UnsafeMutablePointer<Double>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let motif = try LogOdds(try require(log_odds, "log_odds"), width: try size(width, "width"))
        let scores = try require(scores, "scores")
        let pValues = try require(p_values, "p_values")
        let count = try size(count, "count")
        for i in 0..<count where scores[i].isNaN {
            throw .invalidArgument("scores must not be NaN; got one at index \(i)")
        }
        let distribution = try ScoreDistribution(motif, background: try require(background, "background"))
        for i in 0..<count { pValues[i] = distribution.pValue(scores[i]) }
    }
}
