"""Reading the log back (B42: a torn tail and damage in the middle are two different things).

Every group commit is one frame, written after the frame before it was synced. So a crash can leave at most one frame
unfinished, and it is the last. From this follows what a place without a sound frame means:

- nothing but zeros up to the end of the file: the end of the log in this segment;
- in the last segment, with no frame begun behind it: a torn write. It was never acknowledged; it is cut, and noted;
- a frame begun behind it, or a later segment: this frame was durable once. Refused, never cut;
- a frame whose checksums hold, but which no server can have written: it is not torn, so it is refused as well.

What can not be detected: rot in the very last frame looks like a torn write, for nothing behind it proves that
it was ever synced; nor can the loss of the whole last segment, or of the last frames together with all trace of them.
Only the other servers' copies help there. A disk is taken to write a sector (512 bytes) whole or not at all:
bytes beside the ones being written stay as they are.

With snapshots the rule is, from the data alone:

1. The newest sound snapshot is taken. What it stands for, the log need not hold.
2. The segments are replayed. Where some are missing, or a record says that the log begins anew, the log's base moves up
   to there, which is allowed only up to the snapshot's index: beyond it, the missing part was promised and is lost.
3. If the log holds the snapshot's last entry (index and term), all entries are kept, those before it as well. If not,
   none can be trusted (B47): the snapshot alone is what the server knows, and the log begins behind it.
4. For each newer snapshot that is damaged, the log must hold its last entry, known from the file's name. A received
   snapshot was acknowledged though the log never held what it stands for; forgetting it would break that promise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from raftsim.core.entry import Restored
from raftsim.storage.collector import collector_paused
from raftsim.storage.errors import REMEDY, StorageError
from raftsim.storage.files import TEMPORARY, Directory
from raftsim.storage.records import BadRecord, NotCovered, Position, begin_anew, replay
from raftsim.storage.segment import Image, Segment, name_of, number_of
from raftsim.storage.snapfile import name_of as snapshot_name
from raftsim.storage.snapshots import Snapshots


@dataclass(slots=True)
class Found:
    """What a disk held. `image` is the last segment, or None in an empty directory."""

    restored: Restored
    position: Position = field(default_factory=Position)  # where the log stands, snapshots apart
    begins: list[tuple[int, int]] = field(default_factory=list)  # of each segment: number, last index before it
    image: Image | None = None
    notes: list[str] = field(default_factory=list)


def look(directory: Directory, snapshots: Snapshots) -> Found:
    """Read everything and change nothing. Raises StorageError as above, and OSError."""
    restored = Restored(snapshot=snapshots.newest)
    found = Found(restored)
    try:
        with collector_paused():
            _read_segments(directory, found)
        found.position = Position.after(restored)
        if snapshots.newest is not None:
            found.position.offer(snapshots.newest)
        for (term, index), _ in snapshots.damaged:
            if _term_at(restored, index) != term:
                raise NotCovered(f"the log does not hold all that {snapshot_name(term, index)} stood for")
    except NotCovered as error:
        reasons = [str(damage) for _, damage in snapshots.damaged] + [str(error)]
        raise StorageError(f"{'; '.join(reasons)}. {REMEDY}") from None
    for _, damage in snapshots.damaged:
        found.notes.append(f"{damage}; not used, an older state and the log stand in for it")
    _stand_on_snapshot(restored)
    return found


def settle(directory: Directory, found: Found) -> Segment | None:
    """Make durable exactly what was read, and cut the rest. Returns the segment to go on with. Raises OSError.

    The last frame may be in the page cache alone: its writer was killed before the sync, or the sync failed. The
    kernel may call a page clean after a failed sync, and a new sync alone would do nothing: it is written again.
    """
    for name in directory.names():
        if name.endswith(TEMPORARY):
            directory.remove(name)
    image = found.image
    if image is None:
        return None
    file = directory.open(name_of(image.number), writable=True)
    try:
        if image.has_rest():
            file.pwrite(bytes(image.used - image.offset), image.offset)
        file.pwrite(image.data[image.last : image.offset], image.last)
        file.sync()
        directory.sync()
    except BaseException:
        file.close()
        raise
    return Segment(file, image.path, image.number, image.offset, len(image.data))


def segment_numbers(directory: Directory) -> list[int]:
    """The numbers of all segments, rising. Raises StorageError for a file that does not belong here."""
    numbers = []
    for name in directory.names():
        number = number_of(name)
        if number is not None:
            numbers.append(number)
        elif not name.endswith(TEMPORARY):
            raise StorageError(f"{directory.path}/{name}: not part of the log; move it away")
    return numbers


def _read_segments(directory: Directory, found: Found) -> None:
    numbers = segment_numbers(directory)
    for expected, number in zip([1, *(number + 1 for number in numbers)], numbers, strict=False):
        image = found.image = Image.read(directory, number)
        found.begins.append((number, image.position.index))
        if number != expected:
            _leap(directory, expected, image, found.restored)
        _replay(image, found.restored)
        if not image.has_rest():
            continue
        if number != numbers[-1]:
            raise image.damaged("no valid frame, and this is not the last segment")
        if image.frame_begun_later():
            raise image.damaged("no valid frame, but a later one follows")
        found.notes.append(f"{image.path}: cut an unfinished write, never acknowledged, at {image.offset}")


def _leap(directory: Directory, expected: int, image: Image, restored: Restored) -> None:
    """Segments before this one are missing: removed, because a snapshot stands for what they held, or lost."""
    try:
        begin_anew(restored, image.position.index, image.position.term)
    except NotCovered as error:
        missing = f"{directory.path}/{name_of(expected)}"
        raise NotCovered(f"{missing}: missing, though {name_of(image.number)} is there, and {error}") from None
    restored.hard = image.position.hard


def _replay(image: Image, restored: Restored) -> None:
    if image.position != Position.after(restored):
        raise image.damaged("the log before this segment does not end where the segment begins", 0)
    while (payload := image.next_payload()) is not None:
        try:
            replay(payload, restored)
        except BadRecord as error:
            raise image.damaged(str(error), image.last) from None
        except NotCovered as error:
            raise NotCovered(f"{image.path}: the log begins anew at offset {image.last}, but {error}") from None


def _term_at(restored: Restored, index: int) -> int | None:
    place = index - restored.base_index
    if place == 0:
        return restored.base_term
    return restored.entries[place - 1].term if 0 < place <= len(restored.entries) else None


def _stand_on_snapshot(restored: Restored) -> None:
    snapshot = restored.snapshot
    if snapshot is None:
        return
    if _term_at(restored, snapshot.index) != snapshot.term:
        restored.entries = []
        restored.base_index, restored.base_term = snapshot.index, snapshot.term
    if restored.hard.term < snapshot.term:
        # Our own snapshot overtook the write of its term. No vote of ours can have been heard in that term.
        restored.hard = replace(restored.hard, term=snapshot.term, vote=None)
