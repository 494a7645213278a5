// main: arithmetic kernels by instruction level and number of threads, beside the measured peak. Benchmark.
//
// deepmotif-bench [--filter TEXT] [--level 0|1|2] [--threads 1,2] [--seconds 0.2] [--json]

import DeepMotifCore
import DeepMotifKernelTable
import DeepMotifKernels

#if arch(x86_64)
    import DeepMotifKernelsAVX2
    import DeepMotifKernelsAVX512
#endif

struct Options {
    var filter = ""
    var levels = InstructionLevel.available
    var threads = [1]
    var seconds = 0.2
    var json = false

    /// Nil where the arguments are not understood.
    init?(_ arguments: [String]) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            if name == "--json" {
                json = true
                continue
            }
            guard let value = rest.popFirst() else { return nil }
            switch name {
            case "--filter": filter = value
            case "--level":
                guard let level = Int32(value), levels.contains(level) else { return nil }
                levels = [level]
            case "--threads":
                threads = value.split(separator: ",").compactMap { Int($0) }.filter { $0 > 0 }
                if threads.isEmpty { return nil }
            case "--seconds":
                guard let number = Double(value), number >= 0 else { return nil }
                seconds = number
            default: return nil
            }
        }
    }
}

/// The pure multiply-add loop of a level.
func peakCase(level: Int32) -> BenchCase {
    let steps = 4096
    func loop(_ result: MutableFloats) -> Int {
        #if arch(x86_64)
            switch level {
            case 2: return DeepMotifKernelsAVX512.multiplyAddLoop(steps, result)
            case 1: return DeepMotifKernelsAVX2.multiplyAddLoop(steps, result)
            default: break
            }
        #endif
        return DeepMotifKernels.multiplyAddLoop(steps, result)
    }
    var first: Float = 0
    let work = loop(&first)
    return BenchCase(name: "peak (multiply-adds on registers)", work: Double(work), bytes: 0) {
        let result = try Buffer<Float>(count: 1)
        return { _ = loop(result.pointer) }
    }
}

func cases(kernels: KernelTable) -> [BenchCase] {
    let products = [
        product("convolution 2", m: 42, n: 128, k: 640, lda: 128, kernels: kernels),
        product("convolution 3", m: 19, n: 128, k: 384, lda: 128, kernels: kernels),
        product("letters", m: 93, n: 128, k: 36, lda: 4, kernels: kernels),
        product("LSTM input", m: 101 * 16, n: 128, k: 128, lda: 128, kernels: kernels),
        product("input gradient tap", m: 42, n: 128, k: 128, lda: 128, kernels: kernels),
        product("DeepSEA convolution 2", m: 241, n: 480, k: 2560, lda: 320, kernels: kernels),
        product("DeepSEA convolution 3", m: 53, n: 960, k: 3840, lda: 480, kernels: kernels),
        product("DeepSEA dense", m: 14, n: 925, k: 6400, lda: 6400, kernels: kernels),
        product("DeepSEA input gradient tap", m: 241, n: 320, k: 480, lda: 480, kernels: kernels),
        product("square", m: 512, n: 512, k: 512, lda: 512, kernels: kernels),
        transposedProduct("convolution 2", m: 128, n: 640, k: 42, ldb: 128, kernels: kernels),
        transposedProduct("convolution 3", m: 128, n: 384, k: 19, ldb: 128, kernels: kernels),
        transposedProduct("DeepSEA convolution 2", m: 480, n: 2560, k: 241, ldb: 320, kernels: kernels),
        transposedProduct("DeepSEA convolution 3", m: 960, n: 3840, k: 53, ldb: 480, kernels: kernels),
        transposedProduct("DeepSEA dense", m: 925, n: 6400, k: 14, ldb: 6400, kernels: kernels),
        transposedProduct("letters", m: 128, n: 36, k: 93, ldb: 4, kernels: kernels),
        transposedProduct("LSTM input", m: 128, n: 128, k: 101 * 16, ldb: 128, kernels: kernels),
        transposedProduct("LSTM recurrent", m: 128, n: 32, k: 101 * 16, ldb: 32, kernels: kernels),
    ]
    let masked = [
        maskedProduct("LSTM input gradient, letters", m: 101, n: 4, k: 128, share: 1, kernels: kernels),
        maskedProduct("LSTM input gradient", m: 101, n: 128, k: 128, share: 0.1, kernels: kernels),
        maskedProduct("LSTM input gradient", m: 101, n: 128, k: 128, share: 0.3, kernels: kernels),
    ]
    let recurrent = [
        lstm(rows: 1, length: 101, units: 32, training: false, kernels: kernels),
        lstm(rows: 16, length: 101, units: 32, training: false, kernels: kernels),
        lstm(rows: 4, length: 101, units: 32, training: true, kernels: kernels),
        lstm(rows: 8, length: 101, units: 32, training: true, kernels: kernels),
        lstm(rows: 16, length: 101, units: 32, training: true, kernels: kernels),
        lstmBackward(rows: 4, length: 101, units: 32, kernels: kernels),
        lstmBackward(rows: 8, length: 101, units: 32, kernels: kernels),
        lstmBackward(rows: 16, length: 101, units: 32, kernels: kernels),
    ]
    var all = products + masked + recurrent
    all += [convolution(gradient: false, kernels: kernels), convolution(gradient: true, kernels: kernels)]
    for gradient in [false, true] {
        all.append(pooledConvolution(filters: 16, width: 25, window: 101, gradient: gradient, kernels: kernels))
        all.append(pooledConvolution(filters: 32, width: 8, window: 4, gradient: gradient, kernels: kernels))
    }
    all += [listedConvolution(kernels: kernels), rowsByCode(kernels: kernels)]
    all += [packing(transposed: false, kernels: kernels), packing(transposed: true, kernels: kernels)]
    for kernel in SparseKernel.allCases {
        all.append(sparse(kernel, rows: 241, span: 2560, stride: 320, kernels: kernels))
        all.append(sparse(kernel, rows: 42, span: 640, stride: 128, kernels: kernels))
        all.append(sparse(kernel, rows: 19, span: 384, stride: 128, kernels: kernels))
        all.append(sparse(kernel, rows: 93, span: 36, stride: 4, kernels: kernels))
    }
    for share in [0.02, 0.05, 0.2, 0.4] {
        all.append(
            listedProduct("convolution 2", m: 42, n: 128, k: 640, lda: 128, share: share, kernels: kernels))
    }
    return all + elementwise(kernels: kernels)
}

