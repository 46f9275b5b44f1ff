"""Every exception makingof raises on purpose.

A branch answers one question: *who has to act?* Anything outside this tree
is a bug and shows its traceback.

    MakingofError
    ├── UsageError            the caller asked for something impossible     exit 2
    ├── SourceError           a generator or folder could not be read       exit 10
    ├── UnavailableError      a network service did not answer; retry       exit 11
    ├── ConflictError         another process or copy holds the archive     exit 12
    ├── StorageError          the disk refused: full, read-only, vanished   exit 13
    ├── MalformedError        bytes from outside do not parse               exit 20
    └── IntegrityError        bytes parse but contradict each other         exit 30
        ├── CorruptBlobError  content does not match its digest             exit 31
        ├── LogForkError      two histories where there must be one         exit 32
        ├── ProofError        an inclusion, consistency or signature check fails  exit 33
        └── MissingBlobError  a blob is not in the store             exit 34
"""

from typing import ClassVar


class MakingofError(Exception):
    """Base of the tree; `exit_code` is stable and documented in `docs/reference/errors.md`.

    `message` names the object first, in lower case, without a full stop and
    without advice; advice is the `hint`. Both may be a `texts.Message`, which
    the command line shows in the reader's language, or plain English text.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: object, *, hint: object | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if hint is not None:
            self.add_note(str(hint))  # a program that lets it pass shows the advice under its traceback

    def __str__(self) -> str:
        return str(self.message)


class UsageError(MakingofError):
    """The caller asked for something impossible."""

    exit_code = 2


class SourceError(MakingofError):
    """A generator, file or folder could not be read; the recorder logs a `gap`."""

    exit_code = 10


class UnavailableError(MakingofError):
    """A network service did not answer; trying again may help."""

    exit_code = 11


class ConflictError(MakingofError):
    """Another process or another copy holds the archive."""

    exit_code = 12


class StorageError(MakingofError):
    """The disk refused: full, read-only or vanished. What was acknowledged before is safe."""

    exit_code = 13


class MalformedError(MakingofError):
    """Bytes from outside do not parse; the only way a parser fails."""

    exit_code = 20


class IntegrityError(MakingofError):
    """Bytes parse but contradict each other. Never retried."""

    exit_code = 30


class CorruptBlobError(IntegrityError):
    """Content does not match its digest."""

    exit_code = 31


class LogForkError(IntegrityError):
    """Two histories where there must be one."""

    exit_code = 32


class ProofError(IntegrityError):
    """An inclusion, consistency or signature check fails."""

    exit_code = 33


class MissingBlobError(IntegrityError):
    """A blob is not in the store; whether it should be, only the log can say."""

    exit_code = 34
