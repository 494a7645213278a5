// SequencesABITests: permutations, shuffles, background sequences and motif scores as a C client calls them.

import CDeepMotif
import Testing

/// Sizes that no call may accept.
private let wrongSizes: [Int64] = [-1, Int64.min, 1 << 41, Int64.max]

private let even = [Double](repeating: 0.25, count: 16)

@Suite struct SequencesABITests {
    @Test func permutationHoldsEveryIndexOnce() {
        var permutation = [Int64](repeating: -1, count: 1000)
        #expect(dm_random_permutation(3, 0, 1000, &permutation) == DM_OK)
        #expect(permutation.sorted() == Array(0..<1000))
        var other = permutation
        #expect(dm_random_permutation(3, 1, 1000, &other) == DM_OK)
        #expect(other != permutation)
        #expect(dm_random_permutation(3, 0, 0, &other) == DM_OK)
        expectFailure(dm_random_permutation(3, 0, 5, nil), DM_ERROR_INVALID_ARGUMENT, "permutation", "null")
        for count in wrongSizes {
            expectFailure(dm_random_permutation(3, 0, count, &other), DM_ERROR_INVALID_ARGUMENT, "count")
        }
    }

    @Test func shuffleChecksItsArguments() {
        let codes = someCodes(40)
        var shuffled = [UInt8](repeating: 9, count: 40)
        func shuffle(
            _ codes: UnsafePointer<UInt8>?, _ count: Int64 = 2, _ length: Int64 = 20, _ first: Int64 = 0,
            _ threads: Int32 = 1
        ) -> Int32 { dm_sequence_dinucleotide_shuffle(codes, count, length, 1, first, threads, &shuffled) }
        #expect(shuffle(codes) == DM_OK)
        #expect(shuffled.sorted() == codes.sorted())
        #expect(shuffle(codes, 0, 20) == DM_OK)
        #expect(shuffle(codes, 20, 0) == DM_OK)
        expectFailure(shuffle(nil), DM_ERROR_INVALID_ARGUMENT, "codes", "null")
        expectFailure(shuffle(codes, 2, 20, 0, 0), DM_ERROR_INVALID_ARGUMENT, "threads")
        expectFailure(shuffle(codes, 2, 20, -1), DM_ERROR_INVALID_ARGUMENT, "first_row")
        for size in wrongSizes {
            expectFailure(shuffle(codes, size, 20), DM_ERROR_INVALID_ARGUMENT, "count")
            expectFailure(shuffle(codes, 2, size), DM_ERROR_INVALID_ARGUMENT, "length")
        }
        expectFailure(shuffle(codes, 1 << 40, 1 << 40), DM_ERROR_INVALID_ARGUMENT, "too large")
        let wrong = codes.dropLast() + [5]
        expectFailure(shuffle(Array(wrong)), DM_ERROR_INVALID_ARGUMENT, "0-4", "sequence 1, position 19")
        expectFailure(
            dm_sequence_dinucleotide_shuffle(codes, 2, 20, 1, 0, 1, nil), DM_ERROR_INVALID_ARGUMENT, "shuffled")
    }

    @Test func markovChecksItsArguments() {
        var codes = [UInt8](repeating: 9, count: 40)
        let first = Array(even[0..<4])
        #expect(dm_sequence_markov(first, even, 2, 20, 1, 2, &codes) == DM_OK)
        #expect(codes.allSatisfy { $0 < 4 })
        expectFailure(dm_sequence_markov(nil, even, 2, 20, 1, 1, &codes), DM_ERROR_INVALID_ARGUMENT, "initial")
        expectFailure(dm_sequence_markov(first, nil, 2, 20, 1, 1, &codes), DM_ERROR_INVALID_ARGUMENT, "transitions")
        expectFailure(dm_sequence_markov(first, even, 2, 20, 1, 1, nil), DM_ERROR_INVALID_ARGUMENT, "codes")
        expectFailure(dm_sequence_markov(first, even, 2, 20, 1, -1, &codes), DM_ERROR_INVALID_ARGUMENT, "threads")
        for size in wrongSizes {
            expectFailure(dm_sequence_markov(first, even, size, 20, 1, 1, &codes), DM_ERROR_INVALID_ARGUMENT, "count")
            expectFailure(dm_sequence_markov(first, even, 2, size, 1, 1, &codes), DM_ERROR_INVALID_ARGUMENT, "length")
        }
        var wrong = even
        wrong[6] = .nan
        expectFailure(
            dm_sequence_markov(first, wrong, 2, 20, 1, 1, &codes), DM_ERROR_INVALID_ARGUMENT, "row 1 of transitions")
    }
}

