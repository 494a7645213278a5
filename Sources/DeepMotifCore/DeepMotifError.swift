// DeepMotifError: everything that a caller of the engine can get wrong. Core room.

import CDeepMotif

/// An error that crosses the C ABI as a status and a message.
package struct DeepMotifError: Error, Equatable, CustomStringConvertible {
    /// A DM_ERROR_... constant of the C header.
    package let status: Int32
    /// What was expected, what was given, and where.
    package let message: String

    package var description: String { message }

    package static func invalidArgument(_ message: String) -> DeepMotifError {
        DeepMotifError(status: DM_ERROR_INVALID_ARGUMENT, message: message)
    }

    package static func shape(_ message: String) -> DeepMotifError {
        DeepMotifError(status: DM_ERROR_SHAPE, message: message)
    }

    package static func memory(bytes: Int) -> DeepMotifError {
        DeepMotifError(status: DM_ERROR_MEMORY, message: "out of memory: \(bytes) bytes could not be allocated")
    }

    /// The same error with what it may be due to, or what helps, behind it.
    package func explained(_ text: String) -> DeepMotifError {
        DeepMotifError(status: status, message: message + ": " + text)
    }
}
