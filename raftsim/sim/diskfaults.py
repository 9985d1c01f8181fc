"""What can be done to the disk of a simulated server. Each is told as an event of kind `fault`.

Stalls and slowness are a matter of time and work with every disk; the others need one that keeps bytes. They last until
`mend`, also beyond a restart.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from errno import errorcode
from functools import partial
from math import inf
from typing import Final

from raftsim.sim.bytestore import ByteStore
from raftsim.sim.disk import SimDisk
from raftsim.sim.files import MUTATING, SimDirectory, SimFiles
from raftsim.storage.datadir import WAL

SECTOR: Final = 512  # bytes


class DiskFaults:
    """The disk of the server `name`. Methods raise ValueError for what its form of disk cannot do."""

    def __init__(self, name: str, disk: SimDisk, tell: Callable[..., None]) -> None:
        self._name = name
        self._disk = disk
        self._tell = partial(tell, "disk", name)

    def stall(self, for_s: float = inf) -> None:
        """Nothing that the disk does comes to its end, for `for_s` seconds or until it is mended."""
        self._tell("stall", str(for_s))
        self._disk.stall(for_s)

    def slow(self, factor: float) -> None:
        """What begins from now on takes `factor` times as long."""
        if factor <= 0:
            raise ValueError(f"a factor must be positive, got {factor}")
        self._tell("slow", str(factor))
        self._disk.slowness = factor

    def fail(self, operation: str, number: int = errno.EIO) -> None:
        """`create`, `open` (to write), `write`, `sync`, `rename` or `remove` fails with this error from now on."""
        if operation not in MUTATING:
            raise ValueError(f"not an operation of a disk: {operation}")
        self._files.failing[operation] = number
        self._tell("fail", operation, errorcode[number])

    def read_only(self) -> None:
        """Nothing can be changed any more, as when a file system was mounted again after an error."""
        self._files.failing |= dict.fromkeys(MUTATING, errno.EROFS)
        self._tell("read-only")

    def fill(self, room: int = 0) -> None:
        """There is room for `room` bytes more: the write that needs more gets them in, then fails with ENOSPC."""
        self._files.fill(room)
        self._tell("full", str(room))

    def cut_power(self, after: int) -> None:
        """The machine goes down in the middle of an operation: when so many more bytes and operations are done."""
        self._files.power = after
        self._tell("power cut", str(after))

    def lie(self) -> None:
        """Syncs report success and do nothing: a power cut loses what they called durable."""
        self._files.lying = True
        self._tell("lying syncs")

    def misdirect(self, by_bytes: int = SECTOR) -> None:
        """The next write lands so far behind its place, with success."""
        self._files.astray_bytes = by_bytes
        self._tell("misdirected write", str(by_bytes))

    def rot(self, path: str, offset: int) -> None:
        """A bit of a durable byte changes, at `offset` in `path`, such as `n1/raft/wal/0000000001.wal`."""
        self._files.rot(path, offset)
        self._tell("rot", path, str(offset))

    def rot_log(self, offset: int) -> None:
        """As `rot`, in the oldest file of the log."""
        self.rot(f"{self._log.path}/{next(iter(self._log.names()), '')}", offset)

    def rottable(self) -> int:
        """How long the oldest file of the log is, if another follows it; else 0.

        Damage there cannot be taken for a torn write, which only the end of the log can be. 0 with a disk of records.
        """
        if not isinstance(self._disk.store, ByteStore):
            return 0
        first, *others = self._log.names() or [""]
        return len(self._log.inodes[first].durable) if others else 0

    def felt(self, fault: str) -> int:
        """How often a fault, by the name of its method, took effect on this disk so far."""
        store = self._disk.store
        return self._disk.felt[fault] + (store.files.felt[fault] if isinstance(store, ByteStore) else 0)

    def mend(self) -> None:
        """The disk works again. What it lost or damaged stays so."""
        self._tell("mend")
        self._disk.slowness = 1.0
        self._disk.release()
        if isinstance(self._disk.store, ByteStore):
            self._files.mend()

    @property
    def _log(self) -> SimDirectory:
        return self._files.directory(f"{self._name}/raft/{WAL}")

    @property
    def _files(self) -> SimFiles:
        store = self._disk.store
        if not isinstance(store, ByteStore):
            raise ValueError("this fault needs a disk that keeps bytes: DiskModel(form=BYTES)")
        return store.files
