"""What a server may ask of its disk in the course of a life, and a model of what it must find there after a crash."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from random import Random

from raftsim.core.config import of
from raftsim.core.entry import COMMAND, Entry, HardState, Restored, SnapshotMeta
from raftsim.core.output import Chunk, Write
from raftsim.storage.wal import Wal


@dataclass
class Save:
    """A snapshot of our own machine."""

    meta: SnapshotMeta


@dataclass
class Compact:
    index: int


@dataclass
class Installed:
    """The core has heard that a received snapshot is durable: from here on its log begins behind it."""


Op = list[Write] | Save | Compact | Installed
Step = Write | SnapshotMeta | Installed


def meta_of(index: int, term: int) -> SnapshotMeta:
    return SnapshotMeta(index, term, of("a", "b"), 1)


def state_of(meta: SnapshotMeta) -> bytes:
    """The state that a snapshot holds, of 0 to 100 bytes."""
    return b"%d/%d " % (meta.term, meta.index) * (meta.index % 17)


@dataclass
class Model:
    """A log of any kind of writes, kept as plain as can be."""

    hard: HardState = field(default_factory=HardState)
    base: tuple[int, int] = (0, 0)
    entries: list[Entry] = field(default_factory=list)
    snapshot: SnapshotMeta | None = None

    @property
    def last(self) -> int:
        return self.base[0] + len(self.entries)

    @property
    def snapshot_index(self) -> int:
        return self.snapshot.index if self.snapshot else 0

    def term_at(self, index: int) -> int | None:
        terms = [self.base[1], *(entry.term for entry in self.entries)]
        return terms[index - self.base[0]] if self.base[0] <= index <= self.last else None

    def take(self, step: Step) -> None:
        match step:
            case Write():
                self.hard = step.hard or self.hard
                if step.entries:
                    self.entries[step.first_index - self.base[0] - 1 :] = step.entries
            case SnapshotMeta():
                if step.index > self.snapshot_index:
                    self.snapshot = step
            case Installed():
                self.stand_on_snapshot()

    def stand_on_snapshot(self) -> None:
        if self.snapshot is not None and self.term_at(self.snapshot.index) != self.snapshot.term:
            self.base, self.entries = (self.snapshot.index, self.snapshot.term), []

    def restarted(self) -> Model:
        after = deepcopy(self)
        after.stand_on_snapshot()
        if after.snapshot is not None and after.hard.term < after.snapshot.term:
            after.hard = HardState(after.snapshot.term)
        return after

    def allows(self, found: Restored) -> bool:
        """Whether a start may find this: all of it, but for compacted entries, and nothing else."""
        compacted = found.base_index - self.base[0]
        return (
            (found.hard, found.snapshot) == (self.hard, self.snapshot)
            and 0 <= compacted <= max(0, self.snapshot_index - self.base[0])
            and found.base_term == self.term_at(found.base_index)
            and found.entries == self.entries[compacted:]
        )


def steps(op: Op) -> list[Step]:
    """The atoms of `op`: a crash leaves some of the first ones."""
    match op:
        case Save(meta):
            return [meta]
        case Compact():
            return []
        case Installed():
            return [op]
    found: list[Step] = []
    for write in op:
        found.append(write)
        if write.chunk is not None and write.chunk.last:
            found.append(write.chunk.meta)
    return found


def after_crash(model: Model, in_flight: list[Op], found: Restored) -> Model:
    """The model of what a crash left. Asserts that it is `model` and some of the first steps of what was in flight."""
    model = deepcopy(model)
    tried = [model.restarted()]
    for op in in_flight:
        for step in steps(op):
            model.take(step)
            tried.append(model.restarted())
    for candidate in tried:
        if candidate.allows(found):
            return candidate
    raise AssertionError("\n".join(["found:", repr(found), "expected one of:", *map(repr, tried)]))


def perform(wal: Wal, op: Op) -> None:
    match op:
        case Save(meta):
            state = state_of(meta)
            wal.snapshots.save(meta, [state[start : start + 20] for start in range(0, len(state), 20)])
        case Compact(index):
            wal.compact(index)
        case list():
            wal.append(op)


def next_ops(rng: Random, model: Model, *, received: bool = True) -> list[Op]:
    """What a server in this state may do next."""
    kind = rng.choice(["append"] * 5 + ["save", "save", "compact", "ahead"] + ["receive"] * (2 * received))
    if kind == "save" and model.last > (known := max(model.snapshot_index, model.base[0])):
        index = rng.randint(known + 1, model.last)
        return [Save(meta_of(index, model.term_at(index) or 0))]
    if kind == "compact":
        return [Compact(rng.randint(0, model.snapshot_index))]
    if kind == "receive":
        return _receive(rng, model)
    write = _write(rng, model)
    if kind == "ahead" and received and write.entries:  # the machine was ahead of the disk
        index = write.first_index + rng.randrange(len(write.entries))
        return [Save(meta_of(index, write.entries[index - write.first_index].term)), [write]]
    batch, then = [write], deepcopy(model)
    while rng.random() < 0.4:
        then.take(batch[-1])
        batch.append(_write(rng, then))
    return [batch]


def _write(rng: Random, model: Model) -> Write:
    cut = max(0, min(rng.choice([0, 0, 0, 1, 2, 5]), model.last - model.snapshot_index))
    rises = cut > 0 or model.hard.term == 0 or rng.random() < 0.2
    hard = HardState(model.hard.term + 1, rng.choice([None, "a"])) if rises else None
    sizes = [rng.randrange(70) for _ in range(rng.choice([0, 1, 1, 2, 4]))]
    entries = [Entry((hard or model.hard).term, COMMAND, rng.randbytes(1) * size) for size in sizes]
    return Write(0, hard, model.last + 1 - cut if entries else 0, entries)


def _receive(rng: Random, model: Model) -> list[Op]:
    index = model.snapshot_index + rng.randint(1, 12)
    hard = HardState(model.hard.term + 1)
    term = model.term_at(index) if rng.random() < 0.5 else None
    meta = meta_of(index, hard.term if term is None else term)
    batches = [[Write(0, hard)]]
    if rng.random() < 0.3:  # of another leader, and given up
        batches.append([Write(0, None, chunk=Chunk(meta_of(index + 1, meta.term), 0, b"lost", last=False))])
    state, start = state_of(meta), 0
    while start == 0 or start < len(state):
        end = start + rng.randint(1, 60)
        batches.append([Write(0, None, chunk=Chunk(meta, start, state[start:end], last=end >= len(state)))])
        start = end
    # The log may go on before the core hears of the snapshot. By Log Matching no leader can append to a log that
    # conflicts with a committed snapshot, so such a log stays as it is.
    if rng.random() < 0.4 and model.term_at(index) in (None, meta.term):
        late = [Entry(hard.term, COMMAND, b"late") for _ in range(rng.randint(1, 5))]
        batches[-1].append(Write(0, None, model.last + 1, late))
    return [*batches, Installed()]