@Suite struct MotifsABITests {
    private let matrix: [Double] = [1, -1, -1, -1, 0, 0.5, 0, -2, -3, -3, 2, -3]

    @Test func scoresCheckTheirArguments() {
        let codes = someCodes(20)
        var scores = [Double](repeating: .nan, count: 16)
        func score(
            _ matrix: [Double]?, width: Int64 = 3, codes: [UInt8]? = someCodes(20), count: Int64 = 2,
            length: Int64 = 10, threads: Int32 = 1
        ) -> Int32 { dm_motif_scores(matrix, width, codes, count, length, threads, &scores) }
        #expect(score(matrix) == DM_OK)
        #expect(!scores.contains { !$0.isFinite })
        expectFailure(score(nil), DM_ERROR_INVALID_ARGUMENT, "log_odds", "null")
        expectFailure(score(matrix, codes: nil), DM_ERROR_INVALID_ARGUMENT, "codes", "null")
        expectFailure(score(matrix, threads: 0), DM_ERROR_INVALID_ARGUMENT, "threads")
        expectFailure(score(matrix, length: 2), DM_ERROR_SHAPE, "3", "2")
        expectFailure(score(matrix, codes: codes.map { $0 + 2 }), DM_ERROR_INVALID_ARGUMENT, "0-4")
        expectFailure(dm_motif_scores(matrix, 3, codes, 2, 10, 1, nil), DM_ERROR_INVALID_ARGUMENT, "scores")
        for size in wrongSizes {
            expectFailure(score(matrix, width: size), DM_ERROR_INVALID_ARGUMENT, "width")
            expectFailure(score(matrix, count: size), DM_ERROR_INVALID_ARGUMENT, "count")
            expectFailure(score(matrix, length: size), DM_ERROR_INVALID_ARGUMENT, "length")
        }
        for width in [0, 1001] as [Int64] {
            expectFailure(score(matrix, width: width), DM_ERROR_INVALID_ARGUMENT, "width")
        }
        expectFailure(score([.nan] + matrix[1...]), DM_ERROR_INVALID_ARGUMENT, "position 0, letter 0")
    }

    @Test func pValuesCheckTheirArguments() {
        let background = [0.25, 0.25, 0.25, 0.25]
        let scores: [Double] = [3.5, -.infinity, .infinity, 0]
        var values = [Double](repeating: .nan, count: 4)
        func evaluate(_ background: [Double]?, _ scores: [Double]?, count: Int64 = 4) -> Int32 {
            dm_motif_p_values(matrix, 3, background, scores, count, &values)
        }
        #expect(evaluate(background, scores) == DM_OK)
        // One word of 64 has the best score.
        #expect(values[0] == 1.0 / 64)
        #expect(values[1] == 1)
        #expect(values[2] == 0)
        expectFailure(evaluate(nil, scores), DM_ERROR_INVALID_ARGUMENT, "background", "null")
        expectFailure(evaluate(background, nil), DM_ERROR_INVALID_ARGUMENT, "scores", "null")
        expectFailure(evaluate(background, [0, .nan, 0, 0]), DM_ERROR_INVALID_ARGUMENT, "NaN", "index 1")
        expectFailure(evaluate([1, 0, 0, 0], scores), DM_ERROR_INVALID_ARGUMENT, "background", "positive")
        expectFailure(
            dm_motif_p_values(matrix, 3, background, scores, 4, nil), DM_ERROR_INVALID_ARGUMENT, "p_values", "null")
        for size in wrongSizes {
            expectFailure(evaluate(background, scores, count: size), DM_ERROR_INVALID_ARGUMENT, "count")
        }
    }
}
