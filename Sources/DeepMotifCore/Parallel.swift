// Parallel: the only place where the engine uses more than one thread. Core room.
//
// Work is cut into chunks whose number depends on the problem alone; threads take the next free chunk. A chunk writes
// to memory of its own, so results are the same for any number of threads.

import Dispatch
import Synchronization

/// Calls `body(chunk, worker)` once for every chunk in 0 ..< chunks; `worker` is in 0 ..< min(threads, chunks) and no
/// two concurrent calls share it, so it may select scratch memory.
package func parallelFor(chunks: Int, threads: Int, _ body: @Sendable (_ chunk: Int, _ worker: Int) -> Void) {
    let workers = min(threads, chunks)
    guard workers > 1 else {
        for chunk in 0..<max(chunks, 0) { body(chunk, 0) }
        return
    }
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: workers) { worker in
        while true {
            let chunk = next.wrappingAdd(1, ordering: .relaxed).oldValue
            if chunk >= chunks { return }
            body(chunk, worker)
        }
    }
}

/// The half-open range of `count` items that chunk `index` of `chunks` equal chunks covers.
package func chunkRange(_ index: Int, of chunks: Int, count: Int) -> Range<Int> {
    (index * count / chunks)..<((index + 1) * count / chunks)
}
