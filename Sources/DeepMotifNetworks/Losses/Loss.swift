// Loss: what a batch's scores are compared with. Networks room.

import DeepMotifCore
import DeepMotifKernelTable

/// The targets of a call and their comparison with scores. A batch's loss is the weighted mean over its rows; `row` is
/// the row's number in the caller's sequences, so that any form of target (labels, masks, values) fits.
package protocol Loss: Sendable {
    /// Throws where a target of one of the rows is out of range, naming the row.
    func validate(rows: UnsafePointer<Int64>, count: Int, classes: Int) throws(DeepMotifError)

    /// What the row counts in the mean.
    func weight(row: Int) -> Double

    /// Returns weight x loss of one row and writes its gradient (C,) with respect to the scores, times `scale`.
    func evaluate(row: Int, scores: Floats, classes: Int, scale: Double, gradient: MutableFloats) -> Double
}
