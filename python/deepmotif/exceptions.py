"""The exceptions of DeepMotif; each also inherits the built-in one a user would expect."""

__all__ = [
    "DeepMotifError",
    "FileFormatError",
    "FileNotFound",
    "FileReadError",
    "FileWriteError",
    "InternalError",
    "InvalidArgumentError",
    "MissingDependencyError",
    "NotFittedError",
    "OutOfMemoryError",
    "ShapeError",
]


class DeepMotifError(Exception):
    """Base of every error that DeepMotif raises on purpose."""


class InvalidArgumentError(DeepMotifError, ValueError):
    """An argument has a value that the call cannot use."""


class ShapeError(DeepMotifError, ValueError):
    """An array or a list of sequences has the wrong shape."""


class FileFormatError(DeepMotifError, ValueError):
    """A file is damaged, or is of another kind than expected."""


class FileNotFound(DeepMotifError, FileNotFoundError):
    """A file that was named does not exist."""


class FileReadError(DeepMotifError, OSError):
    """A file exists and could not be read, for want of permission for one."""


class FileWriteError(DeepMotifError, OSError):
    """A file could not be written; what stood under its name before is unchanged."""


class MissingDependencyError(DeepMotifError, ImportError):
    """An optional library is not installed; the message says which extra to install."""


class OutOfMemoryError(DeepMotifError, MemoryError):
    """The engine could not get the memory that the call needs."""


class InternalError(DeepMotifError, RuntimeError):
    """A fault of DeepMotif itself; please report it with the message."""


class NotFittedError(DeepMotifError, ValueError, AttributeError):
    """A model was asked for results before `fit`."""
