// Arguments: what several exported functions read in the same way. ABI room.

import CDeepMotif
import DeepMotifCore
import DeepMotifSequences

/// The borrowed sequences behind a dm_sequences: one of the two pointers, sizes whose products do not overflow. What the
/// letters are is checked by the rooms, each where it reads them.
func sequenceBatch(_ pointer: UnsafePointer<dm_sequences>?) throws(DeepMotifError) -> SequenceBatch {
    let sequences = try require(pointer, "sequences").pointee
    let count = try size(sequences.count, "count")
    let length = try size(sequences.length, "length")
    _ = try product(count, length, letterCount, name: "sequences")
    let form: SequenceBatch.Form
    switch (sequences.codes, sequences.letters) {
    case (let codes?, nil): form = .codes(codes)
    case (nil, let letters?): form = .letters(letters)
    default: throw .invalidArgument("sequences must have either codes or letters")
    }
    return SequenceBatch(form: form, count: count, length: length)
}

/// Copies text as a zero-terminated C string.
func copyText(
    _ text: String, to buffer: UnsafeMutablePointer<CChar>?, capacity: Int64
) throws(DeepMotifError) {
    let buffer = try require(buffer, "name")
    let bytes = Array(text.utf8)
    guard Int64(bytes.count) < capacity else {
        throw .invalidArgument("capacity must be above \(bytes.count); got \(capacity)")
    }
    for (i, byte) in bytes.enumerated() { buffer[i] = CChar(bitPattern: byte) }
    buffer[bytes.count] = 0
}

/// The number of elements the caller announces, which must be the one that the engine needs.
func exactCount(_ count: Int64, _ needed: Int) throws(DeepMotifError) {
    guard count == Int64(needed) else { throw .shape("count must be \(needed); got \(count)") }
}
