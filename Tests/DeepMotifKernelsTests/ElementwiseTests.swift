// ElementwiseTests: functions, sums, dropout and the optimizer, element by element.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifTestSupport
import Testing

/// Round every vector and unrolling.
private let counts = [0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 131, 1009]

/// Runs a map on fresh memory and in place; both must agree to the byte.
private func apply(_ kernel: KernelTable.MapKernel, _ x: [Float]) -> [Float] {
    let inputs = Inputs()
    let y = GuardedBuffer<Float>(count: x.count)
    kernel(inputs(x), y.pointer, x.count)
    let same = GuardedBuffer(x)
    kernel(same.readOnly, same.pointer, x.count)
    #expect(y.isIntact && same.isIntact)
    #expect(y.values.map(\.bitPattern) == same.values.map(\.bitPattern))
    #expect(inputs.areUnchanged)
    return y.values
}

/// The same for a gradient (y, dy, dx).
private func apply(_ kernel: KernelTable.MapGradientKernel, _ y: [Float], _ dy: [Float]) -> [Float] {
    let inputs = Inputs()
    let dx = GuardedBuffer<Float>(count: y.count)
    kernel(inputs(y), inputs(dy), dx.pointer, y.count)
    let same = GuardedBuffer(dy)
    kernel(inputs(y), same.readOnly, same.pointer, y.count)
    #expect(dx.isIntact && same.isIntact)
    #expect(dx.values.map(\.bitPattern) == same.values.map(\.bitPattern))
    #expect(inputs.areUnchanged)
    return dx.values
}

/// The largest error in units in the last place of the true value.
private func worstUlps(_ actual: [Float], _ expected: [Double]) -> Double {
    zip(actual, expected).reduce(0) { worst, pair in
        let ulp = Double(max(Float(abs(pair.1)), .leastNormalMagnitude).ulp)
        return max(worst, abs(Double(pair.0) - pair.1) / ulp)
    }
}

#if DEBUG
    private let fineStep: Float = 1.01
#else
    private let fineStep: Float = 1.0007
#endif

/// Both signs of every size from 1e-30 up to 100, and the neighbourhoods of the ends of the range reduction.
private let arguments: [Float] = {
    var values: [Float] = [0, 86.9, 87, 87.1, 88, 100, 1e4, .greatestFiniteMagnitude, .infinity]
    var x: Float = 1e-30
    while x < 100 {
        values.append(x)
        x *= x < 1e-3 ? 1.37 : fineStep
    }
    for step in 0..<400 { values.append(Float(step) * 0.1 + 1e-4) }
    return values + values.map { -$0 }
}()

@Suite struct ElementwiseTests {
    @Test(arguments: InstructionLevel.available) func relu(level: Int32) {
        let kernels = KernelTable.table(level: level)
        for count in counts {
            let x = testFloats(count, seed: 1)
            let y = apply(kernels.relu, x)
            #expect(y == x.map { max($0, 0) })
            let dy = testFloats(count, seed: 2)
            #expect(apply(kernels.reluGradient, y, dy) == zip(y, dy).map { $0 > 0 ? $1 : 0 })
        }
        #expect(apply(kernels.relu, [Float](repeating: .nan, count: 19)).allSatisfy { $0.isNaN })
        #expect(apply(kernels.relu, [-0.0, -.infinity, .infinity]) == [0, 0, .infinity])
    }

    /// Error of the polynomial (below 0.1 ulp), of the sums 1 + e and of the division: 4 ulp bound it. Below -87 the true
    /// value nears the smallest normal number and the result stays at about 1e-38.
    @Test(arguments: InstructionLevel.available) func sigmoidAccuracy(level: Int32) {
        let x = arguments.filter { $0 >= -87 }
        let y = apply(KernelTable.table(level: level).sigmoid, x)
        #expect(worstUlps(y, x.doubles.map(Twin.sigmoid)) <= 4)
        let far = apply(KernelTable.table(level: level).sigmoid, [-88, -100, -.infinity, -1e30])
        #expect(far.allSatisfy { $0 >= 0 && $0 < 2e-38 })
    }

    /// tanh keeps its relative accuracy down to zero: 4 ulp for exp(2x) - 1 and the quotient.
    @Test(arguments: InstructionLevel.available) func tanhAccuracy(level: Int32) {
        let y = apply(KernelTable.table(level: level).tanh, arguments)
        #expect(worstUlps(y, arguments.doubles.map(Twin.hyperbolicTangent)) <= 4)
        #expect(y.allSatisfy { abs($0) <= 1 })
    }

    @Test(arguments: InstructionLevel.available) func notANumberStays(level: Int32) {
        let kernels = KernelTable.table(level: level)
        let bad: [Float] = [
            .nan, -.nan, .init(bitPattern: 0x7FFF_FFFF), .init(bitPattern: 0x7FC0_0001), .init(bitPattern: 0xFFC0_0100),
        ]
        #expect(apply(kernels.sigmoid, bad).allSatisfy { $0.isNaN })
        #expect(apply(kernels.tanh, bad).allSatisfy { $0.isNaN })
    }

