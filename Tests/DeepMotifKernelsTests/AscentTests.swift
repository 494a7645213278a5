// AscentTests: the step of gradient ascent against its definition.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifTestSupport
import Testing

@Suite struct AscentTests {
    @Test(arguments: InstructionLevel.available)
    func byDefinition(level: Int32) {
        let inputs = Inputs()
        let kernels = KernelTable.table(level: level)
        for count in [0, 1, 3, 4, 15, 16, 17, 31, 32, 33, 127, 1009, 1024, 1025, 3001] {
            let (start, gradient) = (testFloats(count, seed: 1), testFloats(count, seed: 2))
            let map = GuardedBuffer(start)
            let squares = kernels.ascend(map.pointer, inputs(gradient), 0.9, 0.05, count)
            #expect(map.isIntact)
            let expected = (0..<count).map {
                Double(Float(0.9)) * Double(start[$0]) + Double(Float(0.05)) * Double(gradient[$0])
            }
            // Two roundings of numbers of at most 1; squares are summed in Float over runs of 32 pairs.
            let allowed = [Double](repeating: 2 * unitRoundoff, count: count)
            #expect(worstRatio(map.values, expected, allowed: allowed) <= 1)
            let sum = map.values.doubles.reduce(0) { $0 + $1 * $1 }
            #expect(abs(squares - sum) <= 40 * unitRoundoff * sum)
        }
        #expect(inputs.areUnchanged)
    }

    @Test(arguments: InstructionLevel.available)
    func atRestNothingMoves(level: Int32) {
        let kernels = KernelTable.table(level: level)
        let start = testFloats(77, seed: 3)
        let map = GuardedBuffer(start)
        let gradient = testFloats(77, seed: 4)
        let first = gradient.withUnsafeBufferPointer { kernels.ascend(map.pointer, $0.baseAddress!, 1, 0, 77) }
        #expect(map.values == start)
        #expect(kernels.ascend(map.pointer, map.readOnly, 1, 0, 77) == first)
    }
}
