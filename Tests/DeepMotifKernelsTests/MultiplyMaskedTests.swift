// MultiplyMaskedTests: dot products at wanted elements against the twin of the dense product.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifTestSupport
import Testing

@Suite struct MultiplyMaskedTests {
    /// (m, n, k, row gap of A): k around vectors, n around masks and panels, the networks' own.
    private static let shapes = [
        (101, 4, 128, 0), (19, 128, 128, 3), (7, 33, 17, 0), (5, 31, 16, 2), (3, 32, 15, 0), (4, 1, 33, 0),
        (6, 5, 1, 0),
        (2, 65, 0, 1), (0, 8, 8, 0), (3, 0, 8, 0), (9, 47, 100, 5),
    ]

    @Test(arguments: InstructionLevel.available) func wantedElements(level: Int32) {
        let kernels = KernelTable.table(level: level)
        for (m, n, k, gap) in Self.shapes {
            for density in [0, 0.1, 0.5, 1, nil] as [Double?] {
                for accumulates in [false, true] {
                    let (lda, ldc) = (k + gap, n + 2)
                    let a = testFloats(m == 0 ? 0 : (m - 1) * lda + k, seed: 1)
                    let b = testFloats(n * k, seed: 2)
                    let mask = density.map { sparseFloats(m * ldc, seed: 3, density: $0) }
                    let before = testFloats(m * ldc, seed: 4)
                    let c = GuardedBuffer(before)
                    let inputs = Inputs()
                    kernels.multiplyMasked(
                        inputs(a), lda, inputs(b), mask.map { inputs($0) }, c.pointer, ldc, m, n, k, accumulates)
                    let products = Twin.multiply(
                        a: a.doubles, lda: lda, b: b.doubles, rowStride: 1, columnStride: k, bias: nil, m: m, n: n, k: k
                    )
                    let magnitudes = Twin.multiply(
                        a: a.magnitudes, lda: lda, b: b.magnitudes, rowStride: 1, columnStride: k, bias: nil, m: m,
                        n: n, k: k)
                    var (actual, expected, bounds) = ([Float](), [Double](), [Double]())
                    for row in 0..<m {
                        for column in 0..<n {
                            let place = row * ldc + column
                            let isWanted = mask.map { $0[place] != 0 } ?? true
                            let old = accumulates ? Double(before[place]) : 0
                            actual.append(c.pointer[place])
                            expected.append(old + (isWanted ? products[row * n + column] : 0))
                            bounds.append(abs(old) + (isWanted ? magnitudes[row * n + column] : 0))
                        }
                    }
                    let ratio = worstRatio(
                        actual, expected, allowed: summationBounds(terms: k + 1, magnitudes: bounds))
                    #expect(ratio <= 1, "m \(m) n \(n) k \(k) level \(level): \(ratio) times the error bound")
                    let gaps = before.indices.filter { $0 % ldc >= n }
                    #expect(gaps.allSatisfy { c.pointer[$0] == before[$0] })
                    #expect(c.isIntact && inputs.areUnchanged)
                }
            }
        }
    }

    /// A row's gradient must not depend on the batch it comes in.
    @Test(arguments: InstructionLevel.available) func rowDoesNotDependOnItsNeighbours(level: Int32) {
        let kernels = KernelTable.table(level: level)
        let (m, n, k) = (9, 37, 53)
        let (a, b) = (GuardedBuffer(testFloats(m * k, seed: 1)), GuardedBuffer(testFloats(n * k, seed: 2)))
        let mask = GuardedBuffer(sparseFloats(m * n, seed: 3, density: 0.4))
        let (together, alone) = (GuardedBuffer<Float>(count: m * n), GuardedBuffer<Float>(count: n))
        kernels.multiplyMasked(a.readOnly, k, b.readOnly, mask.readOnly, together.pointer, n, m, n, k, false)
        for row in 0..<m {
            kernels.multiplyMasked(
                a.readOnly + row * k, k, b.readOnly, mask.readOnly + row * n, alone.pointer, n, 1, n, k, false)
            #expect(alone.values == (0..<n).map { together.pointer[row * n + $0] })
        }
    }
}
