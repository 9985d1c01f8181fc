"""The file port of storage/ in memory: files that forget, tear, fail and lie the way real ones do.

What was written is durable after a sync and not before; until then a power cut keeps any subset of the written pages,
and part of one. Names are durable after the directory's sync; until then a power cut keeps a prefix of the changes.
After a failed sync the pages look clean while the disk never got them (B40). If only the process dies, everything
that it wrote is still there for the next one.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Final

PAGE: Final = 64
ENDLESS: Final = 1 << 40  # bytes
MUTATING: Final = ("create", "open", "write", "sync", "rename", "remove")  # "open" for writing


class PowerCut(Exception):
    """The machine stopped in the middle of an operation. From then on every operation raises it."""


class Inode:
    """The content of one file: as programs see it, and as the platter has it."""

    __slots__ = ("cached", "dirty", "durable")

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

    def lose(self) -> None:
        self.cached = bytearray(self.durable)
        self.dirty.clear()

    def tear(self, rng: Random) -> None:
        """Keep some of the dirty pages, and the beginning of one more."""
        kept = {page for page in sorted(self.dirty) if rng.random() < 0.5}
        torn = rng.choice(sorted(self.dirty)) if self.dirty else None
        if self.dirty and rng.random() < 0.9:
            self.flush(kept)
        if torn is not None and torn not in kept and len(self.durable) == len(self.cached):
            start = torn * PAGE
            end = start + rng.randrange(PAGE)
            self.durable[start:end] = self.cached[start:end]


class SimFile:
    """Implements `storage.files.File`."""

    __slots__ = ("_files", "_inode", "_path")

    def __init__(self, directory: SimDirectory, name: str) -> None:
        self._files = directory.files
        self._path = f"{directory.path}/{name}"
        self._inode = directory.inodes[name]
        self._files.open_files += 1

    def size(self) -> int:
        return len(self._inode.cached)

    def read(self) -> bytes:
        return bytes(self._inode.cached)

    def pread(self, count: int, offset: int) -> bytes:
        return bytes(self._inode.cached[offset : offset + count])

    def pwrite(self, data: bytes, offset: int) -> None:
        files = self._files
        files.check("write", self._path)
        offset += files.astray_bytes
        files.felt["misdirect"] += files.astray_bytes > 0
        files.astray_bytes = 0
        fits = data[: max(0, files.room(self._inode) - offset)]
        allowed = files.spend("write", self._path, len(fits))
        self._inode.write(fits[:allowed], offset)
        if allowed < len(fits):
            files.felt["cut_power"] += 1
            raise PowerCut
        if len(fits) < len(data):
            files.felt["fill"] += 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._path)

    def sync(self) -> None:
        files, dirty = self._files, self._inode.dirty
        files.step("sync", self._path)
        try:
            files.check("sync", self._path)
        except OSError:
            dirty.clear()
            raise
        files.syncs += 1
        files.felt["lie"] += files.lying
        if not files.lying:
            self._inode.flush(dirty)
            dirty.clear()

    def close(self) -> None:
        self._files.open_files -= 1


class SimDirectory:
    """Implements `storage.files.Directory`."""

    def __init__(self, files: SimFiles, path: str) -> None:
        self.files = files
        self.path = path
        self.inodes: dict[str, Inode] = {}
        self._names: list[dict[str, Inode]] = [{}]  # durable, then after each change since

    def names(self) -> list[str]:
        return sorted(self.inodes)

    def create(self, name: str, size: int) -> SimFile:
        self._change("create", name)
        self.inodes[name] = Inode()
        self._changed()
        file = SimFile(self, name)
        try:
            file.pwrite(bytes(size), 0)
        except OSError:
            file.close()
            raise
        return file

    def open(self, name: str, *, writable: bool = False) -> SimFile:
        self._must_exist(name)
        if writable:
            self.files.check("open", f"{self.path}/{name}")
        return SimFile(self, name)

    def rename(self, old: str, new: str) -> None:
        self._change("rename", old)
        self.inodes[new] = self.inodes.pop(old)
        self._changed()

    def remove(self, name: str) -> None:
        self._change("remove", name)
        self._must_exist(name)
        del self.inodes[name]
        self._changed()

    def sync(self) -> None:
        self.files.step("sync", self.path)
        self.files.check("sync", self.path)
        if not self.files.lying:
            self._names = [dict(self.inodes)]

    @property
    def clean(self) -> bool:
        return len(self._names) == 1 and not any(inode.dirty for inode in self.inodes.values())

    def lose_power(self, choose: Callable[[list[dict[str, Inode]]], dict[str, Inode]]) -> list[Inode]:
        """The names are now those of one moment since the last sync. Returns the files that have one."""
        self.inodes = dict(choose(self._names))
        self._names = [dict(self.inodes)]
        return [self.inodes[name] for name in self.names()]

    def _must_exist(self, name: str) -> None:
        if name not in self.inodes:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), f"{self.path}/{name}")

    def _change(self, operation: str, name: str) -> None:
        self.files.step(operation, f"{self.path}/{name}")
        self.files.check(operation, f"{self.path}/{name}")

    def _changed(self) -> None:
        self._names.append(dict(self.inodes))


class SimFiles:
    """The file system of one machine. What is done to it:

    `failing`, `failing_once`: operation of MUTATING -> errno; `capacity`: bytes there is room for; `lying`: a sync
    reports success and does nothing; `astray_bytes`: so far from its place lands the next write; `power`: bytes and
    operations until the power is cut. `witness` is told every operation, its path and its bytes.
    """

    def __init__(self, *, capacity: int = ENDLESS) -> None:
        self.capacity = capacity
        self.power: int | None = None
        self.failing: dict[str, int] = {}
        self.failing_once: dict[str, int] = {}
        self.lying = False
        self.astray_bytes = 0
        self.witness: Callable[[str, str, int], None] | None = None
        self.felt: Counter[str] = Counter()  # how often an operation met a fault, by the fault
        self.syncs = 0
        self.open_files = 0
        self._directories: dict[str, SimDirectory] = {}

    def directory(self, path: str) -> SimDirectory:
        """The directory of this path; it is durable."""
        return self._directories.setdefault(path, SimDirectory(self, path))

    # faults

    def fill(self, room: int) -> None:
        """Leave room for `room` bytes more."""
        self.capacity = self._used() + room

    def rot(self, path: str, offset: int) -> None:
        """A bit of the byte at `offset` changes. Raises ValueError: there is no such byte."""
        place, _, name = path.rpartition("/")
        directory = self._directories.get(place)
        inode = directory.inodes.get(name) if directory else None
        if inode is None or offset >= len(inode.durable):
            raise ValueError(f"no durable byte at {offset} in {path}")
        inode.durable[offset] ^= 1
        inode.cached[offset] ^= 1

    def mend(self) -> None:
        """From now on everything works."""
        self.capacity = ENDLESS
        self.power = None
        self.failing.clear()
        self.failing_once.clear()
        self.lying = False
        self.astray_bytes = 0

    # how a machine or a process ends

    def crash(self, rng: Random) -> None:
        """Lose what was not synced, or a part of it; then the power is back."""
        for directory in self._directories.values():
            for inode in directory.lose_power(rng.choice):
                inode.tear(rng)
                inode.lose()
        self.restarted()

    def lose_unsynced(self) -> None:
        """The worst of all power cuts: nothing survives but what was synced."""
        for directory in self._directories.values():
            for inode in directory.lose_power(lambda names: names[0]):
                inode.lose()
        self.restarted()

    def keep_all(self) -> None:
        """The best of all power cuts: everything written up to it was on the platter already."""
        for directory in self._directories.values():
            for inode in directory.lose_power(lambda names: names[-1]):
                inode.flush(inode.dirty)
                inode.lose()
        self.restarted()

    def restarted(self) -> None:
        """The processes are gone, with their open files, and the power is there."""
        self.power = None
        self.open_files = 0

    # what is asked before an operation

    def check(self, operation: str, path: str) -> None:
        number = self.failing_once.pop(operation, None) or self.failing.get(operation)
        if number is not None:
            self.felt["read_only" if number == errno.EROFS else "fail"] += 1
            raise OSError(number, os.strerror(number), path)

    def step(self, operation: str, path: str) -> None:
        if self.spend(operation, path, 1) == 0:
            self.felt["cut_power"] += 1
            raise PowerCut

    def spend(self, operation: str, path: str, count: int) -> int:
        """How many of `count` bytes are still written before the power is cut."""
        if self.witness is not None:
            self.witness(operation, path, count)
        if self.power is None:
            return count
        allowed = min(count, self.power)
        self.power -= allowed
        return allowed

    def room(self, inode: Inode) -> int:
        """The size `inode` may have at most."""
        return self.capacity - self._used() + len(inode.cached)

    @property
    def clean(self) -> bool:
        """Whether a power cut would lose nothing."""
        return all(directory.clean for directory in self._directories.values())

    def _used(self) -> int:
        inodes = (inode for directory in self._directories.values() for inode in directory.inodes.values())
        return sum(len(inode.cached) for inode in inodes)
