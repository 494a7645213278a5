// ConvolutionTests: convolution of codes, its gradient, and sums by code.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifTestSupport
import Testing

func codeGeometry(
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
        codeGeometry(length: 23, filters: $0, width: 5)
    } + [
        codeGeometry(length: 101, filters: 128, width: 9),
        codeGeometry(length: 101, filters: 128, width: 9, padding: 4),
        codeGeometry(length: 9, filters: 20, width: 9), codeGeometry(length: 3, filters: 20, width: 9, padding: 6),
        codeGeometry(length: 40, filters: 20, width: 4, stride: 3), codeGeometry(length: 40, filters: 36, width: 1),
        codeGeometry(length: 40, filters: 20, width: 4, stride: 2, dilation: 3, padding: 5),
        codeGeometry(length: 2, filters: 5, width: 2, dilation: 4, padding: 3),
        codeGeometry(length: 1, filters: 16, width: 1),
        codeGeometry(length: 5, filters: 16, width: 9), codeGeometry(length: 101, filters: 16, width: 25, padding: 12),
        codeGeometry(length: 101, filters: 32, width: 8, padding: 3),
        codeGeometry(length: 7, filters: 33, width: 25, padding: 12),
    ]

func codeScratchCount(_ g: ConvolutionGeometry) -> Int {
    max(g.outputLength - 1, 0) * g.stride + g.width * g.dilation + 1
}

/// Rows of pairs of letters from weights (width, 4, filters).
func pairTable(_ weights: [Float], _ g: ConvolutionGeometry) -> [Float] {
    func weight(_ k: Int, _ code: Int, _ f: Int) -> Float {
        k < g.width && code < 4 ? weights[(k * 4 + code) * g.filters + f] : 0
    }
    return (0..<(g.width + 1) / 2).flatMap { group in
        (0..<25).flatMap { pair in
            (0..<g.filters).map { weight(2 * group, pair / 5, $0) + weight(2 * group + 1, pair % 5, $0) }
        }
    }
}

/// The gradient from lists, and that of the bias.
private func checkListedGradient(
    _ codes: [UInt8], _ dy: [Float], _ sums: [Double], _ magnitudes: [Double], _ g: ConvolutionGeometry,
    _ kernels: KernelTable
) {
    let inputs = Inputs()
    let (rows, columns) = (g.outputLength, g.filters)
    let (indices, values) = (GuardedBuffer<Int32>(count: rows * columns), GuardedBuffer<Float>(count: rows * columns))
    let counts = GuardedBuffer<Int32>(count: columns)
    _ = kernels.listNonzeros(inputs(dy), rows, columns, indices.pointer, values.pointer, counts.pointer)
    let table = GuardedBuffer([Float](repeating: 0, count: g.width * 5 * columns))
    let bias = GuardedBuffer([Float](repeating: 0, count: columns))
    kernels.convolveListedGradient(
        inputs(codes), indices.readOnly, values.readOnly, counts.readOnly, rows, table.pointer, bias.pointer, g)
    let letters = (0..<g.width * 4 * columns).map { i in
        table.pointer[(i / columns / 4 * 5 + i / columns % 4) * columns + i % columns]
    }
    let allowed = summationBounds(terms: rows + 1, magnitudes: magnitudes)
    #expect(worstRatio(letters, sums, allowed: allowed) <= 1, "lists, \(g)")
    for f in 0..<columns {
        let column = (0..<rows).map { Double(dy[$0 * columns + f]) }
        let bound = Double(rows + 1) * 0x1p-24 * column.reduce(0) { $0 + abs($1) }
        #expect(abs(Double(bias.pointer[f]) - column.reduce(0, +)) <= bound)
    }
    #expect(table.isIntact && bias.isIntact && inputs.areUnchanged)
}

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
            guard g.filters >= 16 else { continue }
            let pairs = GuardedBuffer<Float>(count: y.values.count)
            let scratch = GuardedBuffer<Int32>(count: codeScratchCount(g))
            kernels.convolveCodePairs(
                inputs(codes), inputs(pairTable(weights, g)), inputs(bias), pairs.pointer, scratch.pointer, g)
            #expect(worstRatio(pairs.values, expected, allowed: allowed) <= 1, "pairs, \(g) level \(level)")
            #expect(pairs.isIntact && scratch.isIntact)
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
            let scratch = GuardedBuffer<Float>(count: g.gradientScratchCount)
            let positions = PoolRun(start: 0, width: 1, stride: 1, count: g.outputLength)
            kernels.convolveCodesGradient(
                inputs(codes), inputs(dy), nil, table.pointer, scratch.pointer, g, positions)
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
            #expect(table.isIntact && scratch.isIntact)
            checkListedGradient(codes, dy, sums, magnitudes, g, kernels)
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
