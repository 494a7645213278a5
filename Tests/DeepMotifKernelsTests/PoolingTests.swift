// PoolingTests: pools and their gradients.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifTestSupport
import Testing

/// (length, channels, width, stride).
private let shapes = [
    (93, 128, 2, 2), (42, 128, 2, 2), (19, 128, 19, 19), (17, 1, 3, 2), (17, 3, 3, 1), (9, 5, 4, 5), (20, 17, 1, 1),
    (20, 33, 5, 3), (8, 0, 2, 2), (1, 16, 1, 1), (30, 31, 7, 7), (30, 100, 2, 3),
]

@Suite struct PoolingTests {
    @Test(arguments: InstructionLevel.available) func maximum(level: Int32) {
        let inputs = Inputs()
        let kernels = KernelTable.table(level: level)
        for (length, channels, width, stride) in shapes {
            let outputLength = (length - width) / stride + 1
            // Half of the values tie, as zeros do behind a ReLU: the first of them must win.
            let x = sparseFloats(length * channels, seed: 1, density: 0.5).map { max($0, 0) }
            let y = GuardedBuffer<Float>(count: outputLength * channels)
            let offsets = GuardedBuffer<Int32>(count: outputLength * channels)
            kernels.maxPool(
                inputs(x), channels, width, stride, outputLength, y.pointer, offsets.pointer)
            let expected = Twin.maxPool(
                x: x.doubles, channels: channels, width: width, stride: stride, outputLength: outputLength)
            #expect(y.values.doubles == expected.y)
            #expect(offsets.values == expected.offsets)
            let alone = GuardedBuffer<Float>(count: outputLength * channels)
            kernels.maxPool(inputs(x), channels, width, stride, outputLength, alone.pointer, nil)
            #expect(alone.values == y.values)
            #expect(y.isIntact && offsets.isIntact && alone.isIntact)

            let dy = testFloats(outputLength * channels, seed: 2)
            let dx = GuardedBuffer([Float](repeating: 0, count: length * channels))
            kernels.maxPoolGradient(
                inputs(dy), offsets.readOnly, channels, stride, outputLength, dx.pointer)
            var sums = [Double](repeating: 0, count: length * channels)
            for i in dy.indices {
                let position = i / channels * stride + Int(expected.offsets[i])
                sums[position * channels + i % channels] += Double(dy[i])
            }
            // Windows overlap at most `width` times.
            let allowed = [Double](repeating: Double(width) * Double(width) * unitRoundoff, count: sums.count)
            #expect(worstRatio(dx.values, sums, allowed: allowed) <= 1)
            #expect(dx.isIntact)
        }
        #expect(inputs.areUnchanged)
    }

    @Test(arguments: InstructionLevel.available) func maximumKeepsNaN(level: Int32) {
        let inputs = Inputs()
        let kernels = KernelTable.table(level: level)
        let channels = 19
        for place in 0..<3 {
            var x = testFloats(3 * channels, seed: 1)
            for c in 0..<channels { x[place * channels + c] = .nan }
            let y = GuardedBuffer<Float>(count: channels)
            let offsets = GuardedBuffer<Int32>(count: channels)
            kernels.maxPool(inputs(x), channels, 3, 3, 1, y.pointer, offsets.pointer)
            #expect(y.values.allSatisfy { $0.isNaN })
            #expect(offsets.values.allSatisfy { $0 == Int32(place) })
        }
        #expect(inputs.areUnchanged)
    }

    @Test(arguments: InstructionLevel.available) func mean(level: Int32) {
        let inputs = Inputs()
        let kernels = KernelTable.table(level: level)
        for (length, channels, width, stride) in shapes {
            let outputLength = (length - width) / stride + 1
            let x = testFloats(length * channels, seed: 1)
            let y = GuardedBuffer<Float>(count: outputLength * channels)
            kernels.averagePool(inputs(x), channels, width, stride, outputLength, y.pointer)
            let expected = Twin.averagePool(
                x: x.doubles, channels: channels, width: width, stride: stride, outputLength: outputLength)
            let magnitudes = Twin.averagePool(
                x: x.magnitudes, channels: channels, width: width, stride: stride, outputLength: outputLength)
            let allowed = summationBounds(terms: width + 2, magnitudes: magnitudes)
            #expect(worstRatio(y.values, expected, allowed: allowed) <= 1)

            let dy = testFloats(outputLength * channels, seed: 2)
            let before = testFloats(length * channels, seed: 3)
            let dx = GuardedBuffer(before)
            kernels.averagePoolGradient(inputs(dy), channels, width, stride, outputLength, dx.pointer)
            var sums = before.doubles
            var sizes = before.magnitudes
            for i in dy.indices {
                for k in 0..<width {
                    let target = (i / channels * stride + k) * channels + i % channels
                    sums[target] += Double(dy[i]) / Double(width)
                    sizes[target] += abs(Double(dy[i])) / Double(width)
                }
            }
            let bounds = summationBounds(terms: width + 2, magnitudes: sizes)
            #expect(worstRatio(dx.values, sums, allowed: bounds) <= 1)
            #expect(y.isIntact && dx.isIntact)
        }
        #expect(inputs.areUnchanged)
    }
}
