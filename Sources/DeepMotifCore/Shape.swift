// Shape: the size letters of the whole project. Core room.
//
// N sequences, L positions, A = 4 letters, C channels, K filter width, F filters, H hidden units. Activations are
// positions before channels: one sequence is a dense (L, C) block.

/// Positions and channels of one sequence's activations.
package struct Shape: Equatable, Sendable {
    package var length: Int
    package var channels: Int

    package init(length: Int, channels: Int) {
        self.length = length
        self.channels = channels
    }

    /// Floats of one sequence.
    package var count: Int { length * channels }
}

/// Letters of the alphabet: A C G T.
package let letterCount = 4
/// The code of an unknown letter, and the first one that is not a code at all.
package let unknownCode: UInt8 = 4
