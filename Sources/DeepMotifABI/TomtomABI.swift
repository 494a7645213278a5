// TomtomABI: motif comparison. ABI room.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CDeepMotif
import DeepMotifCore
import DeepMotifMotifs

@_cdecl("dm_tomtom_options_init") @implementation
public func dm_tomtom_options_init(_ options: UnsafeMutablePointer<dm_tomtom_options>?) {
    let defaults = TomtomOptions()
    let b = defaults.background
    options?.pointee = dm_tomtom_options(
        distance: defaults.distance.rawValue, complete_scores: defaults.completeScores ? 1 : 0,
        reverse_complement: defaults.reverseComplement ? 1 : 0, min_overlap: Int64(defaults.minimumOverlap),
        pseudocount: defaults.pseudocount, background: (b[0], b[1], b[2], b[3]))
}

@_cdecl("dm_tomtom") @implementation
public func dm_tomtom(
    _ options: UnsafePointer<dm_tomtom_options>?, _ queries: UnsafePointer<dm_motifs>?,
    _ targets: UnsafePointer<dm_motifs>?, _ threads: Int32, _ p_values: UnsafeMutablePointer<Double>?,
    _ q_values: UnsafeMutablePointer<Double>?, _ offsets: UnsafeMutablePointer<Int32>?,
    _ overlaps: UnsafeMutablePointer<Int32>?, _ reversed: UnsafeMutablePointer<UInt8>?,
    _ order: UnsafeMutablePointer<Int64>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let results = TomtomResults(
            pValues: try require(p_values, "p_values"), qValues: try require(q_values, "q_values"),
            offsets: try require(offsets, "offsets"), overlaps: try require(overlaps, "overlaps"),
            reversed: try require(reversed, "reversed"), order: try require(order, "order"))
        let queries = try motifColumns(queries, "queries")
        let targets = try motifColumns(targets, "targets")
        try Tomtom.compare(
            queries: queries, targets: targets, options: try tomtomOptions(options),
            threads: try threadCount(threads), results: results)
    }
}

private func tomtomOptions(_ pointer: UnsafePointer<dm_tomtom_options>?) throws(DeepMotifError) -> TomtomOptions {
    let given = try require(pointer, "options").pointee
    guard let distance = TomtomDistance(rawValue: given.distance) else {
        throw .invalidArgument("distance must be one of DM_TOMTOM_...; got \(given.distance)")
    }
    var options = TomtomOptions()
    options.distance = distance
    options.completeScores = given.complete_scores != 0
    options.reverseComplement = given.reverse_complement != 0
    options.minimumOverlap = try size(given.min_overlap, "min_overlap", atLeast: 1)
    options.pseudocount = given.pseudocount
    let b = given.background
    options.background = [b.0, b.1, b.2, b.3]
    return options
}

private func motifColumns(
    _ pointer: UnsafePointer<dm_motifs>?, _ name: String
) throws(DeepMotifError) -> MotifColumns {
    let motifs = try require(pointer, name).pointee
    return try MotifColumns(
        probabilities: try require(motifs.probabilities, "\(name).probabilities"),
        widths: try require(motifs.widths, "\(name).widths"), sites: try require(motifs.sites, "\(name).sites"),
        count: try size(motifs.count, "\(name).count"), name: name)
}