func report(_ bench: BenchCase, level: Int32, threads: Int, timing: Timing, peak: Double, json: Bool) {
    let rate = bench.work * Double(threads) / timing.best * 1e-9
    let share = bench.unit == "GFLOP/s" && peak > 0 ? 100 * rate / peak : 0
    if json {
        print(
            "{\"kernel\": \"\(bench.name)\", \"level\": \(level), \"threads\": \(threads), \"bytes\": \(bench.bytes),"
                + " \"best_us\": \(format(timing.best * 1e6, digits: 3)),"
                + " \"median_us\": \(format(timing.median * 1e6, digits: 3)),"
                + " \"rate\": \(format(rate, digits: 3)), \"unit\": \"\(bench.unit)\","
                + " \"percent_of_peak\": \(format(share))}")
        return
    }
    let columns = [
        pad(bench.name, width: 66), pad("\(level)", width: 3, right: true), pad("\(threads)", width: 3, right: true),
        format(Double(bench.bytes) / 1024, digits: 0, width: 7), format(timing.best * 1e6, digits: 2, width: 10),
        format(timing.median * 1e6, digits: 2, width: 10), format(rate, digits: 2, width: 9),
        pad(bench.unit, width: 10), share > 0 ? format(share, digits: 0, width: 4) + " %" : "",
    ]
    print(columns.joined(separator: " "))
}

func run(_ options: Options) throws {
    if !options.json {
        print("kernel, level (0 baseline, 1 AVX2, 2 AVX-512), threads, KiB, best us, median us, rate, % of peak")
    }
    for level in options.levels {
        let kernels = KernelTable.table(level: level)
        for threads in options.threads {
            let loop = peakCase(level: level)
            let timing = try measure(loop, threads: threads, seconds: options.seconds)
            let peak = loop.work * Double(threads) / timing.best * 1e-9
            report(loop, level: level, threads: threads, timing: timing, peak: peak, json: options.json)
            for bench in cases(kernels: kernels) where bench.name.contains(options.filter) || options.filter.isEmpty {
                let timing = try measure(bench, threads: threads, seconds: options.seconds)
                report(bench, level: level, threads: threads, timing: timing, peak: peak, json: options.json)
            }
        }
    }
}

if let options = Options(Array(CommandLine.arguments.dropFirst())) {
    try run(options)
} else {
    print("usage: DeepMotifBench [--filter TEXT] [--level 0|1|2] [--threads 1,2] [--seconds 0.2] [--json]")
}
