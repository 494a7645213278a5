// Cases+Sparse: convolutions of codes and sparse gradients at the sizes of the networks. Benchmark.

import DeepMotifCore
import DeepMotifKernelTable

/// Densities behind ReLU, dropout 0.5 and pooling by 2.
private let density = 0.12

func convolution(gradient: Bool, kernels: KernelTable) -> BenchCase {
    let g = ConvolutionGeometry(
        length: 101, outputLength: 93, channels: 4, filters: 128, width: 9, stride: 1, dilation: 1, padding: 0)
    return BenchCase(
        name: "convolveCodes\(gradient ? "Gradient" : "") L=101 K=9 F=128",
        work: Double(g.outputLength * g.width * g.filters), bytes: 4 * (g.width * 5 + g.outputLength) * g.filters
    ) {
        let letters = try codes(g.length)
        let table = try numbers(g.width * 5 * g.filters)
        let bias = try numbers(g.filters)
        let y = try numbers(g.outputLength * g.filters, density: density)
        let scratch = try Buffer<Float>(count: g.gradientScratchCount)
        let positions = PoolRun(start: 0, width: 1, stride: 1, count: g.outputLength)
        return {
            if gradient {
                kernels.convolveCodesGradient(
                    letters.readOnly, y.readOnly, nil, table.pointer, scratch.pointer, g, positions)
            } else {
                kernels.convolveCodes(letters.readOnly, table.readOnly, bias.readOnly, y.pointer, g)
            }
        }
    }
}

/// The same from pairs of letters with maxima over windows, at the sizes of the DeepResolve networks.
func pooledConvolution(filters: Int, width: Int, window: Int, gradient: Bool, kernels: KernelTable) -> BenchCase {
    let g = ConvolutionGeometry(
        length: 101, outputLength: 101, channels: 4, filters: filters, width: width, stride: 1, dilation: 1,
        padding: (width - 1) / 2)
    let windows = PoolRun(start: 0, width: window, stride: window, count: 101 / window)
    let tableCount = (width + 1) / 2 * 25 * filters
    return BenchCase(
        name: gradient
            ? "convolveCodesGradient L=101 K=\(width) F=\(filters) pool \(window)"
            : "convolveCodePools L=101 K=\(width) F=\(filters) pool \(window)",
        work: Double(g.outputLength * g.width * g.filters), bytes: 4 * (tableCount + 2 * windows.count * g.filters)
    ) {
        let letters = try codes(g.length)
        let table = try numbers(tableCount)
        let bias = try numbers(g.filters)
        let y = try numbers(windows.count * g.filters)
        let offsets = try Buffer<Int32>(count: windows.count * g.filters)
        let places = try Buffer<Int32>(count: g.outputLength + g.width)
        let scratch = try Buffer<Float>(count: g.gradientScratchCount)
        kernels.convolveCodePools(
            letters.readOnly, 2, table.readOnly, bias.readOnly, y.pointer, offsets.pointer, places.pointer, g, windows,
            true)
        return {
            if gradient {
                kernels.convolveCodesGradient(
                    letters.readOnly, y.readOnly, offsets.readOnly, table.pointer, scratch.pointer, g, windows)
            } else {
                kernels.convolveCodePools(
                    letters.readOnly, 2, table.readOnly, bias.readOnly, y.pointer, offsets.pointer, places.pointer, g,
                    windows, true)
            }
        }
    }
}

/// The gradient behind a maximum over all positions: one element a filter.
func listedConvolution(kernels: KernelTable) -> BenchCase {
    let g = ConvolutionGeometry(
        length: 101, outputLength: 101, channels: 4, filters: 16, width: 25, stride: 1, dilation: 1, padding: 12)
    return BenchCase(
        name: "convolveListedGradient L=101 K=25 F=16", work: Double(g.filters * g.width),
        bytes: 4 * g.width * 5 * g.filters
    ) {
        let (letters, places) = (try codes(g.length), try codes(g.filters))
        let (indices, counts) = (try Buffer<Int32>(count: 101 * 16), try Buffer<Int32>(count: 16))
        for f in 0..<16 {
            indices.pointer[101 * f] = 20 * Int32(places.pointer[f])
            counts.pointer[f] = 1
        }
        let (values, table, bias) = (try numbers(101 * 16), try numbers(25 * 5 * 16), try numbers(16))
        return {
            kernels.convolveListedGradient(
                letters.readOnly, indices.readOnly, values.readOnly, counts.readOnly, 101, table.pointer,
                bias.pointer, g)
        }
    }
}

