// CodePoolsTests: maxima of the convolution of codes, and the gradient from their offsets, beside the kernels that go one
// step at a time.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifTestSupport
import Testing

/// A convolution and the windows on it; strides of windows are at least their widths.
private let tried: [(ConvolutionGeometry, PoolRun)] = [
    (
        codeGeometry(length: 101, filters: 16, width: 25, padding: 12),
        PoolRun(start: 0, width: 101, stride: 101, count: 1)
    ),
    (codeGeometry(length: 101, filters: 32, width: 8), PoolRun(start: 0, width: 4, stride: 4, count: 23)),
    (codeGeometry(length: 301, filters: 33, width: 9), PoolRun(start: 2, width: 13, stride: 13, count: 22)),
    (codeGeometry(length: 60, filters: 17, width: 5, padding: 4), PoolRun(start: 1, width: 2, stride: 3, count: 20)),
    (
        codeGeometry(length: 90, filters: 50, width: 4, stride: 3, dilation: 2),
        PoolRun(start: 0, width: 3, stride: 3, count: 9)
    ),
    (codeGeometry(length: 23, filters: 128, width: 3), PoolRun(start: 0, width: 1, stride: 1, count: 21)),
    (codeGeometry(length: 5, filters: 20, width: 5), PoolRun(start: 0, width: 1, stride: 1, count: 1)),
    (codeGeometry(length: 30, filters: 19, width: 1), PoolRun(start: 25, width: 5, stride: 7, count: 1)),
]

/// The whole map (outputLength, F) of the convolution by the kernels without maxima.
private func map(
    _ codes: [UInt8], _ taps: Int, _ table: [Float], _ bias: [Float], _ g: ConvolutionGeometry, _ kernels: KernelTable
) -> [Float] {
    let inputs = Inputs()
    let y = GuardedBuffer<Float>(count: g.outputLength * g.filters)
    if taps == 2 {
        let scratch = GuardedBuffer<Int32>(count: codeScratchCount(g))
        kernels.convolveCodePairs(inputs(codes), inputs(table), inputs(bias), y.pointer, scratch.pointer, g)
    } else {
        kernels.convolveCodes(inputs(codes), inputs(table), inputs(bias), y.pointer, g)
    }
    return y.values
}

/// Rows of letters, those of the unknown one zero, or of pairs.
private func table(_ weights: [Float], _ taps: Int, _ g: ConvolutionGeometry) -> [Float] {
    if taps == 2 { return pairTable(weights, g) }
    let row = 4 * g.filters
    return (0..<g.width).flatMap { k in
        weights[(k * row)..<((k + 1) * row)] + [Float](repeating: 0, count: g.filters)
    }
}

@Suite struct CodePoolsTests {
    @Test(arguments: InstructionLevel.available) func maximaAreThoseOfTheMap(level: Int32) {
        let kernels = KernelTable.table(level: level)
        let inputs = Inputs()
        for (g, windows) in tried {
            for taps in [1, 2] {
                let codes = testCodes(g.length, seed: 1)
                var weights = testFloats(g.width * 4 * g.filters, seed: 2)
                // One filter whose sums are NaN where its first tap reads an A.
                weights[g.filters - 1] = .nan
                let bias = testFloats(g.filters, seed: 3)
                let rows = table(weights, taps, g)
                let values = map(codes, taps, rows, bias, g, kernels)
                let start = inputs(values) + windows.start * g.filters
                let count = windows.count * g.filters
                let (expected, places) = (GuardedBuffer<Float>(count: count), GuardedBuffer<Int32>(count: count))
                kernels.maxPool(
                    start, g.filters, windows.width, windows.stride, windows.count, expected.pointer, places.pointer)
                let (y, offsets) = (GuardedBuffer<Float>(count: count), GuardedBuffer<Int32>(count: count))
                let scratch = GuardedBuffer<Int32>(count: codeScratchCount(g))
                kernels.convolveCodePools(
                    inputs(codes), taps, inputs(rows), inputs(bias), y.pointer, offsets.pointer, scratch.pointer, g,
                    windows, false)
                #expect(y.values.map(\.bitPattern) == expected.values.map(\.bitPattern), "\(g), \(windows)")
                #expect(offsets.values == places.values, "\(g), \(windows)")
                let alone = GuardedBuffer<Float>(count: count)
                kernels.convolveCodePools(
                    inputs(codes), taps, inputs(rows), inputs(bias), alone.pointer, nil, scratch.pointer, g, windows,
                    true)
                kernels.relu(expected.readOnly, expected.pointer, count)
                #expect(alone.values.map(\.bitPattern) == expected.values.map(\.bitPattern), "\(g), \(windows)")
                #expect(y.isIntact && offsets.isIntact && scratch.isIntact && alone.isIntact)
            }
        }
        #expect(inputs.areUnchanged)
    }

    @Test(arguments: InstructionLevel.available) func gradientIsThatOfTheMap(level: Int32) {
        let kernels = KernelTable.table(level: level)
        let inputs = Inputs()
        for (g, windows) in tried {
            let codes = testCodes(g.length, seed: 1)
            let dy = testFloats(windows.count * g.filters, seed: 2)
            let offsets = dy.indices.map { Int32($0 * 7 % windows.width) }
            var values = [Float](repeating: 0, count: g.outputLength * g.filters)
            for i in dy.indices {
                let position = windows.start + i / g.filters * windows.stride + Int(offsets[i])
                values[position * g.filters + i % g.filters] = dy[i]
            }
            let before = testFloats(g.width * 5 * g.filters, seed: 3)
            let (table, expected) = (GuardedBuffer(before), GuardedBuffer(before))
            let scratch = GuardedBuffer<Float>(count: g.gradientScratchCount)
            let positions = PoolRun(start: 0, width: 1, stride: 1, count: g.outputLength)
            kernels.convolveCodesGradient(
                inputs(codes), inputs(dy), inputs(offsets), table.pointer, scratch.pointer, g, windows)
            kernels.convolveCodesGradient(
                inputs(codes), inputs(values), nil, expected.pointer, scratch.pointer, g, positions)
            let allowed = before.map { (8 + 2 * Double(g.outputLength)) * 0x1p-22 + Double(abs($0)) * 0x1p-22 }
            #expect(worstRatio(table.values, expected.values.doubles, allowed: allowed) <= 1, "\(g), \(windows)")
            #expect(table.isIntact && scratch.isIntact)
        }
        #expect(inputs.areUnchanged)
    }
}
