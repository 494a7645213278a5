// BufferTests: memory, and the errors where there is none.

import CDeepMotif
import DeepMotifCore
import Testing

@Suite struct BufferTests {
    @Test func isZeroAndAligned() throws {
        for count in [0, 1, 17, 100_000] {
            let buffer = try Buffer<Float>(count: count)
            #expect(buffer.count == count)
            #expect((0..<count).allSatisfy { buffer.pointer[$0] == 0 })
            #expect(Int(bitPattern: buffer.pointer) % 64 == 0)
        }
    }

    /// More than any machine has must not be handed out and then end the process at the first touch.
    @Test(arguments: [-1, 1 << 44, 1 << 60, Int.max])
    func impossibleSizesAreErrors(count: Int) {
        let error = #expect(throws: DeepMotifError.self) { try Buffer<Float>(count: count) }
        #expect(error?.status == DM_ERROR_MEMORY)
    }
}
