// Cases: the kernels at the sizes of the three networks. Benchmark.

import DeepMotifCore
import DeepMotifKernelTable

/// Memory with reproducible contents in -bound ... bound, of which `density` are not zero.
func numbers(_ count: Int, density: Double = 1, bound: Float = 1) throws -> Buffer<Float> {
    let buffer = try Buffer<Float>(count: count)
    var source = RandomSource(seed: UInt64(count), purpose: .simulation)
    for i in 0..<count {
        let value = (2 * source.uniformFloat() - 1) * bound
        buffer.pointer[i] = source.uniform() < density ? value : 0
    }
    return buffer
}

func codes(_ count: Int) throws -> Buffer<UInt8> {
    let buffer = try Buffer<UInt8>(count: count)
    var source = RandomSource(seed: UInt64(count), purpose: .simulation)
    for i in 0..<count { buffer.pointer[i] = UInt8(source.below(letterCount)) }
    return buffer
}

/// The product of a convolution or of a dense layer: rows of A are lda apart.
func product(_ name: String, m: Int, n: Int, k: Int, lda: Int, kernels: KernelTable) -> BenchCase {
    BenchCase(
        name: "multiply \(name) m=\(m) n=\(n) k=\(k)", work: 2 * Double(m * n * k),
        bytes: 4 * ((m - 1) * lda + k + k * n + m * n)
    ) {
        let a = try numbers((m - 1) * lda + k)
        let b = try numbers(k * n)
        let packed = try Buffer<Float>(count: kernels.packedCount(k: k, n: n))
        kernels.packMatrix(b.readOnly, n, 1, k, n, packed.pointer)
        let bias = try numbers(n)
        let c = try Buffer<Float>(count: m * n)
        return { kernels.multiply(a.readOnly, lda, packed.readOnly, bias.readOnly, c.pointer, n, m, n, k, false) }
    }
}

/// Dot products at a share of the elements; the work is that of those.
func maskedProduct(_ name: String, m: Int, n: Int, k: Int, share: Double, kernels: KernelTable) -> BenchCase {
    BenchCase(
        name: "multiplyMasked \(name) m=\(m) n=\(n) k=\(k) density=\(share)", work: 2 * Double(m * n * k) * share,
        bytes: 4 * (m * k + n * k + 2 * m * n)
    ) {
        let (a, b, mask) = (try numbers(m * k), try numbers(n * k), try numbers(m * n, density: share))
        let c = try Buffer<Float>(count: m * n)
        return { kernels.multiplyMasked(a.readOnly, k, b.readOnly, mask.readOnly, c.pointer, n, m, n, k, false) }
    }
}

/// The product of a weight gradient: C (m x n) += A^T B over k rows.
func transposedProduct(_ name: String, m: Int, n: Int, k: Int, ldb: Int, kernels: KernelTable) -> BenchCase {
    BenchCase(
        name: "multiplyTransposed \(name) m=\(m) n=\(n) k=\(k)", work: 2 * Double(m * n * k),
        bytes: 4 * (k * m + (k - 1) * ldb + n + 2 * m * n)
    ) {
        let a = try numbers(k * m)
        let b = try numbers((k - 1) * ldb + n)
        let c = try Buffer<Float>(count: m * n)
        return { kernels.multiplyTransposed(a.readOnly, m, b.readOnly, ldb, c.pointer, n, m, n, k) }
    }
}

/// One direction of an LSTM; the work is the recurrent product alone.
func lstm(rows: Int, length: Int, units: Int, training: Bool, kernels: KernelTable) -> BenchCase {
    let padded = kernels.paddedUnits(units)
    let positions = rows * length
    let states = training ? positions * 5 * padded : 0
    return BenchCase(
        name: "lstmForward \(training ? "training" : "inference") rows=\(rows) L=\(length) H=\(units)",
        work: 8 * Double(positions * units * units), bytes: 4 * (positions * units + states + 4 * padded * units)
    ) {
        let letters = try codes(positions)
        let table = try numbers(5 * 4 * padded)
        let weights = try numbers(4 * units * units, bound: 1 / Float(units).squareRoot())
        let packed = try Buffer<Float>(count: 4 * padded * units)
        kernels.packRecurrent(weights.readOnly, units, padded, packed.pointer)
        let output = try Buffer<Float>(count: positions * units)
        let gates = try Buffer<Float>(count: positions * 4 * padded)
        let cells = try Buffer<Float>(count: positions * padded)
        let scratch = try Buffer<Float>(count: kernels.lstmScratchCount(padded))
        let geometry = LSTMGeometry(
            rows: rows, length: length, units: units, paddedUnits: padded, isReversed: false, outputStride: units)
        return {
            kernels.lstmForward(
                letters.readOnly, table.readOnly, packed.readOnly, output.pointer, training ? gates.pointer : nil,
                training ? cells.pointer : nil, scratch.pointer, geometry)
        }
    }
}

func lstmBackward(rows: Int, length: Int, units: Int, kernels: KernelTable) -> BenchCase {
    let padded = kernels.paddedUnits(units)
    let positions = rows * length
    return BenchCase(
        name: "lstmBackward rows=\(rows) L=\(length) H=\(units)", work: 8 * Double(positions * units * units),
        bytes: 4 * (positions * (units + 9 * padded) + 4 * padded * padded)
    ) {
        let weights = try numbers(4 * units * units, bound: 1 / Float(units).squareRoot())
        let packed = try Buffer<Float>(count: 4 * padded * padded)
        kernels.packRecurrentTransposed(weights.readOnly, units, padded, packed.pointer)
        let gates = try numbers(positions * 4 * padded)
        let cells = try numbers(positions * padded)
        let dy = try numbers(positions * units)
        let gradients = try Buffer<Float>(count: positions * 4 * padded)
        let scratch = try Buffer<Float>(count: kernels.lstmScratchCount(padded))
        let geometry = LSTMGeometry(
            rows: rows, length: length, units: units, paddedUnits: padded, isReversed: false, outputStride: units)
        return {
            kernels.lstmBackward(
                dy.readOnly, gates.readOnly, cells.readOnly, packed.readOnly, gradients.pointer, scratch.pointer,
                geometry)
        }
    }
}
