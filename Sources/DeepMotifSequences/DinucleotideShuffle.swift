// DinucleotideShuffle: sequences with the same letters and dinucleotides as another. Sequences room.
//
// A sequence is a walk through the multigraph whose vertices are the letters and whose edges are its dinucleotides;
// every shuffle is another Euler walk from the same first to the same last letter. The last exit from each vertex other
// than the last letter must form an arborescence towards the last letter. Drawing that arborescence uniformly and the
// other exits in uniform order draws an Euler walk uniformly (Altschul and Erickson 1985); each distinct sequence is
// the same number of walks, the product of the factorials of its dinucleotide counts.

import DeepMotifCore

/// Number of vertices: the four letters and the unknown one.
private let vertexCount = 5

/// Shuffles rows of codes (N, L), each uniformly over all distinct sequences with its letters and dinucleotides.
/// Row i draws from the stream (seed, firstRow + i).
package func dinucleotideShuffle(
    codes: UnsafePointer<UInt8>, count: Int, length: Int, seed: UInt64, firstRow: Int, threads: Int,
    shuffled: UnsafeMutablePointer<UInt8>
) throws(DeepMotifError) {
    let rowsPerChunk = max(1, 4096 / max(length, 1))
    let chunks = (count + rowsPerChunk - 1) / rowsPerChunk
    let edges = try Buffer<UInt8>(count: min(threads, max(chunks, 1)) * length)
    let source = Borrowed(codes)
    let target = Borrowed(shuffled)
    parallelFor(chunks: chunks, threads: threads) { chunk, worker in
        let scratch = edges.pointer + worker * length
        for row in (chunk * rowsPerChunk)..<min((chunk + 1) * rowsPerChunk, count) {
            var random = RandomSource(seed: seed, purpose: .dinucleotideShuffle, stream: UInt64(firstRow + row))
            shuffleRow(
                source.pointer + row * length, length: length, edges: scratch, random: &random,
                shuffled: target.pointer + row * length)
        }
    }
}

/// A caller's pointer, handed to threads that touch disjoint rows.
struct Borrowed<Pointer>: @unchecked Sendable {
    let pointer: Pointer

    init(_ pointer: Pointer) {
        self.pointer = pointer
    }
}

/// The exits of every vertex: a counting sort of the successors of each letter.
private struct Exits {
    /// Successors of vertex v are edges[start[v] ..< start[v] + count[v]].
    let edges: UnsafeMutablePointer<UInt8>
    var start = InlineTable()
    var count = InlineTable()

    init(of codes: UnsafePointer<UInt8>, length: Int, into edges: UnsafeMutablePointer<UInt8>) {
        self.edges = edges
        for i in 0..<(length - 1) { count[Int(codes[i])] += 1 }
        for v in 1..<vertexCount { start[v] = start[v - 1] + count[v - 1] }
        var next = start
        for i in 0..<(length - 1) {
            let v = Int(codes[i])
            edges[next[v]] = codes[i + 1]
            next[v] += 1
        }
    }
}

/// Five integers on the stack, one per vertex.
private struct InlineTable {
    private var values = (0, 0, 0, 0, 0)

    subscript(vertex: Int) -> Int {
        get { withUnsafeBytes(of: values) { $0.load(fromByteOffset: vertex * MemoryLayout<Int>.stride, as: Int.self) } }
        set {
            withUnsafeMutableBytes(of: &values) {
                $0.storeBytes(of: newValue, toByteOffset: vertex * MemoryLayout<Int>.stride, as: Int.self)
            }
        }
    }
}

private func shuffleRow(
    _ codes: UnsafePointer<UInt8>, length: Int, edges: UnsafeMutablePointer<UInt8>, random: inout RandomSource,
    shuffled: UnsafeMutablePointer<UInt8>
) {
    guard length > 3 else {
        // Up to three letters there is a single walk.
        shuffled.update(from: codes, count: length)
        return
    }
    let root = Int(codes[length - 1])
    let exits = Exits(of: codes, length: length, into: edges)
    let last = lastExits(exits, root: root, random: &random)
    for v in 0..<vertexCount where exits.count[v] > 0 {
        let successors = edges + exits.start[v]
        var free = exits.count[v]
        if v != root {
            free -= 1
            let kept = successors[last[v]]
            successors[last[v]] = successors[free]
            successors[free] = kept
        }
        random.shuffle(successors, count: free)
    }
    var next = exits.start
    var vertex = Int(codes[0])
    shuffled[0] = codes[0]
    for i in 1..<length {
        shuffled[i] = edges[next[vertex]]
        next[vertex] += 1
        vertex = Int(shuffled[i])
    }
}

/// For every vertex but the root the index of its exit in a uniform random arborescence towards the root: Wilson's
/// loop-erased walks (Propp and Wilson 1998). They end because the sequence itself leads from every vertex to the root.
private func lastExits(_ exits: Exits, root: Int, random: inout RandomSource) -> InlineTable {
    var chosen = InlineTable()
    var inTree = 1 << root
    for v in 0..<vertexCount where exits.count[v] > 0 {
        var u = v
        while inTree & (1 << u) == 0 {
            chosen[u] = random.below(exits.count[u])
            u = Int(exits.edges[exits.start[u] + chosen[u]])
        }
        u = v
        while inTree & (1 << u) == 0 {
            inTree |= 1 << u
            u = Int(exits.edges[exits.start[u] + chosen[u]])
        }
    }
    return chosen
}
