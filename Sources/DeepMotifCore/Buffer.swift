// Buffer: memory whose exhaustion is an error and not a trap. Core room.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A fixed number of trivial elements, aligned to a cache line, zero at first, freed with the object.
package final class Buffer<Element: BitwiseCopyable>: @unchecked Sendable {
    package let pointer: UnsafeMutablePointer<Element>
    package let count: Int

    /// Bytes of memory that this machine has. Systems hand out more and end the process that uses it.
    private static var machineBytes: Int {
        let (pages, size) = (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
        return pages > 0 && size > 0 ? pages.multipliedReportingOverflow(by: size).partialValue : Int.max - 63
    }

    /// Throws where the size overflows or the memory is not to be had.
    package init(count: Int) throws(DeepMotifError) {
        let (bytes, overflow) = max(count, 1).multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        guard count >= 0, !overflow, bytes <= Int.max - 63 else { throw .memory(bytes: Int.max) }
        guard bytes < 1 << 20 || bytes <= Self.machineBytes else { throw .memory(bytes: bytes) }
        var raw: UnsafeMutableRawPointer?
        guard posix_memalign(&raw, 64, bytes) == 0, let raw else { throw .memory(bytes: bytes) }
        memset(raw, 0, bytes)
        pointer = raw.bindMemory(to: Element.self, capacity: count)
        self.count = count
    }

    deinit {
        free(pointer)
    }

    package var readOnly: UnsafePointer<Element> { UnsafePointer(pointer) }

    /// Sets every byte to zero.
    package func clear() {
        memset(pointer, 0, count * MemoryLayout<Element>.stride)
    }

    package func copy(from source: UnsafePointer<Element>, count copied: Int) {
        precondition(copied <= count)
        memcpy(pointer, source, copied * MemoryLayout<Element>.stride)
    }
}
