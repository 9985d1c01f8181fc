"""The file port: everything the storage room ever asks of a disk, and the real disk behind it.

It is this small so that a disk in memory can stand in for it, lose what was not synced and fail on demand. Every
method may raise OSError. The promise a `Directory` keeps: bytes are durable after `File.sync`, names after
`Directory.sync`, and nothing else is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

TEMPORARY: Final = ".tmp"
_CHUNK: Final = 1 << 20


class File(Protocol):
    def size(self) -> int:
        """Bytes in it."""

    def read(self) -> bytes:
        """The whole content."""

    def pread(self, count: int, offset: int) -> bytes:
        """The `count` bytes at `offset`; fewer where the file ends."""

    def pwrite(self, data: bytes, offset: int) -> None:
        """Write all of `data` at `offset`."""

    def sync(self) -> None:
        """Make the content durable."""

    def close(self) -> None: ...


class Directory(Protocol):
    @property
    def path(self) -> str:
        """Where it is, for messages."""

    def names(self) -> list[str]:
        """The files in it, sorted."""

    def create(self, name: str, size: int) -> File:
        """A file of `size` zeros, really written, in place of any file of that name."""

    def open(self, name: str, *, writable: bool = False) -> File: ...

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, in place of any file that has it."""

    def remove(self, name: str) -> None: ...

    def sync(self) -> None:
        """Make the names durable."""


def publish(directory: Directory, name: str, content: bytes, size: int = 0) -> None:
    """Create `name`, starting with `content` and zeros up to `size`: after a crash it is there whole or not at all."""
    file = directory.create(name + TEMPORARY, size)
    try:
        file.pwrite(content, 0)
        file.sync()
    finally:
        file.close()
    directory.rename(name + TEMPORARY, name)
    directory.sync()


class OsFile:
    """An open file. Its errors name it, as those of the functions that take a path do."""

    def __init__(self, path: Path, flags: int) -> None:
        self._path = path
        self._fd = os.open(path, flags | os.O_CLOEXEC, 0o600)

    def size(self) -> int:
        with _naming(self._path):
            return os.fstat(self._fd).st_size

    def read(self) -> bytes:
        return self.pread(self.size(), 0)

    def pread(self, count: int, offset: int) -> bytes:
        with _naming(self._path):
            data = os.pread(self._fd, count, offset)
            while len(data) < count and (more := os.pread(self._fd, count - len(data), offset + len(data))):
                data += more
            return data

    def pwrite(self, data: bytes, offset: int) -> None:
        with _naming(self._path):
            written = os.pwrite(self._fd, data, offset)
            while written < len(data):  # a nearly full disk takes a part first and says ENOSPC only to the rest
                written += os.pwrite(self._fd, data[written:], offset + written)

    def sync(self) -> None:
        with _naming(self._path):
            os.fdatasync(self._fd)

    def close(self) -> None:
        os.close(self._fd)


class OsDirectory:
    """A directory of the operating system, made (durably, with its parents) if it is not there.

    With `make` false nothing is ever made: for looking only.
    """

    def __init__(self, path: Path, *, make: bool = True) -> None:
        self._path = path
        missing = [place for place in (path, *path.parents) if not place.exists()] if make else []
        for place in reversed(missing):
            place.mkdir(mode=0o700, exist_ok=True)
            _sync_names(place.parent)

    @property
    def path(self) -> str:
        return str(self._path)

    def names(self) -> list[str]:
        return sorted(os.listdir(self._path))

    def create(self, name: str, size: int) -> File:
        file = OsFile(self._path / name, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        try:
            for offset in range(0, size, _CHUNK):
                file.pwrite(bytes(min(_CHUNK, size - offset)), offset)
        except BaseException:
            file.close()
            raise
        return file

    def open(self, name: str, *, writable: bool = False) -> File:
        return OsFile(self._path / name, os.O_RDWR if writable else os.O_RDONLY)

    def rename(self, old: str, new: str) -> None:
        os.rename(self._path / old, self._path / new)

    def remove(self, name: str) -> None:
        os.remove(self._path / name)

    def sync(self) -> None:
        _sync_names(self._path)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        raise


def _sync_names(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with _naming(path):
            os.fsync(fd)
    finally:
        os.close(fd)
