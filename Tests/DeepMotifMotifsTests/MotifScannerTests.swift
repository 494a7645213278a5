// MotifScannerTests: hits against scoring every window, whatever the pieces.

import DeepMotifCore
import DeepMotifMotifs
import Testing

private let background = [0.3, 0.2, 0.2, 0.3]

private func randomValues(width: Int) -> [Double] {
    var random = RandomSource(seed: UInt64(width), purpose: .simulation)
    return (0..<(width * 4)).map { _ in 2 * random.normal() - 1 }
}

/// Codes with an unknown letter now and then.
private func randomCodes(count: Int, length: Int, seed: UInt64) throws -> Buffer<UInt8> {
    var random = RandomSource(seed: seed, purpose: .simulation)
    let codes = try Buffer<UInt8>(count: count * length)
    for i in 0..<codes.count { codes.pointer[i] = random.below(60) == 0 ? 4 : UInt8(random.below(4)) }
    return codes
}

private struct Key: Hashable {
    let motif: Int
    let sequence: Int
    let start: Int
    let reversed: Bool
}

private func scores(_ scanner: MotifScanner) -> [Key: Double] {
    var result: [Key: Double] = [:]
    for (motif, list) in scanner.hits.enumerated() {
        for hit in list {
            let key = Key(
                motif: motif, sequence: Int(hit.sequence), start: Int(hit.start), reversed: hit.reversed)
            result[key] = hit.score
        }
    }
    return result
}

/// Every window whose p-value is small enough.
private func naive(
    _ strands: [[LogOdds]], _ codes: Buffer<UInt8>, count: Int, length: Int, background: [Double], pValue: Double
) throws -> [Key: Double] {
    var result: [Key: Double] = [:]
    for (strand, matrices) in strands.enumerated() {
        for (motif, matrix) in matrices.enumerated() where matrix.width <= length {
            let windows = length - matrix.width + 1
            let scores = try Buffer<Double>(count: count * windows)
            try matrix.scores(
                codes: codes.readOnly, count: count, length: length, threads: 1, scores: scores.pointer)
            let distribution = try ScoreDistribution(matrix, background: background)
            for i in 0..<(count * windows) where scores.pointer[i] > -.infinity {
                guard distribution.pValue(scores.pointer[i]) <= pValue else { continue }
                let key = Key(motif: motif, sequence: i / windows, start: i % windows, reversed: strand == 1)
                result[key] = scores.pointer[i]
            }
        }
    }
    return result
}

@Suite struct MotifScannerTests {
    @Test(arguments: [(1, 3000, 1), (60, 50, 3), (5, 9, 2)], [background, [0.4, 0.3, 0.2, 0.1]])
    func equalsScoringEveryWindow(shape: (count: Int, length: Int, threads: Int), background: [Double]) throws {
        let (count, length, threads) = shape
        let codes = try randomCodes(count: count, length: length, seed: 1)
        let widths = [1, 5, 6, 7, 12, 13, 20, 26]
        let forward = try widths.map { try LogOdds(randomValues(width: $0), width: $0) }
        let reverse = try widths.map { try LogOdds(randomValues(width: $0).reversed(), width: $0) }
        for pValue in [0.02, 1e-3] {
            let scanner = try MotifScanner(
                forward: forward, reverse: reverse, background: background, pValue: pValue, threads: threads)
            let piece = try SequencePiece(codes: codes.readOnly, count: count, length: length, starts: length)
            try scanner.scan(piece, firstSequence: 0, firstPosition: 0, threads: threads)
            try scanner.finish(motifs: 0..<widths.count, threads: threads)
            let expected = try naive(
                [forward, reverse], codes, count: count, length: length, background: background, pValue: pValue)
            #expect(scores(scanner) == expected)
            #expect(!expected.isEmpty || length < 10)
        }
    }

    /// A long sequence in pieces that overlap by the widest motif less one.
    @Test(arguments: [1, 7, 64, 500])
    func piecesDoNotMatter(starts: Int) throws {
        let length = 500
        let codes = try randomCodes(count: 1, length: length, seed: 3)
        let motifs = try [4, 9, 15].map { try LogOdds(randomValues(width: $0), width: $0) }
        let whole = try MotifScanner(
            forward: motifs, reverse: [], background: background, pValue: 0.02, threads: 1)
        let all = try SequencePiece(codes: codes.readOnly, count: 1, length: length, starts: length)
        try whole.scan(all, firstSequence: 4, firstPosition: 0, threads: 1)
        let pieces = try MotifScanner(
            forward: motifs, reverse: [], background: background, pValue: 0.02, threads: 1)
        for first in stride(from: 0, to: length, by: starts) {
            let taken = min(starts, length - first)
            let letters = min(length - first, taken + whole.widest - 1)
            let piece = try SequencePiece(
                codes: codes.readOnly + first, count: 1, length: letters, starts: taken)
            try pieces.scan(piece, firstSequence: 4, firstPosition: Int64(first), threads: 1)
        }
        try whole.finish(motifs: 0..<3, threads: 1)
        try pieces.finish(motifs: 0..<3, threads: 1)
        #expect(whole.hits.map { $0.map(\.qValue) } == pieces.hits.map { $0.map(\.qValue) })
        #expect(scores(whole) == scores(pieces))
        #expect(whole.hits[0].allSatisfy { $0.sequence == 4 && $0.pValue <= 0.02 && $0.qValue >= $0.pValue })
    }

    @Test func refusesWrongArguments() throws {
        let motif = try LogOdds(randomValues(width: 3), width: 3)
        for wrong in [0, -0.1, 1.1, .nan] {
            #expect(throws: DeepMotifError.self) {
                try MotifScanner(forward: [motif], reverse: [], background: background, pValue: wrong, threads: 1)
            }
        }
        #expect(throws: DeepMotifError.self) { try SequencePiece(codes: [5, 0], count: 1, length: 2, starts: 2) }
        #expect(throws: DeepMotifError.self) { try SequencePiece(codes: [0, 0], count: 1, length: 2, starts: 3) }
    }
}