/// Weights into panels, from rows of outputs and from rows of inputs.
func packing(transposed: Bool, kernels: KernelTable) -> BenchCase {
    let (k, n) = (640, 128)
    return BenchCase(
        name: "packMatrix \(transposed ? "transposed " : "")k=\(k) n=\(n)", work: Double(k * n), unit: "Gelement/s",
        bytes: 8 * k * n
    ) {
        let b = try numbers(k * n)
        let packed = try Buffer<Float>(count: kernels.packedCount(k: k, n: n))
        return { kernels.packMatrix(b.readOnly, transposed ? 1 : n, transposed ? k : 1, k, n, packed.pointer) }
    }
}

/// Gate gradients summed by letter: the input weights of an LSTM on codes.
func rowsByCode(kernels: KernelTable) -> BenchCase {
    BenchCase(name: "addRowsByCode 101x128", work: 101 * 128, bytes: 4 * 106 * 128) {
        let (letters, rows, table) = (try codes(101), try numbers(101 * 128), try numbers(5 * 128))
        return { kernels.addRowsByCode(letters.readOnly, rows.readOnly, 101, 128, table.pointer) }
    }
}

/// What one sparse case works on.
enum SparseKernel: String, CaseIterable {
    case listNonzeros
    case accumulateSparseRows
    case scatterSparseRows
}

func sparse(_ kernel: SparseKernel, rows: Int, span: Int, stride: Int, kernels: KernelTable) -> BenchCase {
    let columns = 128
    let listed = Double(rows * columns) * density
    return BenchCase(
        name: "\(kernel.rawValue) rows=\(rows) columns=\(columns) span=\(span) density=\(density)",
        work: kernel == .listNonzeros ? Double(rows * columns) : 2 * listed * Double(span),
        unit: kernel == .listNonzeros ? "Gelement/s" : "GFLOP/s",
        bytes: 4 * (rows * columns + (kernel == .listNonzeros ? 2 * rows * columns : rows * stride + columns * span))
    ) {
        let g = try numbers(rows * columns, density: density)
        let indices = try Buffer<Int32>(count: rows * columns)
        let values = try Buffer<Float>(count: rows * columns)
        let counts = try Buffer<Int32>(count: columns)
        let x = try numbers(rows * stride + span)
        let w = try numbers(columns * span)
        _ = kernels.listNonzeros(g.readOnly, rows, columns, indices.pointer, values.pointer, counts.pointer)
        return {
            switch kernel {
            case .listNonzeros:
                _ = kernels.listNonzeros(g.readOnly, rows, columns, indices.pointer, values.pointer, counts.pointer)
            case .accumulateSparseRows:
                kernels.accumulateSparseRows(
                    x.readOnly, stride, span, UnsafePointer(indices.pointer), values.readOnly,
                    UnsafePointer(counts.pointer), rows, columns, w.pointer)
            case .scatterSparseRows:
                kernels.scatterSparseRows(
                    w.readOnly, span, x.pointer, stride, UnsafePointer(indices.pointer), values.readOnly,
                    UnsafePointer(counts.pointer), rows, columns)
            }
        }
    }
}

/// The forward product of a convolution from the list of its input's non-zeros, listing included.
func listedProduct(_ name: String, m: Int, n: Int, k: Int, lda: Int, share: Double, kernels: KernelTable) -> BenchCase {
    let count = (m - 1) * lda + k
    return BenchCase(
        name: "listNonzeros + multiplyListed \(name) m=\(m) n=\(n) k=\(k) density=\(share)",
        work: 2 * Double(m * n * k) * share, bytes: 4 * (3 * count + k * n + m * n)
    ) {
        let a = try numbers(count, density: share)
        let (w, bias) = (try numbers(k * n), try numbers(n))
        let packed = try Buffer<Float>(count: kernels.packedCount(k: k, n: n))
        kernels.packMatrix(w.readOnly, n, 1, k, n, packed.pointer)
        let indices = try Buffer<Int32>(count: count)
        let values = try Buffer<Float>(count: count)
        let listed = try Buffer<Int32>(count: 1)
        let c = try Buffer<Float>(count: m * n)
        return {
            let total = kernels.listNonzeros(a.readOnly, count, 1, indices.pointer, values.pointer, listed.pointer)
            kernels.multiplyListed(
                UnsafePointer(indices.pointer), values.readOnly, total, lda, packed.readOnly, bias.readOnly, c.pointer,
                n, m,
                n, k)
        }
    }
}

