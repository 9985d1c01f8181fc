"""Every way a disk can fail, and the answer of a server: nothing acknowledged is lost, and it says why it stops."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from raftsim.node.requests import OK, RemovePeer
from raftsim.node.settings import NodeSettings
from raftsim.sim.bytestore import ByteStore
from raftsim.sim.disk import BYTES, RECORDS, DiskModel, Form
from raftsim.sim.diskfaults import DiskFaults
from raftsim.sim.world import World
from raftsim.swarm.settle import elected, get, put, settle
from raftsim.trace.events import CRASH, ERROR, FAULT, HALT, Event
from tests.sim.scenes import disk_of_the_leader_stalls

UNTIL_RESTARTED = r" \(the log takes no more writes until the server is started again\)"


@dataclass
class Bench:
    """Three servers with something in their logs; `events` are those of failures."""

    form: Form = BYTES
    strict: bool = True
    threshold: int = 8192
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = World(
            3,
            seed=5,
            disk=DiskModel(form=self.form),
            node_settings=NodeSettings(
                snapshot_threshold_entries=self.threshold, trailing_entries=0, snapshot_chunk_bytes=100
            ),
            strict=self.strict,
            observers=[self._observe],
        )
        self.leader = elected(self.world)
        self.follower = next(name for name in self.world.names if name != self.leader)
        self.put(12)

    def _observe(self, event: Event) -> None:
        if event.kind in (CRASH, ERROR, FAULT, HALT):
            self.events.append(event)

    def put(self, count: int) -> None:
        """Through whoever leads."""
        for number in range(count):
            assert self.world.ask(elected(self.world), put(f"k{number}", "x" * 20)).kind == OK

    def store(self, name: str) -> ByteStore:
        store = self.world.hosts[name].disk.store
        assert isinstance(store, ByteStore)
        return store

    def down(self, name: str) -> Callable[[], bool]:
        return lambda: self.world.hosts[name].node is None

    def crash(self, name: str) -> None:
        """A power cut that leaves nothing but what was synced."""
        self.store(name).fate = "worst"
        self.world.crash(name)

    @property
    def violated(self) -> set[str]:
        return {violation.invariant for violation in self.world.violations}


FIRST, SECOND = "0000000001.wal", "0000000002.wal.tmp"  # written in advance: only a new file needs room
FAILURES: list[tuple[str, Callable[[DiskFaults], None], str, str]] = [
    ("error on write", lambda disk: disk.fail("write"), FIRST, "Input/output error"),
    ("error on sync", lambda disk: disk.fail("sync"), FIRST, "Input/output error"),
    ("quota", lambda disk: disk.fail("write", errno.EDQUOT), FIRST, "Disk quota exceeded"),
    ("read-only", lambda disk: disk.read_only(), FIRST, "Read-only file system"),
    ("no space", lambda disk: disk.fill(), SECOND, "No space left on device"),
    ("a part written", lambda disk: disk.fill(30), SECOND, "No space left on device"),
]


@pytest.mark.parametrize("who", ["leader", "follower"])
@pytest.mark.parametrize(
    ("fault", "file", "reason"), [case[1:] for case in FAILURES], ids=[case[0] for case in FAILURES]
)
def test_a_server_whose_disk_fails_stops_and_says_why(
    fault: Callable[[DiskFaults], None], file: str, reason: str, who: str
) -> None:
    bench = Bench()
    world, name = bench.world, getattr(bench, who)
    fault(world.disk(name))
    while world.hosts[name].node is not None:
        asked = world.submit(bench.leader, put("key", "x" * 20))
        world.run(0.01)
    expected = f"{name}/raft/wal/{file}: {reason} (the log takes no more writes until the server is started again)"
    assert world.hosts[name].halted == expected
    world.run(0.1)
    assert [(event.node, event.kind) for event in bench.events] == [("", FAULT), (name, HALT), (name, CRASH)]
    assert asked.outcome is not None
    assert asked.outcome.kind == ("unknown" if who == "leader" else OK)
    bench.put(3)  # the others go on
    world.restart(name)
    if world.hosts[name].node is None:  # what it found could not be written again: so it does not start
        assert reason in world.hosts[name].halted
    settle(world)
    assert world.hosts[name].halted == ""


def test_what_was_written_before_a_failed_sync_is_found_by_the_next_start() -> None:
    """The page cache holds it, and the disk does not, though the pages look clean: it is written again (B40)."""
    bench = Bench()
    world, name = bench.world, bench.follower
    world.disk(name).fail("sync")
    bench.put(1)
    assert world.run_until(bench.down(name), 1)
    assert bench.store(name).files.clean
    held = world.hosts[name].disk.restored()
    world.disk(name).mend()
    world.restart(name)
    bench.crash(name)
    assert world.hosts[name].disk.restored() == held
    settle(world)


@pytest.mark.parametrize("operation", ["create", "rename"])
def test_a_snapshot_that_can_not_be_saved_stops_the_server(operation: str) -> None:
    bench = Bench(threshold=20)
    world, name = bench.world, bench.follower
    world.disk(name).fail(operation)
    bench.put(10)
    assert world.run_until(bench.down(name), 1)
    assert world.hosts[name].halted.startswith(f"{name}/raft/snapshots")
    settle(world)


# time


@pytest.mark.parametrize("form", [RECORDS, BYTES])
def test_a_leader_whose_disk_stalls_gives_up_leadership(form: Form) -> None:
    """It does not stop, and another one commits meanwhile (B17; planted in tests/bugs)."""
    settle(disk_of_the_leader_stalls(form))


@pytest.mark.parametrize("form", [RECORDS, BYTES])
def test_a_stall_ends_by_itself(form: Form) -> None:
    bench = Bench(form)
    world = bench.world
    for name in world.names:
        if name != bench.leader:
            world.disk(name).stall(0.2)
            world.disk(name).stall(0.1)
    began = world.now
    bench.put(1)
    assert 0.2 < world.now - began < 0.3
    assert world.leader() == bench.leader


@pytest.mark.parametrize("form", [RECORDS, BYTES])
def test_a_slow_disk_of_a_follower_costs_nothing(form: Form) -> None:
    bench = Bench(form)
    world = bench.world
    world.disk(bench.follower).slow(1000)
    began = world.now
    bench.put(5)
    assert world.now - began < 0.1
    assert world.leader() == bench.leader
    settle(world)


@pytest.mark.parametrize("form", [RECORDS, BYTES])
def test_what_was_stalled_at_a_crash_never_comes_to_its_end(form: Form) -> None:
    bench = Bench(form)
    world, name = bench.world, bench.follower
    world.disk(name).stall()
    bench.put(3)
    world.crash(name)
    world.disk(name).mend()
    world.restart(name)
    settle(world)


# damage


def damaged(bench: Bench, name: str, reason: str) -> None:
    """The server does not start, and says why; the others go on without it, and can replace it."""
    world = bench.world
    world.restart(name)
    assert world.hosts[name].node is None
    assert reason in world.hosts[name].halted
    assert bench.events[-1].kind == HALT
    assert bench.events[-1].subject == world.hosts[name].halted
    assert world.ask(elected(world), RemovePeer(id=world.ids[name])).kind == OK
    bench.put(2)
    assert bench.violated == set()


def test_a_rotten_byte_in_the_log_is_refused() -> None:
    bench = Bench()
    world, name = bench.world, bench.follower
    world.crash(name)
    world.disk(name).rot(path := f"{name}/raft/wal/0000000001.wal", 200)
    damaged(bench, name, f"{path}: damaged at offset ")


def test_a_rotten_vote_is_refused() -> None:
    bench = Bench()
    world, name = bench.world, bench.follower
    world.crash(name)
    before = world.hosts[name].disk.restored().hard
    path = f"{name}/raft/wal/0000000001.wal"
    content = bench.store(name).files.directory(f"{name}/raft/wal").open("0000000001.wal").read()
    assert before.vote is not None
    world.disk(name).rot(path, content.index(before.vote.encode()))
    damaged(bench, name, f"{path}: damaged at offset ")


def test_a_misdirected_write_is_refused() -> None:
    """One that nothing follows looks like a torn one: only the other servers' copies help there."""
    bench = Bench()
    world, name = bench.world, bench.follower
    world.disk(name).misdirect(1024)
    bench.put(4)
    world.run(0.5)
    world.crash(name)
    damaged(bench, name, "wal: damaged at offset ")


