// Boundary: the guard that every exported function passes through. ABI room: no arithmetic here.

import CDeepMotif
import DeepMotifCore

/// Runs the body of an exported function: a thrown error becomes its status and the thread's message.
func guarded(_ body: () throws(DeepMotifError) -> Void) -> Int32 {
    do {
        try body()
        return DM_OK
    } catch {
        var text = error.message
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { dmi_error_set($0.baseAddress, Int64($0.count)) }
        }
        return error.status
    }
}

/// The pointer, or an error that names the argument.
func require<Pointer>(_ pointer: Pointer?, _ name: String) throws(DeepMotifError) -> Pointer {
    guard let pointer else { throw .invalidArgument("\(name) must not be null") }
    return pointer
}

/// A size between `minimum` and a limit that keeps products of two sizes and of element sizes from overflowing.
func size(_ value: Int64, _ name: String, atLeast minimum: Int64 = 0) throws(DeepMotifError) -> Int {
    guard value >= minimum, value <= 1 << 40 else {
        throw .invalidArgument("\(name) must be in \(minimum) ... 2^40; got \(value)")
    }
    return Int(value)
}

/// The product of sizes, or an error where it or its bytes as floats overflow.
func product(_ sizes: Int..., name: String) throws(DeepMotifError) -> Int {
    var total = 1
    for factor in sizes {
        let (next, overflow) = total.multipliedReportingOverflow(by: factor)
        guard !overflow, next <= Int.max / 16 else {
            throw .invalidArgument("\(name) is too large: \(sizes) elements")
        }
        total = next
    }
    return total
}

/// The number of threads, at least 1.
func threadCount(_ threads: Int32) throws(DeepMotifError) -> Int {
    guard threads >= 1 else { throw .invalidArgument("threads must be at least 1; got \(threads)") }
    return Int(threads)
}
