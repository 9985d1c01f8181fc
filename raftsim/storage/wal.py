"""The write-ahead log: entries and vote records, durable in the order they were appended.

One call of `append` is one group commit: one frame, one write, one sync. Reading back: `recovery`.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from threading import Lock

from raftsim.core.output import Write
from raftsim.storage import frames, records
from raftsim.storage.errors import StorageError
from raftsim.storage.files import Directory
from raftsim.storage.records import Position
from raftsim.storage.recovery import Found, look, settle
from raftsim.storage.segment import Segment, name_of
from raftsim.storage.snapshots import Snapshots


@dataclass(frozen=True, slots=True)
class WalSettings:
    """`segment_bytes`: size of a file, written in advance, for overwriting is cheaper to sync than growing.

    `frame_bytes`: a larger batch is synced in parts. A single write larger than either limit still goes in whole.
    """

    segment_bytes: int = 8 << 20
    frame_bytes: int = 4 << 20

    def __post_init__(self) -> None:
        for name in ("segment_bytes", "frame_bytes"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")


class Wal:
    """An open log, and the snapshots it stands on. One thread at a time may use `append`; `compact` goes beside it.

    `restored` is what the disk held when it was opened, `notes` what recovery did, for the operator.
    """

    def __init__(
        self, directory: Directory, snapshots: Snapshots, segment: Segment, found: Found, settings: WalSettings
    ) -> None:
        self.restored = found.restored
        self.notes = found.notes
        self.snapshots = snapshots
        self.path = directory.path
        self._directory = directory
        self._segment = segment
        self._settings = settings
        self._position = found.position
        self._begins = found.begins
        self._lock = Lock()  # of _begins
        self._failure: str | None = None

    @classmethod
    def open(cls, directory: Directory, snapshots: Snapshots, settings: WalSettings | None = None) -> Wal:
        """Recover the log in `directory`, or begin one. Raises StorageError."""
        settings = settings or WalSettings()
        try:
            found = look(directory, snapshots)
            found.notes += snapshots.clean()
            segment = settle(directory, found)
            if segment is None:
                segment = Segment.create(directory, 1, found.position, size=settings.segment_bytes, room=0)
                found.begins.append((1, 0))
        except OSError as error:
            raise StorageError.because(directory.path, error) from error
        return cls(directory, snapshots, segment, found, settings)

    @property
    def position(self) -> Position:
        """Where the log stands: what was appended is durable up to there."""
        return copy(self._position)

    def append(self, writes: Sequence[Write]) -> None:
        """Make `writes` durable, in order; the chunk of each after its record. Blocks.

        Raises StorageError, and then at every later call: what a failed write or sync left on the disk is unknown
        until the log is read again, and a sync that is tried again may succeed without having written (B40).
        """
        if self._failure is not None:
            raise StorageError(self._failure)
        try:
            for batch in records.split(writes, self._settings.frame_bytes):
                self._append_frame(batch)
                chunk = batch[-1].chunk
                if chunk is not None and self.snapshots.receive(chunk):
                    self._position.offer(chunk.meta)
        except OSError as error:
            failure = StorageError.because(self._segment.path, error)
            self._failure = f"{failure} (the log takes no more writes until the server is started again)"
            raise StorageError(self._failure) from error

    def compact(self, index: int) -> None:
        """Remove the segments that hold nothing after `index`, never the last. Raises OSError.

        What the older of the kept snapshots does not stand for stays (B49): the newest may turn out damaged. And it
        stops at the first segment that began behind `index`, even if the log was cut back below it later: so a
        crash that keeps any of the removed ones leaves what can be read.
        """
        index = min(index, self.snapshots.covered)
        if index == 0:
            return  # a segment without entries would be removed, and no snapshot would excuse that it is missing
        gone = []
        with self._lock:
            while len(self._begins) > 1 and self._begins[1][1] <= index:
                gone.append(self._begins.pop(0)[0])
        for number in gone:
            self._directory.remove(name_of(number))
        if gone:
            self._directory.sync()

    def close(self) -> None:
        """Everything appended is durable already; only the files are let go."""
        self._segment.close()
        self.snapshots.close()

    def _append_frame(self, writes: Sequence[Write]) -> None:
        position = copy(self._position)
        payload = records.encode(writes, position)
        if payload is None:
            return
        frame_bytes = frames.size(len(payload))
        if not self._segment.fits(frame_bytes):
            self._roll(frame_bytes)
        self._segment.append(payload)
        self._position = position

    def _roll(self, room: int) -> None:
        full, position = self._segment, self._position
        size = self._settings.segment_bytes
        self._segment = Segment.create(self._directory, full.number + 1, position, size=size, room=room)
        with self._lock:
            self._begins.append((full.number + 1, position.index))
        full.close()