def test_lying_syncs_are_found_out_by_a_power_cut() -> None:
    """No server can know; what it had promised is gone, and the judges say so."""
    bench = Bench(strict=False)
    world, name = bench.world, bench.follower
    world.disk(name).lie()
    bench.put(4)
    world.run(0.5)
    assert bench.violated == set()
    bench.crash(name)
    world.restart(name)
    assert bench.violated == {"restored as written"}


def test_lying_syncs_are_no_harm_while_the_power_is_there() -> None:
    bench = Bench()
    world, name = bench.world, bench.follower
    world.disk(name).lie()
    bench.put(4)
    world.run(0.5)
    world.disk(name).mend()
    bench.put(1)
    world.run(0.5)
    bench.crash(name)
    settle(world)


def test_a_rotten_snapshot_stops_the_leader_that_reads_it() -> None:
    bench = Bench(threshold=20)
    world, name, other = bench.world, bench.leader, bench.follower
    world.isolate(other)
    bench.put(25)
    world.run(0.5)
    (snapshot,) = bench.store(name).files.directory(f"{name}/raft/snapshots").names()
    world.disk(name).rot(path := f"{name}/raft/snapshots/{snapshot}", 700)
    world.heal()
    assert world.run_until(bench.down(name), 5)
    assert world.hosts[name].halted.startswith(f"{path}: damaged at offset ")


