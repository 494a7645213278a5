// MotifsABITests: comparison and scanning as a C client calls them, wrong arguments above all.

import CDeepMotif
import DeepMotifABI
import Testing

private let columns = [0.7, 0.1, 0.1, 0.1, 0.1, 0.2, 0.3, 0.4, 0.25, 0.25, 0.25, 0.25]
private let uniform = [0.25, 0.25, 0.25, 0.25]

@Suite struct TomtomABITests {
    /// One query of 2 columns against targets of 2 and 1.
    private func compare(
        widths: [Int64] = [2, 1], count: Int64 = 2, threads: Int32 = 1,
        change: (inout dm_tomtom_options) -> Void = { _ in }
    ) -> (status: Int32, pValues: [Double], order: [Int64]) {
        var options = dm_tomtom_options()
        dm_tomtom_options_init(&options)
        change(&options)
        var p = [0.0, 0.0]
        var q = p
        var offsets = [Int32](repeating: 0, count: 2)
        var overlaps = offsets
        var reversed = [UInt8](repeating: 0, count: 2)
        var order = [Int64](repeating: 0, count: 2)
        let sites = [20.0, 20.0]
        let status = columns.withUnsafeBufferPointer { columns in
            widths.withUnsafeBufferPointer { widths in
                sites.withUnsafeBufferPointer { sites in
                    var queries = dm_motifs(
                        probabilities: columns.baseAddress, widths: widths.baseAddress, sites: sites.baseAddress,
                        count: 1)
                    var targets = queries
                    targets.count = count
                    return dm_tomtom(
                        &options, &queries, &targets, threads, &p, &q, &offsets, &overlaps, &reversed, &order)
                }
            }
        }
        return (status, p, order)
    }

    @Test func compares() {
        let result = compare()
        #expect(result.status == DM_OK)
        #expect(result.order == [0, 1])
        #expect(result.pValues.allSatisfy { $0 > 0 && $0 <= 1 })
    }

    @Test func wrongArguments() {
        #expect(compare(widths: [0, 1]).status == DM_ERROR_INVALID_ARGUMENT)
        #expect(compare(widths: [-3, 1]).status == DM_ERROR_INVALID_ARGUMENT)
        #expect(compare(widths: [.max, 1]).status == DM_ERROR_INVALID_ARGUMENT)
        #expect(compare(count: 0).status == DM_ERROR_INVALID_ARGUMENT)
        #expect(compare(count: -1).status == DM_ERROR_INVALID_ARGUMENT)
        #expect(compare(threads: 0).status == DM_ERROR_INVALID_ARGUMENT)
        #expect(compare { $0.distance = 7 }.status == DM_ERROR_INVALID_ARGUMENT)
        #expect(compare { $0.min_overlap = 0 }.status == DM_ERROR_INVALID_ARGUMENT)
        #expect(compare { $0.pseudocount = .nan }.status == DM_ERROR_INVALID_ARGUMENT)
        #expect(compare { $0.background.2 = -1 }.status == DM_ERROR_INVALID_ARGUMENT)
        #expect(dm_tomtom(nil, nil, nil, 1, nil, nil, nil, nil, nil, nil) == DM_ERROR_INVALID_ARGUMENT)
        dm_tomtom_options_init(nil)
    }
}

@Suite struct ScannerABITests {
    private let odds = [1.0, -1.0, -1.0, -1.0, -1.0, 1.0, -1.0, -1.0]

    private func scanner(
        widths: [Int64] = [2], count: Int64 = 1, pValue: Double = 0.1, background: [Double] = uniform
    ) -> (status: Int32, handle: OpaquePointer?) {
        var handle: OpaquePointer?
        let status = dm_scanner_create(odds, nil, widths, count, background, pValue, 1, &handle)
        return (status, handle)
    }

    @Test func findsTheBestWord() {
        let made = scanner()
        #expect(made.status == DM_OK)
        defer { dm_scanner_free(made.handle) }
        let codes: [UInt8] = [0, 1, 2, 3, 0, 1, 4, 0]
        #expect(dm_scanner_scan(made.handle, codes, 2, 4, 4, 10, 0, 2) == DM_OK)
        #expect(dm_scanner_finish(made.handle, 0, 1, 1) == DM_OK)
        var count: Int64 = 0
        #expect(dm_scanner_hit_count(made.handle, &count) == DM_OK)
        #expect(count == 2)
        var motifs: [Int64] = [9, 9]
        var sequences = motifs
        var starts = motifs
        var reversed: [UInt8] = [9, 9]
        var scores = [0.0, 0.0]
        var p = scores
        var q = scores
        #expect(
            dm_scanner_hits(made.handle, 2, &motifs, &sequences, &starts, &reversed, &scores, &p, &q) == DM_OK)
        #expect(motifs == [0, 0])
        #expect(sequences == [10, 11])
        #expect(starts == [0, 0])
        #expect(reversed == [0, 0])
        #expect(scores == [2, 2])
        #expect(p == [0.0625, 0.0625])
        // Four windows are known: three in the first sequence, one in the second.
        #expect(q == [0.125, 0.125])
        #expect(
            dm_scanner_hits(made.handle, 1, &motifs, &sequences, &starts, &reversed, &scores, &p, &q)
                == DM_ERROR_SHAPE)
    }

    @Test func wrongArguments() {
        for widths in [[0], [-1], [.max]] as [[Int64]] {
            #expect(scanner(widths: widths).status == DM_ERROR_INVALID_ARGUMENT)
        }
        #expect(scanner(count: -1).status == DM_ERROR_INVALID_ARGUMENT)
        #expect(scanner(pValue: 0).status == DM_ERROR_INVALID_ARGUMENT)
        #expect(scanner(pValue: .nan).status == DM_ERROR_INVALID_ARGUMENT)
        #expect(scanner(background: [1, 0, 0, 0]).status == DM_ERROR_INVALID_ARGUMENT)
        #expect(dm_scanner_create(nil, nil, nil, 1, nil, 0.1, 1, nil) == DM_ERROR_INVALID_ARGUMENT)
        let made = scanner()
        defer { dm_scanner_free(made.handle) }
        let codes: [UInt8] = [0, 1, 5, 3]
        #expect(dm_scanner_scan(made.handle, codes, 1, 4, 4, 0, 0, 1) == DM_ERROR_INVALID_ARGUMENT)
        #expect(dm_scanner_scan(made.handle, codes, 1, 2, 3, 0, 0, 1) == DM_ERROR_INVALID_ARGUMENT)
        #expect(dm_scanner_scan(made.handle, codes, .max, 4, 4, 0, 0, 1) == DM_ERROR_INVALID_ARGUMENT)
        #expect(dm_scanner_scan(made.handle, nil, 1, 4, 4, 0, 0, 1) == DM_ERROR_INVALID_ARGUMENT)
        #expect(dm_scanner_scan(nil, codes, 1, 2, 2, 0, 0, 1) == DM_ERROR_INVALID_ARGUMENT)
        #expect(dm_scanner_finish(made.handle, 0, 2, 1) == DM_ERROR_INVALID_ARGUMENT)
        #expect(dm_scanner_finish(made.handle, -1, 1, 1) == DM_ERROR_INVALID_ARGUMENT)
        #expect(dm_scanner_hit_count(made.handle, nil) == DM_ERROR_INVALID_ARGUMENT)
        dm_scanner_free(nil)
    }
}
