// MultiplyTests: both dense products against their twins at every instruction level.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifTestSupport
import Testing

// Sizes round every tile: 0, 1, primes, one less and one more than tiles and panels, the networks' own. Debug builds, which
// run under the sanitizers, are a hundred times slower and take fewer.
#if DEBUG
    private let rowCounts = [0, 1, 4, 7, 9, 13]
    private let columnCounts = [0, 1, 5, 8, 15, 17, 33, 36]
    private let depths = [0, 1, 2, 19]
#else
    private let rowCounts = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 19, 42]
    private let columnCounts = [
        0, 1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 24, 31, 32, 33, 36, 47, 48, 64, 65, 128, 131,
    ]
    private let depths = [0, 1, 2, 3, 7, 36, 101]
#endif

/// One product to check; row strides exceed the row where `gap` is positive, rows overlap where it is negative.
private struct Product {
    var m: Int
    var n: Int
    var k: Int
    var gap = 0

    var lda: Int { max(k + gap, 1) }
    var aCount: Int { m == 0 || k == 0 ? 0 : (m - 1) * lda + k }
}

private func packed(_ b: [Float], _ product: Product, transposed: Bool, kernels: KernelTable) -> GuardedBuffer<Float> {
    let count = kernels.packedCount(k: product.k, n: product.n)
    let source = GuardedBuffer(b)
    let panels = GuardedBuffer<Float>(count: count)
    kernels.packMatrix(
        source.readOnly, transposed ? 1 : product.n, transposed ? product.k : 1, product.k, product.n, panels.pointer)
    #expect(panels.isIntact)
    return panels
}

/// Checks C = A B (+ bias) (+ C) element by element; the gaps between rows of C must stay as they were.
private func checkMultiply(
    _ product: Product, level: Int32, transposed: Bool = false, withBias: Bool, accumulates: Bool
) {
    let kernels = KernelTable.table(level: level)
    let (m, n, k) = (product.m, product.n, product.k)
    let a = testFloats(product.aCount, seed: 1)
    let b = testFloats(k * n, seed: 2)
    let bias = withBias ? testFloats(n, seed: 3) : nil
    let ldc = n + 3
    let before = testFloats(m * ldc, seed: 4)
    let c = GuardedBuffer(before)
    let panels = packed(b, product, transposed: transposed, kernels: kernels)
    let aMemory = GuardedBuffer(a)
    let biasMemory = GuardedBuffer(bias ?? [])
    kernels.multiply(
        aMemory.readOnly, product.lda, panels.readOnly, withBias ? biasMemory.readOnly : nil, c.pointer, ldc, m, n, k,
        accumulates)

    let (rowStride, columnStride) = transposed ? (1, k) : (n, 1)
    var expected = Twin.multiply(
        a: a.doubles, lda: product.lda, b: b.doubles, rowStride: rowStride, columnStride: columnStride,
        bias: bias?.doubles, m: m, n: n, k: k)
    var magnitudes = Twin.multiply(
        a: a.magnitudes, lda: product.lda, b: b.magnitudes, rowStride: rowStride, columnStride: columnStride,
        bias: bias?.magnitudes, m: m, n: n, k: k)
    var actual: [Float] = []
    var gapsChanged = 0
    for row in 0..<m {
        for column in 0..<n {
            actual.append(c.pointer[row * ldc + column])
            guard accumulates else { continue }
            expected[row * n + column] += Double(before[row * ldc + column])
            magnitudes[row * n + column] += abs(Double(before[row * ldc + column]))
        }
        for gap in n..<ldc where c.pointer[row * ldc + gap] != before[row * ldc + gap] { gapsChanged += 1 }
    }
    #expect(gapsChanged == 0)
    let ratio = worstRatio(actual, expected, allowed: summationBounds(terms: k + 2, magnitudes: magnitudes))
    #expect(ratio <= 1, "m \(m) n \(n) k \(k) level \(level): \(ratio) times the error bound")
    #expect(c.isIntact)
}

@Suite struct MultiplyTests {
    @Test(arguments: InstructionLevel.available) func allSizes(level: Int32) {
        for m in rowCounts {
            for n in columnCounts {
                for k in depths {
                    checkMultiply(
                        Product(m: m, n: n, k: k), level: level, withBias: m % 2 == 0, accumulates: n % 3 == 0)
                }
            }
        }
    }

    @Test(arguments: InstructionLevel.available) func everyCombinationOfOptions(level: Int32) {
        for (withBias, accumulates) in [(false, false), (false, true), (true, false), (true, true)] {
            for n in [33, 128] {
                let product = Product(m: 19, n: n, k: 36)
                for transposed in [false, true] {
                    checkMultiply(
                        product, level: level, transposed: transposed, withBias: withBias, accumulates: accumulates)
                }
            }
        }
    }

    @Test(arguments: InstructionLevel.available) func overlappingAndDistantRows(level: Int32) {
        for gap in [-35, -32, -3, 5] {
            checkMultiply(Product(m: 42, n: 40, k: 36, gap: gap), level: level, withBias: true, accumulates: false)
        }
        checkMultiply(
            Product(m: 42, n: 128, k: 640, gap: 128 - 640), level: level, withBias: true, accumulates: false)
    }

