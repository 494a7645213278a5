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
            let squares = kernels.ascend(map.readOnly, inputs(gradient), 0.9, 0.05, count, map.pointer)
            #expect(map.isIntact)
            let target = GuardedBuffer(gradient)
            #expect(kernels.ascend(inputs(start), inputs(gradient), 0.9, 0.05, count, target.pointer) == squares)
            #expect(target.isIntact)
            #expect(target.values == map.values)
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
        let first = gradient.withUnsafeBufferPointer {
            kernels.ascend(map.readOnly, $0.baseAddress!, 1, 0, 77, map.pointer)
        }
        #expect(map.values == start)
        #expect(kernels.ascend(map.readOnly, map.readOnly, 1, 0, 77, map.pointer) == first)
    }

    @Test(arguments: InstructionLevel.available)
    func maximaAreASparseGradient(level: Int32) {
        let inputs = Inputs()
        let kernels = KernelTable.table(level: level)
        for (length, channels) in [(1, 1), (1, 16), (2, 3), (7, 4), (101, 16), (101, 37), (129, 8), (300, 33)] {
            let start = testFloats(length * channels, seed: 5)
            let values = testFloats(channels, seed: 6)
            // The last channel has its gradient nowhere.
            let positions = (0..<channels).map { $0 == channels - 1 ? -1 : Int32(($0 * 31) % length) }
            var gradient = [Float](repeating: 0, count: length * channels)
            for (c, p) in positions.enumerated() where p >= 0 { gradient[Int(p) * channels + c] = values[c] }
            let (dense, sparse) = (GuardedBuffer(start), GuardedBuffer(start))
            let first = kernels.ascend(
                inputs(start), inputs(gradient), 0.9, 0.05, start.count, dense.pointer)
            let second = positions.withUnsafeBufferPointer {
                kernels.ascendMaxima(
                    inputs(start), inputs(values), $0.baseAddress!, 0.9, 0.05, length, channels, sparse.pointer)
            }
            #expect(sparse.isIntact)
            #expect(sparse.values == dense.values)
            #expect(abs(first - second) <= 40 * unitRoundoff * first)
        }
        #expect(inputs.areUnchanged)
    }
}
