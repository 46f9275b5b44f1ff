"""HeadedFile: a file whose beginning is read at once, because records stand there."""

import os

HEAD_BYTES = 1 << 16


class HeadedFile:
    """A file opened for reading, sliced like bytes. It stays the caller's to close.

    One read serves the records of nearly every picture; the rest is read where it is
    asked for. A file that shrinks meanwhile gives short slices, where a map of it
    would kill the process.
    """

    __slots__ = ("_file", "_head", "_size")

    def __init__(self, file: int) -> None:
        """Take an open file descriptor."""
        self._file = file
        self._size = os.fstat(file).st_size
        self._head = os.pread(file, HEAD_BYTES, 0)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, span: slice, /) -> bytes:
        start, stop, step = span.indices(self._size)
        if step != 1:
            message = "a file is sliced without steps"
            raise ValueError(message)
        if stop <= len(self._head):
            return self._head[start:stop]
        return os.pread(self._file, max(0, stop - start), start)
