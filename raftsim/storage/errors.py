"""The errors of this room. Their message is one line for an operator and names the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

REMEDY: Final = (
    "What this server had promised to keep is lost, so it must not go on with what is left: move its data directory "
    "away and start it again. It comes back without a vote, and gets it back when the others have brought it up to date"
)


class StorageError(Exception):
    """The disk did not do what was asked, or holds what a server must not start from."""

    @classmethod
    def because(cls, path: str, error: OSError) -> StorageError:
        """What the operating system said, and of which file."""
        return cls(f"{error.filename or path}: {error.strerror or error}")


class DamagedSnapshot(StorageError):
    """This snapshot is not sound; an older one, with the log, may stand in for it."""

    def __init__(self, path: str, offset: int, reason: str) -> None:
        super().__init__(f"{path}: damaged at offset {offset}: {reason}")


@contextmanager
def explained(path: str) -> Iterator[None]:
    """An OSError from within becomes a StorageError; `path` is named where it names none."""
    try:
        yield
    except OSError as error:
        raise StorageError.because(path, error) from error
