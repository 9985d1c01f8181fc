"""One run of 200 operations, and the same run again with the power of one server cut at a byte of it.

The run has all that a server writes for: puts, a member that joins, is promoted and leaves, snapshots with compaction,
a snapshot received by a follower that was cut off, a new term, a crash and the recovery from it. A seed repeats it
exactly, so a place in it is a number: the file operation of the victim, and the bytes of it that are still written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from raftsim.core.config import LEARNER, REMOVE, VOTER
from raftsim.node.requests import OK, Request, TransferLeadership
from raftsim.node.settings import NodeSettings
from raftsim.sim.bytestore import ByteStore, Fate
from raftsim.sim.disk import BYTES, DiskModel
from raftsim.sim.host import PendingOutcome
from raftsim.sim.world import World
from raftsim.swarm.settle import converged, elected, get, index_of, members, put
from tests.sim.scenes import changes

OPERATIONS: Final = 200
SEED: Final = 3
BURST: Final = 8  # requests at once
LEADER, FOLLOWER = "the first leader", "a follower that is given a snapshot"


@dataclass(frozen=True, slots=True)
class Operation:
    """Of the victim. `count`: the bytes of a write, else 1; `clean`: what came before it was synced."""

    kind: str
    path: str
    count: int
    clean: bool


@dataclass(frozen=True, slots=True)
class Cut:
    """The power goes out when `done` bytes of operation `number` are done. `fate`: of what was not synced."""

    number: int
    done: int
    fate: Fate


def cuts(operations: list[Operation], *, every_byte: bool) -> Iterator[Cut]:
    """Before every operation: nothing that is not synced survives, and all of it does, where that is not the same. And
    within every write, with its beginning on the disk: at every byte, or at one that moves on from write to write; and
    at another such byte with whatever a power cut may leave."""
    for number, operation in enumerate(operations):
        if number == 0 or operations[number - 1].kind == "sync":
            yield Cut(number, 0, "worst")
        if not operation.clean:
            yield Cut(number, 0, "best")
        if operation.kind == "write" and operation.count > 1:
            inner = operation.count - 1
            for done in range(1, operation.count) if every_byte else [1 + 31 * number % inner]:
                yield Cut(number, done, "best")
            yield Cut(number, 1 + (31 * number + inner // 2) % inner, "any")


class Run:
    """To be done with `whole` or with `cut`. `operations` are those of the victim, the server in this `role`."""

    def __init__(self, role: str) -> None:
        self.world = world = World(
            3,
            seed=SEED,
            disk=DiskModel(form=BYTES),
            node_settings=NodeSettings(snapshot_threshold_entries=30, trailing_entries=5, snapshot_chunk_bytes=150),
        )
        self.operations: list[Operation] = []
        self._cut: Cut | None = None
        self.leader = elected(world)
        others = [name for name in world.names if name != self.leader]
        self._follower = others[0]
        self.victim = self.leader if role == LEADER else self._follower
        store = world.hosts[self.victim].disk.store
        assert isinstance(store, ByteStore)
        self._store = store
        self._store.files.witness = self._see
        self._asked: list[PendingOutcome] = []

    def whole(self) -> Run:
        """The run without a cut, to its end."""
        for _ in self._script():
            pass
        assert len(self._asked) == OPERATIONS
        assert all(asked.outcome and asked.outcome.kind == OK for asked in self._asked)
        return self

    def cut(self, cut: Cut) -> None:
        """The run up to the cut, then a restart; then all must be well, and nothing acknowledged lost."""
        world, host = self.world, self.world.hosts[self.victim]
        self._cut = cut
        for _ in self._script():
            if host.node is None:
                break
        assert host.node is None, f"nothing was cut at {cut}"
        self._store.files.witness = None
        world.heal()
        world.restart(self.victim)
        assert host.halted == "", host.halted
        assert world.run_until(lambda: converged(world), 20), "the cluster does not converge"
        written = world.ask(self.victim, put("fresh", "value"))
        found = world.ask(self.victim, get("fresh"))
        assert (written.kind, found.kind, index_of(found)) == (OK, OK, index_of(written))
        assert world.run_until(lambda: converged(world), 5), "the fresh write does not reach every member"
        assert world.judges is not None
        for name in members(world):
            assert world.judges.durability.lost(name) == [], f"{name} lost acknowledged writes"

    def _see(self, kind: str, path: str, count: int) -> None:
        if self._cut is not None and len(self.operations) == self._cut.number:
            self._store.files.power, self._store.fate = self._cut.done, self._cut.fate
        self.operations.append(Operation(kind, path, count, self._store.files.clean))

    # the run: every step ends when its outcomes are known, or the victim is down

    def _script(self) -> Iterator[None]:
        world, leader, follower = self.world, self.leader, self._follower
        yield from self._put(leader, 32)
        yield from self._crash(follower)
        world.add("n4")
        yield from self._ask(leader, changes(world, n4=LEARNER))
        yield from self._put(leader, 24)
        yield from self._rest(0.2)  # the new server catches up
        yield from self._ask(leader, changes(world, n4=VOTER))
        world.isolate(follower)
        yield from self._put(leader, 64)
        world.heal()
        yield from self._put(leader, 16)
        yield from self._ask(leader, TransferLeadership(id=world.ids[follower]))
        yield from self._put(follower, 16)
        yield from self._crash(leader)
        yield from self._put(follower, 16)
        yield from self._ask(follower, changes(world, n4=REMOVE))
        yield from self._put(follower, 28)

    def _put(self, name: str, count: int) -> Iterator[None]:
        for done in range(0, count, BURST):
            numbers = range(len(self._asked), len(self._asked) + min(BURST, count - done))
            yield from self._ask(name, *(put(f"k{number % 7}", f"value {number}") for number in numbers))

    def _rest(self, for_s: float) -> Iterator[None]:
        self.world.run_until(lambda: self.world.hosts[self.victim].node is None, for_s)
        yield

    def _crash(self, name: str) -> Iterator[None]:
        """It is back at once. Its disk was at rest, so the recovery is all that there is to cut."""
        yield from self._rest(0.05)
        self.world.crash(name)
        self.world.restart(name)
        yield

    def _ask(self, name: str, *requests: Request) -> Iterator[None]:
        world, host = self.world, self.world.hosts[self.victim]
        asked = [world.submit(name, request) for request in requests]
        self._asked += asked
        known = world.run_until(lambda: host.node is None or all(each.outcome is not None for each in asked), 20)
        assert known, "no outcome"
        yield
