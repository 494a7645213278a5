// SparseTests: lists of non-zeros and the products with them.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifTestSupport
import Testing

/// The lists of a gradient, by the kernel under test.
private final class Lists {
    let indices: GuardedBuffer<Int32>
    let values: GuardedBuffer<Float>
    let counts: GuardedBuffer<Int32>
    let total: Int

    init(_ g: [Float], rows: Int, columns: Int, kernels: KernelTable) {
        indices = GuardedBuffer(count: rows * columns)
        values = GuardedBuffer(count: rows * columns)
        counts = GuardedBuffer(count: columns)
        let inputs = Inputs()
        total = kernels.listNonzeros(
            inputs(g), rows, columns, indices.pointer, values.pointer, counts.pointer)
        #expect(inputs.areUnchanged)
    }
}

@Suite struct SparseTests {
    @Test(arguments: InstructionLevel.available) func lists(level: Int32) {
        let kernels = KernelTable.table(level: level)
        for (rows, columns) in [
            (0, 5), (1, 1), (5, 0), (42, 128), (19, 128), (13, 17), (93, 7), (7, 33), (64, 3), (589, 1), (16, 1),
        ] {
            for density in [0, 0.1, 0.5, 1] {
                var g = sparseFloats(rows * columns, seed: 7, density: density)
                if g.count > 3 { g.replaceSubrange(0..<3, with: [-0.0, .nan, .infinity]) }
                let lists = Lists(g, rows: rows, columns: columns, kernels: kernels)
                #expect(lists.total == g.count { $0 != 0 })
                let memory = GuardedBuffer(g)
                #expect(kernels.countNonzeros(memory.readOnly, g.count) == lists.total && memory.isIntact)
                for j in 0..<columns {
                    let expected = (0..<rows).filter { g[$0 * columns + j] != 0 }
                    #expect(Int(lists.counts.pointer[j]) == expected.count)
                    for (e, row) in expected.enumerated() {
                        #expect(Int(lists.indices.pointer[j * rows + e]) == row)
                        let value = lists.values.pointer[j * rows + e]
                        #expect(value.bitPattern == g[row * columns + j].bitPattern)
                    }
                }
                #expect(lists.indices.isIntact && lists.values.isIntact && lists.counts.isIntact)
            }
        }
    }

    /// (positions, columns, row stride of x, span).
    private static let shapes = [
        (42, 128, 128, 640), (19, 128, 128, 384), (93, 16, 4, 36), (10, 3, 5, 1), (10, 3, 1, 3), (7, 5, 17, 17),
        (1, 1, 1, 1), (12, 6, 100, 31), (12, 6, 20, 65), (30, 9, 8, 24), (5, 4, 300, 257), (5, 4, 9, 0),
        (23, 11, 7, 47),
        (23, 11, 7, 48), (23, 11, 7, 49), (9, 2, 16, 16), (9, 2, 16, 255), (9, 2, 16, 256), (9, 2, 16, 272),
        (0, 3, 4, 8),
    ]

    @Test(arguments: InstructionLevel.available) func weightGradient(level: Int32) {
        let inputs = Inputs()
        let kernels = KernelTable.table(level: level)
        for (rows, columns, xStride, span) in Self.shapes {
            for density in [0, 0.12, 1] {
                let g = sparseFloats(rows * columns, seed: 1, density: density)
                let x = testFloats(max(rows - 1, 0) * xStride + span, seed: 2)
                let before = testFloats(columns * span, seed: 3)
                let w = GuardedBuffer(before)
                let lists = Lists(g, rows: rows, columns: columns, kernels: kernels)
                kernels.accumulateSparseRows(
                    inputs(x), xStride, span, lists.indices.readOnly, lists.values.readOnly,
                    lists.counts.readOnly, rows, columns, w.pointer)
                let sums = Twin.multiplyTransposed(
                    a: g.doubles, lda: columns, b: x.doubles, ldb: xStride, m: columns, n: span, k: rows)
                let magnitudes = Twin.multiplyTransposed(
                    a: g.magnitudes, lda: columns, b: x.magnitudes, ldb: xStride, m: columns, n: span, k: rows)
                let expected = zip(before.doubles, sums).map(+)
                let allowed = summationBounds(terms: rows + 1, magnitudes: zip(before.magnitudes, magnitudes).map(+))
                #expect(worstRatio(w.values, expected, allowed: allowed) <= 1, "span \(span) level \(level)")
                #expect(w.isIntact)
            }
        }
        #expect(inputs.areUnchanged)
    }

