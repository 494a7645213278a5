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
    /// Sums the parts into the first, slice by slice.
    func sum(_ gradients: MutableFloats, parts: Int, threads: Int) {
        guard parts > 1 else { return }
        nonisolated(unsafe) let gradients = gradients
        let stride = aligned(network.parameterCount)
        parallelFor(chunks: slices.count, threads: threads) { index, _ in
            let slice = self.slices[index]
            let sum = gradients + slice.start
            for part in 1..<parts {
                self.network.table.pointee.add(Floats(sum + part * stride), sum, slice.count)
            }
        }
    }

    /// One step of the optimizer by the summed gradient, to which the penalty is added.
    func step(_ gradient: MutableFloats, threads: Int) {
        stepCount += 1
        ties?.symmetrize(gradient, threads: threads)
        let number = stepCount
        let clip = options.gradientClip > 0 ? options.gradientClip : .infinity
        let values = network.parameters.values
        nonisolated(unsafe) let (values_, gradient_) = (values, gradient)
        parallelFor(chunks: slices.count, threads: threads) { index, _ in
            let slice = self.slices[index]
            if self.options.l2 > 0 {
                for matrix in slice.matrices {
                    self.network.table.pointee.training.addScaled(
                        Floats(values_ + matrix.lowerBound), 2 * self.options.l2, gradient_ + matrix.lowerBound,
                        matrix.count)
                }
            }
            self.optimizer.update(
                values_ + slice.start, gradient: Floats(gradient_ + slice.start),
                state: self.state.pointer + slice.start, stateStride: self.network.parameterCount, count: slice.count,
                number: number, learningRate: self.learningRate, clip: clip, kernels: self.network.kernels)
        }
        if options.maxNorm > 0 {
            limitNorms(threads: threads)
            // The norms of two mirror images differ by rounding.
            ties?.tie(network.parameters.values)
        }
        network.parametersChanged()
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
