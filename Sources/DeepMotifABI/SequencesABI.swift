// SequencesABI: permutations, shuffles and background sequences. ABI room.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CDeepMotif
import DeepMotifCore
import DeepMotifSequences

@_cdecl("dm_random_permutation") @implementation
public func dm_random_permutation(
    _ seed: UInt64, _ stream: UInt64, _ count: Int64, _ permutation: UnsafeMutablePointer<Int64>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let count = try size(count, "count")
        let permutation = try require(permutation, "permutation")
        var random = RandomSource(seed: seed, purpose: .shuffling, stream: stream)
        for i in 0..<count { permutation[i] = Int64(i) }
        random.shuffle(permutation, count: count)
    }
}

@_cdecl("dm_sequence_dinucleotide_shuffle") @implementation
public func dm_sequence_dinucleotide_shuffle(
    _ codes: UnsafePointer<UInt8>?, _ count: Int64, _ length: Int64, _ seed: UInt64, _ first_row: Int64,
    _ threads: Int32, _ shuffled: UnsafeMutablePointer<UInt8>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let codes = try require(codes, "codes")
        let batch = SequenceBatch(
            form: .codes(codes), count: try size(count, "count"), length: try size(length, "length"))
        _ = try product(batch.count, batch.length, name: "codes")
        try batch.validate()
        try dinucleotideShuffle(
            codes: codes, count: batch.count, length: batch.length, seed: seed,
            firstRow: try size(first_row, "first_row"), threads: try threadCount(threads),
            shuffled: try require(shuffled, "shuffled"))
    }
}

@_cdecl("dm_sequence_markov") @implementation
public func dm_sequence_markov(
    _ initial: UnsafePointer<Double>?, _ transitions: UnsafePointer<Double>?, _ count: Int64, _ length: Int64,
    _ seed: UInt64, _ threads: Int32, _ codes: UnsafeMutablePointer<UInt8>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let chain = try MarkovChain(
            initial: try require(initial, "initial"), transitions: try require(transitions, "transitions"))
        let count = try size(count, "count")
        let length = try size(length, "length")
        _ = try product(count, length, name: "codes")
        chain.sample(
            count: count, length: length, seed: seed, threads: try threadCount(threads),
            codes: try require(codes, "codes"))
    }
}
