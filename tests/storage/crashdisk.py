"""A disk in memory that forgets, tears and fails the way real ones do.

What was written is durable after a sync and not before; until then a power cut keeps any subset of the written
pages, and part of one. Names are durable after the directory's sync; until then a power cut keeps a prefix of the
changes. After a failed sync the pages look clean while the disk never got them.
"""

from __future__ import annotations

import errno
import os
from random import Random

PAGE = 64


class PowerCut(Exception):
    """The machine stopped in the middle of an operation."""


class Node:
    """The content of one file: as programs see it, and as the platter has it."""

    def __init__(self) -> None:
        self.cached = bytearray()
        self.durable = bytearray()
        self.dirty: set[int] = set()

    def write(self, data: bytes, offset: int) -> None:
        end = offset + len(data)
        self.cached.extend(bytes(max(0, end - len(self.cached))))
        self.cached[offset:end] = data
        self.dirty.update(range(offset // PAGE, -(-end // PAGE)))

    def flush(self, pages: set[int]) -> None:
        self.durable.extend(bytes(max(0, len(self.cached) - len(self.durable))))
        for page in pages:
            self.durable[page * PAGE : (page + 1) * PAGE] = self.cached[page * PAGE : (page + 1) * PAGE]

    def lose_power(self, rng: Random) -> None:
        kept = {page for page in sorted(self.dirty) if rng.random() < 0.5}
        torn = rng.choice(sorted(self.dirty)) if self.dirty else None
        if self.dirty and rng.random() < 0.9:
            self.flush(kept)
        if torn is not None and torn not in kept and len(self.durable) == len(self.cached):
            start = torn * PAGE
            end = start + rng.randrange(PAGE)
            self.durable[start:end] = self.cached[start:end]
        self.cached = bytearray(self.durable)
        self.dirty.clear()


class CrashFile:
    def __init__(self, directory: CrashDirectory, name: str) -> None:
        self._disk = directory.disk
        self._path = f"{directory.path}/{name}"
        self._node = directory.files[name]
        self._disk.open_files += 1

    def size(self) -> int:
        return len(self._node.cached)

    def read(self) -> bytes:
        return bytes(self._node.cached)

    def pread(self, count: int, offset: int) -> bytes:
        return bytes(self._node.cached[offset : offset + count])

    def pwrite(self, data: bytes, offset: int) -> None:
        self._disk.check("write", self._path)
        room = self._disk.room(self._node)
        fits = data[: max(0, room - offset)]
        allowed = self._disk.spend(len(fits))
        self._node.write(fits[:allowed], offset)
        if allowed < len(fits):
            raise PowerCut
        if len(fits) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._path)

    def sync(self) -> None:
        self._disk.step()
        try:
            self._disk.check("sync", self._path)
        except OSError:
            self._node.dirty.clear()
            raise
        self._node.flush(self._node.dirty)
        self._node.dirty.clear()
        self._disk.syncs += 1

    def close(self) -> None:
        self._disk.open_files -= 1


class CrashDirectory:
    """Implements `raftsim.storage.files.Directory`."""

    def __init__(self, disk: CrashDisk, path: str) -> None:
        self.disk = disk
        self.path = path
        self.files: dict[str, Node] = {}
        self._names: list[dict[str, Node]] = [{}]  # durable, then after each change since

    def names(self) -> list[str]:
        return sorted(self.files)

    def create(self, name: str, size: int) -> CrashFile:
        self._change("create", name)
        self.files[name] = Node()
        self._changed()
        file = CrashFile(self, name)
        try:
            file.pwrite(bytes(size), 0)
        except OSError:
            file.close()
            raise
        return file

    def open(self, name: str, *, writable: bool = False) -> CrashFile:
        if name not in self.files:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), f"{self.path}/{name}")
        if writable:
            self.disk.check("open", f"{self.path}/{name}")
        return CrashFile(self, name)

    def rename(self, old: str, new: str) -> None:
        self._change("rename", old)
        self.files[new] = self.files.pop(old)
        self._changed()

    def remove(self, name: str) -> None:
        self._change("remove", name)
        if name not in self.files:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), f"{self.path}/{name}")
        del self.files[name]
        self._changed()

    def sync(self) -> None:
        self.disk.step()
        self.disk.check("sync", self.path)
        self._names = [dict(self.files)]

    def crash(self, rng: Random) -> None:
        self.files = dict(rng.choice(self._names))
        self._names = [dict(self.files)]
        for name in self.names():
            self.files[name].lose_power(rng)

    def _change(self, operation: str, name: str) -> None:
        self.disk.step()
        self.disk.check(operation, f"{self.path}/{name}")

    def _changed(self) -> None:
        self._names.append(dict(self.files))


class CrashDisk:
    """A disk with the two directories of a server."""

    def __init__(self, *, capacity: int = 1 << 30) -> None:
        self.capacity = capacity
        self.power: int | None = None  # bytes and operations until the power is cut
        self.failing: dict[str, int] = {}  # "write", "sync", "create", "open", "rename" or "remove" -> errno
        self.failing_once: dict[str, int] = {}
        self.syncs = 0
        self.open_files = 0
        self.wal = CrashDirectory(self, "wal")
        self.snapshots = CrashDirectory(self, "snapshots")

    def crash(self, rng: Random) -> None:
        """Lose what was not synced, or a part of it; then the power is back."""
        self.wal.crash(rng)
        self.snapshots.crash(rng)
        self.power = None
        self.open_files = 0

    def settled(self) -> CrashDisk:
        """Another disk that holds durably what programs see on this one."""
        disk = CrashDisk(capacity=self.capacity)
        for ours, copied in ((self.wal, disk.wal), (self.snapshots, disk.snapshots)):
            for name in ours.names():
                copied.create(name, 0).pwrite(ours.open(name).read(), 0)
                copied.open(name).sync()
            copied.sync()
        disk.open_files = disk.syncs = 0
        return disk

    def check(self, operation: str, path: str) -> None:
        number = self.failing_once.pop(operation, None) or self.failing.get(operation)
        if number is not None:
            raise OSError(number, os.strerror(number), path)

    def spend(self, count: int) -> int:
        """How many of `count` bytes are still written before the power is cut."""
        if self.power is None:
            return count
        allowed = min(count, self.power)
        self.power -= allowed
        return allowed

    def step(self) -> None:
        if self.spend(1) == 0:
            raise PowerCut

    def room(self, node: Node) -> int:
        """The size `node` may have at most."""
        files = (*self.wal.files.values(), *self.snapshots.files.values())
        return self.capacity - sum(len(other.cached) for other in files if other is not node)
