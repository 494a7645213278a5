// Measurement: timing of one kernel on one or more threads. Benchmark.

import DeepMotifCore
import Dispatch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// One thing to time: `make` gives each thread a call of its own on data of its own.
struct BenchCase {
    var name: String
    /// Floating-point operations (or elements, where `unit` says so) of one call.
    var work: Double
    var unit = "GFLOP/s"
    /// Bytes that one call touches.
    var bytes: Int
    var make: () throws -> () -> Void
}

struct Timing {
    var best: Double
    var median: Double
}

/// Seconds of processor time of this thread: a busy machine takes away the time on the wall, not this.
private func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Seconds of one call, best and median of the samples; a sample is long enough for the clock. One thread is measured
/// in processor time, several by the wall, until the last of them is done.
func measure(_ bench: BenchCase, threads: Int, seconds: Double) throws -> Timing {
    let calls = try (0..<threads).map { _ in try bench.make() }
    nonisolated(unsafe) let bodies = calls
    let clock = ContinuousClock()
    func sample(_ rounds: Int) -> Double {
        if threads == 1 {
            let start = processorSeconds()
            for _ in 0..<rounds { bodies[0]() }
            return processorSeconds() - start
        }
        let duration = clock.measure {
            DispatchQueue.concurrentPerform(iterations: threads) { thread in
                for _ in 0..<rounds { bodies[thread]() }
            }
        }
        return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
    var rounds = 1
    while sample(rounds) < 0.0005, rounds < 1 << 24 { rounds *= 2 }
    var samples: [Double] = []
    var total = 0.0
    while total < seconds || samples.count < 5 {
        let time = sample(rounds)
        samples.append(time / Double(rounds))
        total += time
    }
    samples.sort()
    return Timing(best: samples[0], median: samples[samples.count / 2])
}

/// `value` with `digits` decimals, right-aligned in `width` columns.
func format(_ value: Double, digits: Int = 1, width: Int = 0) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((abs(value) * scale).rounded())
    var text = (value < 0 ? "-" : "") + "\(scaled / Int(scale))"
    if digits > 0 {
        let fraction = "\(scaled % Int(scale))"
        text += "." + String(repeating: "0", count: digits - fraction.count) + fraction
    }
    return pad(text, width: width, right: true)
}

func pad(_ text: String, width: Int, right: Bool = false) -> String {
    let space = String(repeating: " ", count: max(0, width - text.count))
    return right ? space + text : text + space
}
