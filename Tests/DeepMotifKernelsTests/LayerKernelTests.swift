// LayerKernelTests: the less common activations and the kernels that work row by row.

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifTestSupport
import Testing

/// Round every vector: one row of so many columns, or so many elements.
private let counts = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 131, 1009]

/// Runs a kernel (x, y) on fresh memory and in place; both must agree to the byte.
private func apply(_ x: [Float], _ kernel: (Floats, MutableFloats) -> Void) -> [Float] {
    let inputs = Inputs()
    let y = GuardedBuffer<Float>(count: x.count)
    kernel(inputs(x), y.pointer)
    let same = GuardedBuffer(x)
    kernel(same.readOnly, same.pointer)
    #expect(y.isIntact && same.isIntact && inputs.areUnchanged)
    #expect(y.values.map(\.bitPattern) == same.values.map(\.bitPattern))
    return y.values
}

/// Both signs, from tiny to where the functions have reached their ends.
private let arguments: [Float] = {
    var values: [Float] = [0]
    var x: Float = 1e-20
    while x < 12 {
        values.append(x)
        x *= x < 1e-3 ? 1.9 : 1.01
    }
    return values + values.map { -$0 }
}()

@Suite struct LayerKernelTests {
    /// Five roundings of the polynomial and the product with alpha.
    @Test(arguments: InstructionLevel.available) func elu(level: Int32) {
        let kernels = KernelTable.table(level: level).layers
        for alpha: Float in [0, 0.5, 1, 3] {
            let y = apply(arguments) { kernels.elu($0, $1, arguments.count, alpha) }
            let expected = arguments.doubles.map { x in
                // exp(x) - 1 = 2 tanh(x / 2) / (1 - tanh(x / 2)), without the cancellation.
                let t = Twin.hyperbolicTangent(x / 2)
                return x > 0 ? x : Double(alpha) * 2 * t / (1 - t)
            }
            #expect(worstRatio(y, expected, allowed: expected.map { 8 * unitRoundoff * abs($0) + 1e-37 }) <= 1)
            let inputs = Inputs()
            let dy = testFloats(y.count, seed: 7)
            let dx = apply(dy) { kernels.eluGradient(inputs(y), $0, $1, y.count, alpha) }
            let slopes = zip(y, dy).map { Double($1) * ($0 > 0 ? 1 : Double($0) + Double(alpha)) }
            #expect(worstRatio(dx, slopes, allowed: slopes.map { _ in 8 * unitRoundoff }) <= 1)
            #expect(inputs.areUnchanged)
        }
    }

    /// exp of a rounded argument: relative error of the argument's size times u, beside a few roundings.
    @Test(arguments: InstructionLevel.available) func exponential(level: Int32) {
        let kernels = KernelTable.table(level: level).layers
        let x = arguments + arguments.map { $0 * 7 }
        let y = apply(x) { kernels.exponential($0, $1, x.count) }
        let expected = x.doubles.map(Twin.exponential)
        #expect(worstRatio(y, expected, allowed: expected.map { 6 * unitRoundoff * $0 }) <= 1)
        let ends = apply([88.7, 89, .infinity, -90, -.infinity, .nan]) { kernels.exponential($0, $1, 6) }
        #expect(ends[0] > 3e38 && ends[0].isFinite && ends[1] == .infinity && ends[2] == .infinity)
        #expect(ends[3] < 2e-38 && ends[4] < 2e-38 && ends[5].isNaN)
    }

    /// The stated error, (6 + x^2) u of the value, in the left tail too. The approximation by tanh has an argument of
    /// the size of 2 x + x^3 / 10.
    @Test(arguments: [false, true], InstructionLevel.available) func gelu(approximate: Bool, level: Int32) {
        let kernels = KernelTable.table(level: level).layers
        let x = approximate ? arguments.filter { $0 > -5 } : arguments
        let y = apply(x) { kernels.gelu($0, $1, x.count, approximate) }
        let expected = x.doubles.map { x in
            guard approximate else { return Twin.gelu(x, approximate: false) }
            let u = 2 * (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)
            return x * Twin.sigmoid(u)
        }
        let allowed = zip(x, expected).map { x, value in
            let size = approximate ? 8 + 8 * abs(Double(x)) + abs(Double(x * x * x)) : 8 + Double(x * x)
            return size * unitRoundoff * abs(value) + 1e-37
        }
        #expect(worstRatio(y, expected, allowed: allowed) <= 1)
        for count in counts where count <= x.count {
            #expect(apply(Array(x[..<count])) { kernels.gelu($0, $1, count, approximate) } == Array(y[..<count]))
        }
    }

    @Test(arguments: InstructionLevel.available) func leakyReLU(level: Int32) {
        let kernels = KernelTable.table(level: level).layers
        for count in counts {
            let x = testFloats(count, seed: 1)
            #expect(apply(x) { kernels.leakyReLU($0, $1, count, 0.25) } == x.map { $0 > 0 ? $0 : 0.25 * $0 })
        }
    }

    @Test(arguments: counts, InstructionLevel.available) func softmax(columns: Int, level: Int32) {
        let kernels = KernelTable.table(level: level).layers
        let x = testFloats(3 * columns, seed: 2, bound: 20)
        let y = apply(x) { kernels.softmax($0, 3, columns, $1) }
        let expected = (0..<3).flatMap { row in Twin.softmax(x[(row * columns)..<((row + 1) * columns)].doubles) }
        let terms = Double(columns + 60)
        #expect(worstRatio(y, expected, allowed: expected.map { terms * unitRoundoff * $0 + 2e-38 }) <= 1)
    }

    /// The gradients of the inputs sum to zero: both are invariant to a shift.
    @Test(arguments: counts, InstructionLevel.available) func rowGradientsSumToZero(columns: Int, level: Int32) {
        let kernels = KernelTable.table(level: level).layers
        let inputs = Inputs()
        let (x, dy) = (testFloats(2 * columns, seed: 3), testFloats(2 * columns, seed: 4))
        let dx = GuardedBuffer<Float>(count: 2 * columns)
        let weight = testFloats(columns, seed: 5)
        let gradient = GuardedBuffer<Float>([Float](repeating: 0, count: 2 * columns))
        kernels.layerNormGradient(
            inputs(x), inputs(dy), 2, columns, inputs(weight), 1e-3, dx.pointer, gradient.pointer)
        #expect(dx.isIntact && gradient.isIntact && inputs.areUnchanged)
        for row in 0..<2 {
            let values = dx.values[(row * columns)..<((row + 1) * columns)].doubles
            let magnitude = values.magnitudes.reduce(0, +) + 40
            #expect(abs(values.reduce(0, +)) <= 64 * unitRoundoff * magnitude)
        }
        let sums = (0..<columns).map { Double(dy[$0]) + Double(dy[columns + $0]) }
        #expect(worstRatio(Array(gradient.values[columns...]), sums, allowed: sums.map { _ in 4 * unitRoundoff }) <= 1)
    }
}

extension ArraySlice where Element == Float {
    fileprivate var doubles: [Double] { map(Double.init) }
}
