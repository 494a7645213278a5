// Parallel: the only place where the engine uses more than one thread. Core room.
//
// Work is cut into chunks whose number depends on the problem alone; threads take the next free chunk. A chunk writes
// to memory of its own, so results are the same for any number of threads.

import CDeepMotif

private typealias ChunkBody = @Sendable (_ chunk: Int, _ worker: Int) -> Void

/// Calls `body(chunk, worker)` once for every chunk in 0 ..< chunks; `worker` is in 0 ..< min(threads, chunks) and no
/// two concurrent calls share it, so it may select scratch memory.
package func parallelFor(chunks: Int, threads: Int, _ body: @Sendable (_ chunk: Int, _ worker: Int) -> Void) {
    let workers = min(threads, chunks)
    guard workers > 1 else {
        for chunk in 0..<max(chunks, 0) { body(chunk, 0) }
        return
    }
    withoutActuallyEscaping(body) { (body: @escaping ChunkBody) in
        withUnsafePointer(to: body) { context in
            dmi_run_chunks(Int64(chunks), Int64(workers), runChunk, context)
        }
    }
}

/// The body behind `context`, called from C. Not inlined anywhere: it has let go of the body when it returns.
private let runChunk: @convention(c) (UnsafeRawPointer?, Int64, Int64) -> Void = { context, chunk, worker in
    context?.assumingMemoryBound(to: ChunkBody.self).pointee(Int(chunk), Int(worker))
}

/// The half-open range of `count` items that chunk `index` of `chunks` equal chunks covers.
package func chunkRange(_ index: Int, of chunks: Int, count: Int) -> Range<Int> {
    (index * count / chunks)..<((index + 1) * count / chunks)
}
