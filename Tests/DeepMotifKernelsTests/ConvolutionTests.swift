// ConvolutionTests: convolution of codes, its gradient, and sums by code.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifTestSupport
import Testing

private func geometry(
    length: Int, filters: Int, width: Int, stride: Int = 1, dilation: Int = 1, padding: Int = 0
) -> ConvolutionGeometry {
    let reach = (width - 1) * dilation + 1
    let outputLength = length + 2 * padding < reach ? 0 : (length + 2 * padding - reach) / stride + 1
    return ConvolutionGeometry(
        length: length, outputLength: outputLength, channels: 4, filters: filters, width: width, stride: stride,
        dilation: dilation, padding: padding)
}

private let geometries: [ConvolutionGeometry] =
    [0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 128, 131, 257].map {
        geometry(length: 23, filters: $0, width: 5)
    } + [
        geometry(length: 101, filters: 128, width: 9), geometry(length: 101, filters: 128, width: 9, padding: 4),
        geometry(length: 9, filters: 20, width: 9), geometry(length: 3, filters: 20, width: 9, padding: 6),
        geometry(length: 40, filters: 20, width: 4, stride: 3), geometry(length: 40, filters: 36, width: 1),
        geometry(length: 40, filters: 20, width: 4, stride: 2, dilation: 3, padding: 5),
        geometry(length: 2, filters: 5, width: 2, dilation: 4, padding: 3), geometry(length: 1, filters: 16, width: 1),
        geometry(length: 5, filters: 16, width: 9),
    ]

@Suite struct ConvolutionTests {
    @Test(arguments: InstructionLevel.available) func forward(level: Int32) {
        let inputs = Inputs()
        let kernels = KernelTable.table(level: level)
        for g in geometries {
            let codes = testCodes(g.length, seed: 1)
            let weights = testFloats(g.width * 4 * g.filters, seed: 2)
            let bias = testFloats(g.filters, seed: 3)
            // Tables have a fifth row for the unknown letter, of zeros.
            var table: [Float] = []
            for k in 0..<g.width {
                table += weights[(k * 4 * g.filters)..<((k + 1) * 4 * g.filters)]
                table += [Float](repeating: 0, count: g.filters)
            }
            let y = GuardedBuffer<Float>(count: g.outputLength * g.filters)
            kernels.convolveCodes(
                inputs(codes), inputs(table), inputs(bias), y.pointer, g
            )
            let x = Twin.oneHot(codes, letters: 4)
            let expected = Twin.convolve(x: x, weights: weights.doubles, bias: bias.doubles, geometry: g)
            let magnitudes = Twin.convolve(x: x, weights: weights.magnitudes, bias: bias.magnitudes, geometry: g)
            let allowed = summationBounds(terms: g.width + 1, magnitudes: magnitudes)
            #expect(worstRatio(y.values, expected, allowed: allowed) <= 1, "\(g) level \(level)")
            #expect(y.isIntact)
        }
        #expect(inputs.areUnchanged)
    }

    @Test(arguments: InstructionLevel.available) func gradient(level: Int32) {
        let inputs = Inputs()
        let kernels = KernelTable.table(level: level)
        for g in geometries {
            let codes = testCodes(g.length, seed: 1)
            // As behind ReLU, dropout and pooling: most of the gradient is zero, some rows wholly.
            let dense = sparseFloats(g.outputLength * g.filters, seed: 2, density: 0.2)
            let dy = dense.enumerated().map { $0.offset / max(g.filters, 1) % 5 == 2 ? 0 : $0.element }
            let before = testFloats(g.width * 5 * g.filters, seed: 3)
            let table = GuardedBuffer(before)
            kernels.convolveCodesGradient(inputs(codes), inputs(dy), table.pointer, g)
            let x = Twin.oneHot(codes, letters: 4)
            let sums = Twin.convolveWeightGradient(x: x, outputGradient: dy.doubles, geometry: g)
            let magnitudes = Twin.convolveWeightGradient(x: x, outputGradient: dy.magnitudes, geometry: g)
            var (actual, expected, allowed): ([Float], [Double], [Double]) = ([], [], [])
            for k in 0..<g.width {
                for i in 0..<4 * g.filters {
                    let start = before[k * 5 * g.filters + i]
                    actual.append(table.pointer[k * 5 * g.filters + i])
                    expected.append(Double(start) + sums[k * 4 * g.filters + i])
                    allowed.append(abs(Double(start)) + magnitudes[k * 4 * g.filters + i])
                }
            }
            allowed = summationBounds(terms: g.outputLength + 1, magnitudes: allowed)
            #expect(worstRatio(actual, expected, allowed: allowed) <= 1, "\(g) level \(level)")
            #expect(table.isIntact)
        }
        #expect(inputs.areUnchanged)
    }

    @Test(arguments: InstructionLevel.available) func sumsByCode(level: Int32) {
        let inputs = Inputs()
        let kernels = KernelTable.table(level: level)
        for (positions, width) in [(0, 8), (1, 4), (101, 128), (37, 64), (50, 1), (50, 3), (50, 19), (303, 36), (3, 0)]
        {
            let codes = testCodes(positions, seed: 1)
            let rows = testFloats(positions * width, seed: 2)
            let before = testFloats(5 * width, seed: 3)
            let table = GuardedBuffer(before)
            kernels.addRowsByCode(
                inputs(codes), inputs(rows), positions, width, table.pointer)
            let x = Twin.oneHot(codes, letters: 5)
            let sums = Twin.multiplyTransposed(
                a: x, lda: 5, b: rows.doubles, ldb: width, m: 5, n: width, k: positions)
            let magnitudes = Twin.multiplyTransposed(
                a: x, lda: 5, b: rows.magnitudes, ldb: width, m: 5, n: width, k: positions)
            let expected = zip(before.doubles, sums).map(+)
            let allowed = summationBounds(
                terms: positions + 1, magnitudes: zip(before.magnitudes, magnitudes).map(+))
            #expect(worstRatio(table.values, expected, allowed: allowed) <= 1, "\(positions) x \(width)")
            #expect(table.isIntact)
        }
        #expect(inputs.areUnchanged)
    }
}
