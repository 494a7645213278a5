// PoolWindows: where the windows of a pool lie. Networks room.

import DeepMotifCore

/// Windows of `width` positions, `stride` apart, on a padded sequence. Padding takes no part in a maximum; in a mean it
/// counts as zeros or not at all. Every window holds at least one position of the sequence.
package struct PoolWindows: Sendable, Equatable {
    package let width: Int
    package let stride: Int
    /// Both below the width.
    package var leftPadding = 0
    package var rightPadding = 0
    /// TensorFlow's SAME: as much padding as gives ceil(L / stride) windows, the odd one to the right.
    package var isSame = false
    /// A last window that is not whole counts, unless it would start behind the sequence.
    package var isCeil = false

    package init(width: Int, stride: Int) {
        self.width = width
        self.stride = stride
    }

    /// Paddings for a sequence of `length`.
    func paddings(length: Int) -> (left: Int, right: Int) {
        guard isSame else { return (leftPadding, rightPadding) }
        let total = max(((length + stride - 1) / stride - 1) * stride + width - length, 0)
        return (total / 2, total - total / 2)
    }

    /// Number of windows, below 1 where none fits.
    func count(length: Int) -> Int {
        let (left, right) = paddings(length: length)
        let room = length + left + right - width
        guard room >= 0 else { return isCeil && room > -stride ? 1 : 0 }
        guard isCeil, !isSame else { return room / stride + 1 }
        let windows = (room + stride - 1) / stride + 1
        return (windows - 1) * stride >= length + left ? windows - 1 : windows
    }

    /// Positions of the sequence in window `p`, and how many a mean with padding divides by.
    func window(_ p: Int, length: Int) -> (range: Range<Int>, divisor: Int) {
        let (left, right) = paddings(length: length)
        let start = p * stride - left
        let end = min(start + width, length + right)
        return (max(start, 0)..<min(end, length), end - start)
    }

    /// The windows that lie whole inside the sequence: their numbers follow each other.
    func whole(length: Int, count: Int) -> Range<Int> {
        let left = paddings(length: length).left
        let first = min((left + stride - 1) / stride, count)
        let room = length + left - width
        let end = room < 0 ? 0 : min(room / stride + 1, count)
        return first..<max(first, end)
    }
}
