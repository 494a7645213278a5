// Trainer+Step: from the gradients of a batch's parts to the step. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// A run of trained parameters, small enough that its gradients stay in a core's cache.
struct TrainedSlice {
    static let limit = 4096

    var start: Int
    var count: Int
    /// The parts of it that belong to matrices, which alone are penalised.
    var matrices: [Range<Int>]

    /// All trained parameters, in order. Without untrained arrays the cuts are those of the whole buffer.
    static func slices(of parameters: ParameterStore) -> [TrainedSlice] {
        var runs: [Range<Int>] = []
        var matrices: [Range<Int>] = []
        for (start, array) in parameters.places where array.isTrained {
            let range = start..<(start + array.count)
            if array.dimensions.count > 1 { matrices.append(range) }
            if let last = runs.last, last.upperBound == start {
                runs[runs.count - 1] = last.lowerBound..<range.upperBound
            } else {
                runs.append(range)
            }
        }
        return runs.flatMap { run in
            stride(from: run.lowerBound, to: run.upperBound, by: limit).map { start in
                let slice = start..<min(start + limit, run.upperBound)
                let parts = matrices.map { $0.clamped(to: slice) }.filter { !$0.isEmpty }
                return TrainedSlice(start: start, count: slice.count, matrices: parts)
            }
        }
    }
}

extension Trainer {
    /// One step of the optimizer by the sum of the parts' gradients, slice by slice: what was summed up is still in the
    /// core's own cache. Ties need the whole sum first.
    func step(_ gradients: MutableFloats, parts: Int, threads: Int) {
        stepCount += 1
        if let ties {
            sum(gradients, parts: parts, threads: threads)
            ties.symmetrize(gradients, threads: threads)
        }
        nonisolated(unsafe) let gradients = gradients
        parallelFor(chunks: slices.count, threads: threads) { index, _ in
            if self.ties == nil { self.sum(gradients, parts: parts, slice: self.slices[index]) }
            self.step(gradients, slice: self.slices[index])
        }
        if options.maxNorm > 0 {
            limitNorms(threads: threads)
            // The norms of two mirror images differ by rounding.
            ties?.tie(network.parameters.values)
        }
        network.parametersChanged()
    }

    /// Sums the parts into the first.
    func sum(_ gradients: MutableFloats, parts: Int, threads: Int) {
        nonisolated(unsafe) let gradients = gradients
        parallelFor(chunks: slices.count, threads: threads) { index, _ in
            self.sum(gradients, parts: parts, slice: self.slices[index])
        }
    }

    private func sum(_ gradients: MutableFloats, parts: Int, slice: TrainedSlice) {
        let stride = aligned(network.parameterCount)
        let sum = gradients + slice.start
        for part in 1..<max(parts, 1) { network.table.pointee.add(Floats(sum + part * stride), sum, slice.count) }
    }

    /// The penalty joins the gradient, and the parameters move.
    private func step(_ gradient: MutableFloats, slice: TrainedSlice) {
        let values = network.parameters.values
        if options.l2 > 0 {
            for matrix in slice.matrices {
                network.table.pointee.training.addScaled(
                    Floats(values + matrix.lowerBound), 2 * options.l2, gradient + matrix.lowerBound, matrix.count)
            }
        }
        optimizer.update(
            values + slice.start, gradient: Floats(gradient + slice.start), state: state.pointer + slice.start,
            stateStride: network.parameterCount, count: slice.count, number: stepCount, learningRate: learningRate,
            clip: options.gradientClip > 0 ? options.gradientClip : .infinity, kernels: network.kernels)
    }

    /// Shortens the vectors of weights that are longer than the limit, each that of one output unit.
    private func limitNorms(threads: Int) {
        let limit = Double(options.maxNorm)
        for (start, array) in network.parameters.places where array.isTrained && array.dimensions.count > 1 {
            let units = array.dimensions[0]
            let count = array.count / units
            nonisolated(unsafe) let weights = network.parameters.values + start
            parallelFor(chunks: min(units, 64), threads: threads) { chunk, _ in
                for unit in chunkRange(chunk, of: min(units, 64), count: units) {
                    let row = weights + unit * count
                    var square = 0.0
                    for i in 0..<count { square += Double(row[i]) * Double(row[i]) }
                    guard square > limit * limit else { continue }
                    let scale = Float(limit / square.squareRoot())
                    for i in 0..<count { row[i] *= scale }
                }
            }
        }
    }
}