    /// Large enough for every blocking.
    @Test(arguments: InstructionLevel.available) func large(level: Int32) {
        checkMultiply(Product(m: 257, n: 67, k: 1031), level: level, withBias: false, accumulates: true)
        #if !DEBUG
            checkMultiply(Product(m: 1009, n: 128, k: 128), level: level, withBias: true, accumulates: false)
        #endif
    }

    /// A sequence's score must not depend on the batch it comes in.
    @Test(arguments: InstructionLevel.available) func rowDoesNotDependOnItsNeighbours(level: Int32) {
        let kernels = KernelTable.table(level: level)
        let (n, k) = (45, 203)
        for rows in [1, 2, 3, 5, 8, 13, 29, 64] {
            let product = Product(m: rows, n: n, k: k)
            let a = GuardedBuffer(testFloats(product.aCount, seed: 1))
            let panels = packed(testFloats(k * n, seed: 2), product, transposed: false, kernels: kernels)
            let together = GuardedBuffer<Float>(count: rows * n)
            let alone = GuardedBuffer<Float>(count: n)
            kernels.multiply(a.readOnly, k, panels.readOnly, nil, together.pointer, n, rows, n, k, false)
            for row in 0..<rows {
                kernels.multiply(a.readOnly + row * k, k, panels.readOnly, nil, alone.pointer, n, 1, n, k, false)
                #expect(alone.values == (0..<n).map { together.pointer[row * n + $0] })
            }
        }
    }

    @Test(arguments: InstructionLevel.available) func packingPadsWithZeros(level: Int32) {
        let kernels = KernelTable.table(level: level)
        let product = Product(m: 0, n: kernels.panelWidth + 1, k: 3)
        let panels = packed(testFloats(3 * product.n, seed: 5), product, transposed: false, kernels: kernels).values
        let last = Array(panels[(3 * kernels.panelWidth)...])
        for (i, value) in last.enumerated() { #expect((value == 0) == (i % kernels.panelWidth != 0)) }
    }
}

@Suite struct MultiplyTransposedTests {
    private func check(_ m: Int, _ n: Int, _ k: Int, aGap: Int = 0, bGap: Int = 0, level: Int32) {
        let kernels = KernelTable.table(level: level)
        let (lda, ldb, ldc) = (max(m + aGap, 1), max(n + bGap, 1), n + 2)
        let a = testFloats(k == 0 || m == 0 ? 0 : (k - 1) * lda + m, seed: 1)
        let b = testFloats(k == 0 || n == 0 ? 0 : (k - 1) * ldb + n, seed: 2)
        let before = testFloats(m * ldc, seed: 3)
        let (aMemory, bMemory, c) = (GuardedBuffer(a), GuardedBuffer(b), GuardedBuffer(before))
        kernels.multiplyTransposed(aMemory.readOnly, lda, bMemory.readOnly, ldb, c.pointer, ldc, m, n, k)
        var expected = Twin.multiplyTransposed(a: a.doubles, lda: lda, b: b.doubles, ldb: ldb, m: m, n: n, k: k)
        var magnitudes = Twin.multiplyTransposed(
            a: a.magnitudes, lda: lda, b: b.magnitudes, ldb: ldb, m: m, n: n, k: k)
        var actual: [Float] = []
        var gapsChanged = 0
        for row in 0..<m {
            for column in 0..<n {
                actual.append(c.pointer[row * ldc + column])
                expected[row * n + column] += Double(before[row * ldc + column])
                magnitudes[row * n + column] += abs(Double(before[row * ldc + column]))
            }
            for gap in n..<ldc where c.pointer[row * ldc + gap] != before[row * ldc + gap] { gapsChanged += 1 }
        }
        #expect(gapsChanged == 0)
        let ratio = worstRatio(actual, expected, allowed: summationBounds(terms: k + 1, magnitudes: magnitudes))
        #expect(ratio <= 1, "m \(m) n \(n) k \(k) level \(level): \(ratio) times the error bound")
        #expect(c.isIntact)
    }

    @Test(arguments: InstructionLevel.available) func allSizes(level: Int32) {
        for m in rowCounts {
            for n in columnCounts {
                for k in depths where k < 100 { check(m, n, k, level: level) }
            }
        }
    }

    @Test(arguments: InstructionLevel.available) func overlappingAndDistantRows(level: Int32) {
        check(128, 640, 42, bGap: 128 - 640, level: level)
        check(128, 384, 19, bGap: 128 - 384, level: level)
        check(13, 36, 93, aGap: 7, bGap: 4 - 36, level: level)
        check(17, 33, 41, aGap: -9, bGap: 3, level: level)
    }

    /// Deep enough for every blocking: the weights of an LSTM over many rows.
    @Test(arguments: InstructionLevel.available) func deep(level: Int32) {
        check(13, 47, 1009, level: level)
        #if !DEBUG
            check(128, 32, 3232, level: level)
        #endif
    }
}
