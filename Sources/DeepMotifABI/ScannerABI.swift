// ScannerABI: hits of many motifs. ABI room.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CDeepMotif
import DeepMotifCore
import DeepMotifMotifs

/// The scanner behind a dm_scanner.
private func scannerBehind(_ scanner: OpaquePointer?) throws(DeepMotifError) -> MotifScanner {
    let scanner = try require(scanner, "scanner")
    return Unmanaged<MotifScanner>.fromOpaque(UnsafeRawPointer(scanner)).takeUnretainedValue()
}

private func matrices(
    _ values: UnsafePointer<Double>, widths: UnsafePointer<Int64>, count: Int
) throws(DeepMotifError) -> [LogOdds] {
    var result: [LogOdds] = []
    var first = 0
    for i in 0..<count {
        let width = try size(widths[i], "widths[\(i)]")
        result.append(try LogOdds(values + first, width: width))
        first += width * 4
    }
    return result
}

@_cdecl("dm_scanner_create") @implementation
public func dm_scanner_create(
    _ log_odds: UnsafePointer<Double>?, _ reverse_log_odds: UnsafePointer<Double>?, _ widths: UnsafePointer<Int64>?,
    _ count: Int64, _ background: UnsafePointer<Double>?, _ p_value: Double, _ threads: Int32,
    _ scanner: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let result = try require(scanner, "scanner")
        let widths = try require(widths, "widths")
        let count = try size(count, "count")
        let forward = try matrices(try require(log_odds, "log_odds"), widths: widths, count: count)
        var reverse: [LogOdds] = []
        if let reverse_log_odds { reverse = try matrices(reverse_log_odds, widths: widths, count: count) }
        let created = try MotifScanner(
            forward: forward, reverse: reverse, background: try require(background, "background"), pValue: p_value,
            threads: try threadCount(threads))
        result.pointee = OpaquePointer(Unmanaged.passRetained(created).toOpaque())
    }
}

@_cdecl("dm_scanner_free") @implementation
public func dm_scanner_free(_ scanner: OpaquePointer?) {
    if let scanner { Unmanaged<MotifScanner>.fromOpaque(UnsafeRawPointer(scanner)).release() }
}

@_cdecl("dm_scanner_scan") @implementation
public func dm_scanner_scan(
    _ scanner: OpaquePointer?, _ codes: UnsafePointer<UInt8>?, _ count: Int64, _ length: Int64, _ starts: Int64,
    _ first_sequence: Int64, _ first_position: Int64, _ threads: Int32
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let scanner = try scannerBehind(scanner)
        let rows = try size(count, "count")
        let columns = try size(length, "length")
        _ = try product(rows, columns, name: "codes")
        let piece = try SequencePiece(
            codes: try require(codes, "codes"), count: rows, length: columns, starts: try size(starts, "starts"))
        try scanner.scan(
            piece, firstSequence: Int64(try size(first_sequence, "first_sequence")),
            firstPosition: Int64(try size(first_position, "first_position")), threads: try threadCount(threads))
    }
}

@_cdecl("dm_scanner_finish") @implementation
public func dm_scanner_finish(_ scanner: OpaquePointer?, _ first: Int64, _ count: Int64, _ threads: Int32) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let scanner = try scannerBehind(scanner)
        let first = try size(first, "first")
        let end = first + (try size(count, "count"))
        guard end <= scanner.hits.count else {
            throw .invalidArgument("first + count must be at most \(scanner.hits.count); got \(end)")
        }
        try scanner.finish(motifs: first..<end, threads: try threadCount(threads))
    }
}

@_cdecl("dm_scanner_hit_count") @implementation
public func dm_scanner_hit_count(_ scanner: OpaquePointer?, _ hit_count: UnsafeMutablePointer<Int64>?) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let total = try scannerBehind(scanner).hits.reduce(0) { $0 + $1.count }
        try require(hit_count, "hit_count").pointee = Int64(total)
    }
}

@_cdecl("dm_scanner_hits") @implementation
public func dm_scanner_hits(
    _ scanner: OpaquePointer?, _ hit_count: Int64, _ motifs: UnsafeMutablePointer<Int64>?,
    _ sequences: UnsafeMutablePointer<Int64>?, _ starts: UnsafeMutablePointer<Int64>?,
    _ reversed: UnsafeMutablePointer<UInt8>?, _ scores: UnsafeMutablePointer<Double>?,
    _ p_values: UnsafeMutablePointer<Double>?, _ q_values: UnsafeMutablePointer<Double>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let hits = try scannerBehind(scanner).hits
        try exactCount(hit_count, hits.reduce(0) { $0 + $1.count })
        let motifs = try require(motifs, "motifs")
        let sequences = try require(sequences, "sequences")
        let starts = try require(starts, "starts")
        let reversed = try require(reversed, "reversed")
        let scores = try require(scores, "scores")
        let pValues = try require(p_values, "p_values")
        let qValues = try require(q_values, "q_values")
        var index = 0
        for (motif, list) in hits.enumerated() {
            for hit in list {
                motifs[index] = Int64(motif)
                sequences[index] = hit.sequence
                starts[index] = hit.start
                reversed[index] = hit.reversed ? 1 : 0
                scores[index] = hit.score
                pValues[index] = hit.pValue
                qValues[index] = hit.qValue
                index += 1
            }
        }
    }
}
