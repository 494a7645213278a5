// TrainingKernelsTests: update rules and columns against their definitions, at every instruction level.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifTestSupport
import Testing

@Suite struct TrainingKernelsTests {
    private let counts = [0, 1, 3, 7, 8, 9, 15, 16, 17, 33, 101]

    /// An element depends on its values alone, not on its place or on how many there are: what the last element of each
    /// count becomes is what it becomes alone.
    @Test(arguments: InstructionLevel.available) func placesDoNotMatter(level: Int32) {
        let kernels = KernelTable.table(level: level).training
        let step = OptimizerStep(
            learningRate: 0.01, rho: 0.9, momentum: 0.5, epsilon: 1e-6, clip: 0.5, decay: 0.1)
        let (p, g) = (testFloats(101, seed: 1), testFloats(101, seed: 2))
        let (s, b) = (testFloats(101, seed: 3).map { $0 * $0 }, testFloats(101, seed: 4).map { $0 * $0 })
        func run(_ rule: Int, _ range: Range<Int>) -> [[Float]] {
            let (values, first, second) = (
                GuardedBuffer(Array(p[range])), GuardedBuffer(Array(s[range])), GuardedBuffer(Array(b[range]))
            )
            let gradient = GuardedBuffer(Array(g[range]))
            switch rule {
            case 0: kernels.momentum(values.pointer, gradient.readOnly, nil, range.count, step)
            case 1: kernels.momentum(values.pointer, gradient.readOnly, first.pointer, range.count, step)
            case 2: kernels.rmsProp(values.pointer, gradient.readOnly, first.pointer, nil, range.count, step)
            case 3:
                kernels.rmsProp(values.pointer, gradient.readOnly, first.pointer, second.pointer, range.count, step)
            case 4:
                kernels.adadelta(values.pointer, gradient.readOnly, first.pointer, second.pointer, range.count, step)
            default: kernels.addScaled(gradient.readOnly, 0.3, values.pointer, range.count)
            }
            #expect(values.isIntact && first.isIntact && second.isIntact && gradient.isIntact)
            return [values.values, first.values, second.values]
        }
        for rule in 0...5 {
            for count in counts where count > 0 {
                let last = run(rule, 0..<count).compactMap(\.last)
                #expect(last == run(rule, (count - 1)..<count).compactMap(\.last))
            }
            #expect(run(rule, 0..<0).flatMap { $0 }.isEmpty)
        }
    }

    @Test(arguments: InstructionLevel.available) func columns(level: Int32) {
        let kernels = KernelTable.table(level: level).training
        let inputs = Inputs()
        for (rows, columns) in [(0, 3), (1, 1), (5, 17), (64, 8), (65, 31), (130, 33)] {
            let (a, b) = (testFloats(rows * columns, seed: 1), testFloats(rows * columns, seed: 2))
            let (c, d) = (testFloats(columns, seed: 3), testFloats(columns, seed: 4))
            let (sums, products) = (
                GuardedBuffer([Double](repeating: 1, count: columns)),
                GuardedBuffer([Double](repeating: 2, count: columns))
            )
            kernels.columnMoments(
                inputs(a), inputs(c), inputs(b), inputs(d), rows, columns, sums.pointer, products.pointer)
            #expect(sums.isIntact && products.isIntact)
            let (y, dx) = (GuardedBuffer<Float>(count: rows * columns), GuardedBuffer<Float>(count: rows * columns))
            kernels.normalizeColumns(inputs(a), rows, columns, inputs(c), inputs(d), inputs(c), y.pointer)
            kernels.normalizeColumnsGradient(
                inputs(b), inputs(a), rows, columns, inputs(d), inputs(c), inputs(d), inputs(c), dx.pointer)
            #expect(y.isIntact && dx.isIntact)
            let (mapped, gradients) = (y.values, dx.values)
            // A run of 64 sums of values of at most 2 and 4; three operations on values of at most 5.
            let bound = 64.0 * Double(rows + 1) * unitRoundoff
            for j in 0..<columns {
                let (cj, dj) = (Double(c[j]), Double(d[j]))
                var (sum, product) = (1.0, 2.0)
                for i in 0..<rows {
                    let (x, z) = (Double(a[i * columns + j]), Double(b[i * columns + j]))
                    sum += x - cj
                    product += (x - cj) * (z - dj)
                    #expect(abs(Double(mapped[i * columns + j]) - ((x - cj) * dj + cj)) <= 16 * unitRoundoff)
                    let gradient = dj * z + dj * (x - cj) + cj
                    #expect(abs(Double(gradients[i * columns + j]) - gradient) <= 32 * unitRoundoff)
                }
                #expect(abs(sums.values[j] - sum) <= bound && abs(products.values[j] - product) <= bound)
            }
        }
        #expect(inputs.areUnchanged)
    }
}
