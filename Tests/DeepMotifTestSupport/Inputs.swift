// Inputs: memory of a kernel's arguments, alive until the test ends and checked for having been left alone. Test support.

/// Hands out guarded copies of arrays. Ask `areUnchanged` behind the kernels' calls: it also keeps the memory alive.
package final class Inputs {
    private var checks: [() -> Bool] = []

    package init() {}

    package func callAsFunction<Element: BitwiseCopyable>(_ values: [Element]) -> UnsafePointer<Element> {
        let buffer = GuardedBuffer(values)
        checks.append {
            values.withUnsafeBytes { expected in
                let actual = UnsafeRawBufferPointer(start: buffer.pointer, count: expected.count)
                return buffer.isIntact && actual.elementsEqual(expected)
            }
        }
        return buffer.readOnly
    }

    package var areUnchanged: Bool { checks.allSatisfy { $0() } }
}
