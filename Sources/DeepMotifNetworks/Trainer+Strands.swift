// Trainer+Strands: both strands of every sequence, and one score of the two. Networks room.

import CDeepMotif
import DeepMotifCore
import DeepMotifKernelTable

extension Trainer {
    /// The scores (rows, C) of a block into the batch's, where the strands are combined.
    func combineStrands(_ scores: Floats, of block: GradientBlock, in batch: TrainingBatch) {
        let classes = network.classCount
        let combined = batch.scores + block.firstRow / options.copies * classes
        guard options.copies == 2 else {
            combined.update(from: scores, count: block.rows * classes)
            return
        }
        for row in 0..<(block.rows / 2) {
            let one = scores + 2 * row * classes
            let other = one + classes
            let target = combined + row * classes
            for c in 0..<classes {
                target[c] =
                    options.strands == DM_STRANDS_AVERAGE ? 0.5 * one[c] + 0.5 * other[c] : max(one[c], other[c])
            }
        }
    }

    /// The gradient (rows / 2, C) of the combined scores, each at the place of the first strand, becomes that of both
    /// strands' (rows, C): half of it each, or all of it to the larger score, the first one where they are equal.
    func divideStrands(_ gradient: MutableFloats, scores: Floats, rows: Int) {
        guard options.copies == 2 else { return }
        let classes = network.classCount
        for i in stride(from: 0, to: rows * classes, by: 2 * classes) {
            for c in i..<(i + classes) {
                let whole = gradient[c]
                if options.strands == DM_STRANDS_AVERAGE {
                    gradient[c] = 0.5 * whole
                    gradient[c + classes] = 0.5 * whole
                } else {
                    let isSecond = scores[c + classes] > scores[c]
                    gradient[c] = isSecond ? 0 : whole
                    gradient[c + classes] = isSecond ? whole : 0
                }
            }
        }
    }
}