    @Test(arguments: InstructionLevel.available) func inputGradient(level: Int32) {
        let inputs = Inputs()
        let kernels = KernelTable.table(level: level)
        for (rows, columns, xStride, span) in Self.shapes {
            for density in [0, 0.12, 1] {
                let g = sparseFloats(rows * columns, seed: 1, density: density)
                let w = testFloats(columns * span, seed: 2)
                let before = testFloats(max(rows - 1, 0) * xStride + span, seed: 3)
                let x = GuardedBuffer(before)
                let lists = Lists(g, rows: rows, columns: columns, kernels: kernels)
                kernels.scatterSparseRows(
                    inputs(w), span, x.pointer, xStride, lists.indices.readOnly,
                    lists.values.readOnly, lists.counts.readOnly, rows, columns)
                var (expected, magnitudes) = (before.doubles, before.magnitudes)
                for row in 0..<rows {
                    for j in 0..<columns {
                        for s in 0..<span {
                            let term = Double(g[row * columns + j]) * Double(w[j * span + s])
                            expected[row * xStride + s] += term
                            magnitudes[row * xStride + s] += abs(term)
                        }
                    }
                }
                // Overlapping rows: an element receives at most columns * (span / xStride + 1) products.
                let terms = columns * min(span / xStride + 1, rows) + 1
                let allowed = summationBounds(terms: terms, magnitudes: magnitudes)
                #expect(worstRatio(x.values, expected, allowed: allowed) <= 1, "span \(span) level \(level)")
                #expect(x.isIntact)
            }
        }
        #expect(inputs.areUnchanged)
    }

    @Test(arguments: InstructionLevel.available) func productOfLists(level: Int32) {
        let kernels = KernelTable.table(level: level)
        let shapes = [
            (42, 128, 640, 128), (19, 128, 384, 128), (101, 128, 128, 128), (7, 36, 12, 4), (9, 7, 5, 3), (5, 1, 3, 8),
            (6, 16, 4, 4), (6, 17, 4, 6), (1, 33, 1, 1), (3, 0, 4, 4), (0, 8, 4, 4), (4, 131, 30, 7), (3, 20, 0, 2),
        ]
        for (m, n, k, lda) in shapes {
            for density in [0, 0.03, 0.3, 1] {
                let a = sparseFloats(m == 0 ? 0 : (m - 1) * lda + k, seed: 1, density: density)
                let w = testFloats(k * n, seed: 2)
                let bias = density == 0.3 ? nil : testFloats(n, seed: 3)
                let lists = Lists(a, rows: a.count, columns: 1, kernels: kernels)
                let ldc = n + 2
                let before = testFloats(m * ldc, seed: 4)
                let c = GuardedBuffer(before)
                let inputs = Inputs()
                let packed = GuardedBuffer<Float>(count: kernels.packedCount(k: k, n: n))
                kernels.packMatrix(inputs(w), n, 1, k, n, packed.pointer)
                kernels.multiplyListed(
                    lists.indices.readOnly, lists.values.readOnly, lists.total, lda, packed.readOnly,
                    bias.map { inputs($0) },
                    c.pointer, ldc, m, n, k)
                let expected = Twin.multiply(
                    a: a.doubles, lda: lda, b: w.doubles, rowStride: n, columnStride: 1, bias: bias?.doubles, m: m,
                    n: n,
                    k: k)
                let magnitudes = Twin.multiply(
                    a: a.magnitudes, lda: lda, b: w.magnitudes, rowStride: n, columnStride: 1, bias: bias?.magnitudes,
                    m: m, n: n, k: k)
                let actual = (0..<m * n).map { c.pointer[$0 / n * ldc + $0 % n] }
                let allowed = summationBounds(terms: k + 1, magnitudes: magnitudes)
                #expect(worstRatio(actual, expected, allowed: allowed) <= 1, "m \(m) n \(n) k \(k) level \(level)")
                let gaps = before.indices.filter { $0 % ldc >= n }
                #expect(gaps.allSatisfy { c.pointer[$0] == before[$0] })
                #expect(c.isIntact && inputs.areUnchanged)
            }
        }
    }
}
