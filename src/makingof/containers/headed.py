"""HeadedFile: a file whose beginning is read at once, because records stand there."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

HEAD_BYTES = 1 << 14
_AHEAD_BYTES = 1 << 9  # read where a few bytes are asked for: chunks behind the pixels are small and near


class HeadedFile:
    """A file opened for reading, sliced like bytes, closed at the end of a `with` block.

    One read serves the records of most pictures; the rest is read where it is asked
    for, pixels never. A file that shrinks meanwhile gives short slices, where a map of
    it would kill the process. What cannot be opened or read is an `OSError`.
    """

    __slots__ = ("_ahead", "_ahead_at", "_file", "_head", "_size")

    def __init__(self, path: str | Path) -> None:
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            self._size = os.lseek(self._file, 0, os.SEEK_END)
            self._head = _read(self._file, HEAD_BYTES, 0)
        except OSError:
            os.close(self._file)
            raise
        self._ahead = b""
        self._ahead_at = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, span: slice, /) -> bytes:
        start, stop, step = span.indices(self._size)
        if step != 1:
            message = "a file is sliced without steps"
            raise ValueError(message)
        if stop <= len(self._head):
            return self._head[start:stop]
        count = max(0, stop - start)
        if count > _AHEAD_BYTES:
            return _read(self._file, count, start)
        at = start - self._ahead_at
        if at < 0 or at + count > len(self._ahead):
            self._ahead, self._ahead_at, at = _read(self._file, _AHEAD_BYTES, start), start, 0
        return self._ahead[at : at + count]


def _seek_and_read(file: int, count: int, start: int) -> bytes:
    os.lseek(file, start, os.SEEK_SET)
    return os.read(file, count)


_read = getattr(os, "pread", _seek_and_read)  # Windows has no `pread`