def test_another_state_stands_in_for_a_rotten_snapshot() -> None:
    """Nothing is lost, and yet the disk holds less than it was given: one judge says so."""
    bench = Bench(threshold=20, strict=False)
    world, name = bench.world, bench.follower
    bench.put(40)
    world.run(0.5)
    world.crash(name)
    older, newer = bench.store(name).files.directory(f"{name}/raft/snapshots").names()
    world.disk(name).rot(f"{name}/raft/snapshots/{newer}", 300)
    restored = world.hosts[name].disk.restored()
    assert restored.snapshot is not None
    assert older.endswith(f"{restored.snapshot.index:016d}.snap")
    settle(world)
    assert bench.violated == {"restored as written"}


# what cannot be done


def test_records_have_no_bytes_to_break() -> None:
    disk = Bench(RECORDS).world.disk("n1")
    for fault in (disk.lie, disk.fill, disk.read_only, disk.misdirect, lambda: disk.fail("sync")):
        with pytest.raises(ValueError, match="needs a disk that keeps bytes"):
            fault()


def test_what_there_is_not_can_not_be_broken() -> None:
    disk = Bench().world.disk("n1")
    with pytest.raises(ValueError, match="a factor must be positive, got 0"):
        disk.slow(0)
    with pytest.raises(ValueError, match="not an operation of a disk: read"):
        disk.fail("read")
    with pytest.raises(ValueError, match=r"no durable byte at 9999 in n1/raft/wal/0000000001\.wal"):
        disk.rot("n1/raft/wal/0000000001.wal", 9999)
    with pytest.raises(ValueError, match="no durable byte at 0 in n1/raft/nothing"):
        disk.rot("n1/raft/nothing", 0)


def test_a_read_needs_no_disk() -> None:
    """A leader whose disk is full answers reads until it has to write."""
    bench = Bench()
    bench.world.disk(bench.leader).fill()
    assert bench.world.ask(bench.leader, get("k1")).kind == OK