    /// Element i does not depend on the count: vectors and tails compute the same.
    @Test(arguments: InstructionLevel.available) func tailsEqualVectors(level: Int32) {
        let kernels = KernelTable.table(level: level)
        let x = testFloats(131, seed: 1, bound: 6)
        for kernel in [kernels.sigmoid, kernels.tanh] {
            let all = apply(kernel, x)
            for count in counts where count <= 131 {
                #expect(apply(kernel, Array(x[..<count])) == Array(all[..<count]))
            }
        }
    }

    @Test(arguments: InstructionLevel.available) func gradientsOfActivations(level: Int32) {
        let kernels = KernelTable.table(level: level)
        for count in counts {
            let y = testFloats(count, seed: 1)
            let dy = testFloats(count, seed: 2)
            let pairs = zip(y.doubles, dy.doubles)
            // Three rounded operations on factors of at most 2 in magnitude.
            let allowed = [Double](repeating: 8 * unitRoundoff, count: count)
            let sigmoid = pairs.map { $1 * $0 * (1 - $0) }
            #expect(worstRatio(apply(kernels.sigmoidGradient, y, dy), sigmoid, allowed: allowed) <= 1)
            let tanh = pairs.map { $1 * (1 - $0 * $0) }
            #expect(worstRatio(apply(kernels.tanhGradient, y, dy), tanh, allowed: allowed) <= 1)
        }
    }

    @Test(arguments: InstructionLevel.available) func sums(level: Int32) {
        let inputs = Inputs()
        let kernels = KernelTable.table(level: level)
        for count in counts {
            let (x, before) = (testFloats(count, seed: 1), testFloats(count, seed: 2))
            let y = GuardedBuffer(before)
            kernels.add(inputs(x), y.pointer, count)
            #expect(y.values == zip(before, x).map(+))
            #expect(y.isIntact)
        }
        for (rows, columns) in [(0, 3), (3, 0), (1, 1), (19, 128), (42, 37), (1009, 5), (7, 64), (7, 65), (13, 300)] {
            let (g, before) = (testFloats(rows * columns, seed: 1), testFloats(columns, seed: 2))
            let sums = GuardedBuffer(before)
            kernels.addColumnSums(inputs(g), rows, columns, sums.pointer)
            var (expected, magnitudes) = (before.doubles, before.magnitudes)
            for i in g.indices {
                expected[i % columns] += Double(g[i])
                magnitudes[i % columns] += abs(Double(g[i]))
            }
            let allowed = summationBounds(terms: rows, magnitudes: magnitudes)
            #expect(worstRatio(sums.values, expected, allowed: allowed) <= 1)
            #expect(sums.isIntact)
        }
        #expect(inputs.areUnchanged)
    }

    @Test(arguments: InstructionLevel.available) func adam(level: Int32) {
        let inputs = Inputs()
        let kernels = KernelTable.table(level: level)
        let step = AdamStep(
            beta1: 0.9, beta2: 0.999, stepSize: 0.01 / 0.271, secondMomentRoot: Float(0.003).squareRoot(),
            epsilon: 1e-8, clip: 0.5)
        for count in counts {
            let (p, g) = (testFloats(count, seed: 1), testFloats(count, seed: 2))
            let (m, v) = (testFloats(count, seed: 3), testFloats(count, seed: 4).map { $0 * $0 })
            let (pm, mm, vm) = (GuardedBuffer(p), GuardedBuffer(m), GuardedBuffer(v))
            kernels.adam(pm.pointer, inputs(g), mm.pointer, vm.pointer, count, step)
            #expect(pm.isIntact && mm.isIntact && vm.isIntact)
            let expected = (0..<count).map {
                Twin.adam(
                    parameter: Double(p[$0]), gradient: Double(g[$0]), first: Double(m[$0]), second: Double(v[$0]),
                    step: step)
            }
            // Values of at most 1 after three rounded operations; 1 - beta2 is rounded too. The parameter's change is
            // at most stepSize m / sqrt(v) with relative error 8 u, and is rounded with the parameter.
            let unit = [Double](repeating: 4 * unitRoundoff, count: count)
            #expect(worstRatio(mm.values, expected.map(\.first), allowed: unit) <= 1)
            #expect(worstRatio(vm.values, expected.map(\.second), allowed: unit) <= 1)
            let allowed = expected.indices.map {
                let change = abs(expected[$0].parameter - Double(p[$0]))
                return (abs(expected[$0].parameter) + 64 * (change + Double(step.stepSize))) * unitRoundoff
            }
            #expect(worstRatio(pm.values, expected.map(\.parameter), allowed: allowed) <= 1)
        }
        #expect(inputs.areUnchanged)
    }

    @Test(arguments: InstructionLevel.available) func adamKeepsNaN(level: Int32) {
        let kernels = KernelTable.table(level: level)
        let step = AdamStep(
            beta1: 0.9, beta2: 0.999, stepSize: 0.01, secondMomentRoot: 1, epsilon: 1e-8, clip: .infinity)
        let zeros = [Float](repeating: 0, count: 17)
        let parameters = GuardedBuffer(zeros)
        let gradient = GuardedBuffer([Float](repeating: .nan, count: 17))
        let (first, second) = (GuardedBuffer(zeros), GuardedBuffer(zeros))
        kernels.adam(parameters.pointer, gradient.readOnly, first.pointer, second.pointer, 17, step)
        #expect(parameters.isIntact && first.isIntact && second.isIntact)
        #expect(parameters.values.allSatisfy { $0.isNaN })
    }
}
