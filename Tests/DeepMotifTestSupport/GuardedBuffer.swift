// GuardedBuffer: memory between two canaries, for tests that a kernel writes nowhere else. Test support.

/// `count` elements between two runs of known bytes; `misalignment` elements off the allocation's alignment.
package final class GuardedBuffer<Element: BitwiseCopyable> {
    package let pointer: UnsafeMutablePointer<Element>
    package let count: Int
    private let base: UnsafeMutableRawPointer
    private let byteCount: Int
    private let firstByte: Int
    private static var guardBytes: Int { 256 }
    private static var canary: UInt8 { 0xA5 }

    package init(count: Int, misalignment: Int = 1) {
        let stride = MemoryLayout<Element>.stride
        self.count = count
        firstByte = Self.guardBytes + misalignment * stride
        byteCount = firstByte + count * stride + Self.guardBytes
        base = .allocate(byteCount: byteCount, alignment: 64)
        base.initializeMemory(as: UInt8.self, repeating: Self.canary, count: byteCount)
        pointer = (base + firstByte).bindMemory(to: Element.self, capacity: count)
    }

    package convenience init(_ values: [Element], misalignment: Int = 1) {
        self.init(count: values.count, misalignment: misalignment)
        for (i, value) in values.enumerated() { pointer[i] = value }
    }

    deinit {
        base.deallocate()
    }

    package var readOnly: UnsafePointer<Element> { UnsafePointer(pointer) }
    package var values: [Element] { (0..<count).map { pointer[$0] } }

    /// No byte before or behind the elements has changed.
    package var isIntact: Bool {
        let bytes = UnsafeRawBufferPointer(start: base, count: byteCount)
        let end = firstByte + count * MemoryLayout<Element>.stride
        return bytes[..<firstByte].allSatisfy { $0 == Self.canary } && bytes[end...].allSatisfy { $0 == Self.canary }
    }

    /// True where the element's bytes are still those of the fresh memory.
    package func isUntouched(_ index: Int) -> Bool {
        let start = firstByte + index * MemoryLayout<Element>.stride
        let bytes = UnsafeRawBufferPointer(start: base + start, count: MemoryLayout<Element>.stride)
        return bytes.allSatisfy { $0 == Self.canary }
    }
}
