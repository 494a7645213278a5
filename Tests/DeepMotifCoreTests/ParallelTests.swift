// ParallelTests: every chunk once, workers apart, from any number of callers at once.

import Synchronization
import Testing

@testable import DeepMotifCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Runs a loop and returns how often each chunk was called, or nil where two calls shared a worker.
private func calls(chunks: Int, threads: Int) throws -> [Int]? {
    let counts = try Buffer<Int>(count: chunks)
    let isBusy = try Buffer<Bool>(count: max(1, min(threads, chunks)))
    let isShared = Atomic(false)
    nonisolated(unsafe) let (counts_, isBusy_) = (counts.pointer, isBusy.pointer)
    parallelFor(chunks: chunks, threads: threads) { chunk, worker in
        if isBusy_[worker] { isShared.store(true, ordering: .relaxed) }
        isBusy_[worker] = true
        counts_[chunk] += 1
        isBusy_[worker] = false
    }
    return isShared.load(ordering: .relaxed) ? nil : (0..<chunks).map { counts.pointer[$0] }
}

@Suite struct ParallelTests {
    @Test(arguments: [0, 1, 2, 7, 1000], [1, 2, 3, 64])
    func callsEveryChunkOnce(chunks: Int, threads: Int) throws {
        #expect(try calls(chunks: chunks, threads: threads) == [Int](repeating: 1, count: chunks))
    }

    /// Pauses between the loops are shorter and longer than the threads stay awake.
    @Test func wakesSleepingThreads() throws {
        for microseconds in [0, 20, 99, 100, 101, 300, 3000] as [UInt32] {
            for _ in 0..<20 {
                #expect(try calls(chunks: 5, threads: 3) == [1, 1, 1, 1, 1])
                usleep(microseconds)
            }
        }
    }

    @Test func callersDoNotMeet() async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<500 where try calls(chunks: 9, threads: 3) != [Int](repeating: 1, count: 9) {
                        return false
                    }
                    return true
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }

    /// A chunk may start a loop of its own.
    @Test func loopsNest() throws {
        let total = Atomic(0)
        parallelFor(chunks: 4, threads: 2) { _, _ in
            parallelFor(chunks: 8, threads: 2) { chunk, _ in total.wrappingAdd(chunk, ordering: .relaxed) }
        }
        #expect(total.load(ordering: .relaxed) == 4 * 28)
    }
}
