// Pooling: maxima and means over windows of positions. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

extension PoolWindows {
    func outputShape(_ kind: String, for input: Shape) throws(DeepMotifError) -> Shape {
        let count = count(length: input.length)
        guard count >= 1 else {
            throw .shape("\(kind) of width \(width) needs at least \(fewest) positions; got \(input.length)")
        }
        return Shape(length: count, channels: input.channels)
    }

    /// Fewest positions that give a window.
    private var fewest: Int {
        isSame ? 1 : max(width - leftPadding - rightPadding - (isCeil ? stride - 1 : 0), 1)
    }

    /// Calls with runs of windows of equal width: number of the first, how many, where it starts, width and divisor.
    @inline(__always)
    func forEachRun(
        length: Int, count: Int,
        _ body: (_ first: Int, _ count: Int, _ start: Int, _ width: Int, _ divisor: Int) -> Void
    ) {
        let whole = whole(length: length, count: count)
        func edge(_ p: Int) {
            let (range, divisor) = window(p, length: length)
            body(p, 1, range.lowerBound, range.count, divisor)
        }
        for p in 0..<whole.lowerBound { edge(p) }
        if !whole.isEmpty {
            let start = whole.lowerBound * stride - paddings(length: length).left
            body(whole.lowerBound, whole.count, start, width, width)
        }
        for p in whole.upperBound..<max(whole.upperBound, count) { edge(p) }
    }
}

/// Maximum of each window; positions behind the last window are left out. The gradient goes to the first maximum.
package struct MaxPool1D: Layer {
    package let kind = "max_pool1d"
    package let windows: PoolWindows

    package func outputShape(for input: Shape) throws(DeepMotifError) -> Shape {
        try windows.outputShape(kind, for: input)
    }

    package func zerosBlockGradient(before: Bool) -> Bool { before }

    package func cacheCount(for input: Shape, kernels: KernelTable) -> Int {
        max(0, windows.count(length: input.length)) * input.channels
    }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        let x = input.floats
        let (channels, count) = (pass.input.channels, pass.output.count)
        let offsets = pass.cache.map {
            UnsafeMutableRawPointer($0).bindMemory(to: Int32.self, capacity: pass.rows * count)
        }
        windows.forEachRun(length: pass.input.length, count: pass.output.length) { first, number, start, width, _ in
            for row in 0..<pass.rows {
                let place = row * count + first * channels
                pass.table.pointee.maxPool(
                    x + row * pass.input.count + start * channels, channels, width, windows.stride, number,
                    output + place, offsets.map { $0 + place })
            }
        }
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        guard let cache = pass.cache else { preconditionFailure("backward without a cache") }
        let (channels, count) = (pass.input.channels, pass.output.count)
        let offsets = UnsafeMutableRawPointer(cache).bindMemory(to: Int32.self, capacity: pass.rows * count)
        inputGradient.update(repeating: 0, count: pass.rows * pass.input.count)
        windows.forEachRun(length: pass.input.length, count: pass.output.length) { first, number, start, _, _ in
            for row in 0..<pass.rows {
                let place = row * count + first * channels
                pass.table.pointee.maxPoolGradient(
                    outputGradient + place, offsets + place, channels, windows.stride, number,
                    inputGradient + row * pass.input.count + start * channels)
            }
        }
    }
}

/// Mean of each window; positions behind the last window are left out.
package struct AveragePool1D: Layer {
    package let kind = "average_pool1d"
    package let windows: PoolWindows
    /// Padding counts as zeros; what a last window in ceil mode lacks never counts, as in PyTorch.
    package let countsPadding: Bool

    package func outputShape(for input: Shape) throws(DeepMotifError) -> Shape {
        try windows.outputShape(kind, for: input)
    }

    package func forward(_ input: LayerInput, to output: MutableFloats, pass: LayerPass) {
        let x = input.floats
        let channels = pass.input.channels
        windows.forEachRun(length: pass.input.length, count: pass.output.length) {
            first, number, start, width, divisor in
            for row in 0..<pass.rows {
                let target = output + row * pass.output.count + first * channels
                pass.table.pointee.averagePool(
                    x + row * pass.input.count + start * channels, channels, width, windows.stride, number, target)
                scale(target, channels, width, divisor)
            }
        }
    }

    package func backward(
        _ input: LayerInput, output: Floats, outputGradient: MutableFloats, inputGradient: MutableFloats?,
        parameterGradient: MutableFloats?, pass: LayerPass
    ) {
        guard let inputGradient else { return }
        let channels = pass.input.channels
        inputGradient.update(repeating: 0, count: pass.rows * pass.input.count)
        windows.forEachRun(length: pass.input.length, count: pass.output.length) {
            first, number, start, width, divisor in
            for row in 0..<pass.rows {
                let source = outputGradient + row * pass.output.count + first * channels
                scale(source, channels, width, divisor)
                pass.table.pointee.averagePoolGradient(
                    source, channels, width, windows.stride, number,
                    inputGradient + row * pass.input.count + start * channels)
            }
        }
    }

    /// From the mean over the positions of an edge's window to the one over positions and padding.
    private func scale(_ values: MutableFloats, _ channels: Int, _ width: Int, _ divisor: Int) {
        guard countsPadding, divisor != width else { return }
        let share = Float(width) / Float(divisor)
        for c in 0..<channels { values[c] *= share }
    }
}