/// Kernels over the activations of one sequence, in place where the networks call them so.
func elementwise(kernels: KernelTable) -> [BenchCase] {
    let count = 42 * 128
    func map(_ name: String, isInPlace: Bool = false, _ kernel: @escaping KernelTable.MapKernel) -> BenchCase {
        BenchCase(name: "\(name) \(count)", work: Double(count), unit: "Gelement/s", bytes: 4 * count) {
            let x = try numbers(count)
            let y = isInPlace ? x : try Buffer<Float>(count: count)
            return { kernel(x.readOnly, y.pointer, count) }
        }
    }
    func mapGradient(_ name: String, _ kernel: @escaping KernelTable.MapGradientKernel) -> BenchCase {
        BenchCase(name: "\(name) \(count)", work: Double(count), unit: "Gelement/s", bytes: 8 * count) {
            let (y, dy) = (try numbers(count, density: 0.5), try numbers(count))
            return { kernel(y.readOnly, dy.readOnly, dy.pointer, count) }
        }
    }
    return [
        map("relu", isInPlace: true, kernels.relu), mapGradient("reluGradient", kernels.reluGradient),
        map("sigmoid", kernels.sigmoid), map("tanh", kernels.tanh), map("add", kernels.add),
        map("dropout", isInPlace: true) { x, y, count in kernels.dropout(x, y, count, 12345, 32768) },
        map("addColumnSums") { x, y, count in kernels.addColumnSums(x, count / 128, 128, y) },
        map("averagePool") { x, y, count in kernels.averagePool(x, 128, 2, 2, count / 256, y) },
        adam(kernels: kernels), maxPool(kernels: kernels), maxPoolGradient(kernels: kernels),
    ]
}

private func adam(kernels: KernelTable) -> BenchCase {
    let count = 136_322
    return BenchCase(name: "adam \(count)", work: Double(count), unit: "Gelement/s", bytes: 16 * count) {
        let (p, g) = (try numbers(count), try numbers(count))
        let (m, v) = (try Buffer<Float>(count: count), try Buffer<Float>(count: count))
        let step = AdamStep(
            beta1: 0.9, beta2: 0.999, stepSize: 1e-6, secondMomentRoot: 1, epsilon: 1e-8, clip: 5)
        return { kernels.adam(p.pointer, g.readOnly, m.pointer, v.pointer, count, step) }
    }
}

private func maxPool(kernels: KernelTable) -> BenchCase {
    BenchCase(name: "maxPool 92x128", work: 92 * 128, unit: "Gelement/s", bytes: 92 * 128 * 8) {
        let x = try numbers(92 * 128)
        let y = try Buffer<Float>(count: 46 * 128)
        let offsets = try Buffer<Int32>(count: 46 * 128)
        return { kernels.maxPool(x.readOnly, 128, 2, 2, 46, y.pointer, offsets.pointer) }
    }
}

private func maxPoolGradient(kernels: KernelTable) -> BenchCase {
    BenchCase(name: "maxPoolGradient 92x128", work: 92 * 128, unit: "Gelement/s", bytes: 92 * 128 * 8) {
        let dy = try numbers(46 * 128)
        let dx = try Buffer<Float>(count: 92 * 128)
        let offsets = try Buffer<Int32>(count: 46 * 128)
        let letters = try codes(46 * 128)
        for i in 0..<46 * 128 { offsets.pointer[i] = Int32(letters.pointer[i] & 1) }
        return {
            kernels.maxPoolGradient(dy.readOnly, UnsafePointer(offsets.pointer), 128, 2, 46, dx.pointer)
        }
    }
}
