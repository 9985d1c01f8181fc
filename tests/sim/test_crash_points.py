"""The power of a whole server is cut at every file operation of a run, and within: it recovers, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from raftsim.check.violation import InvariantViolated
from raftsim.core.output import Chunk
from raftsim.sim.files import SimFile
from raftsim.storage.segment import Image
from raftsim.storage.snapfile import place_of
from raftsim.storage.snapshots import Snapshots
from tests.sim.crashpoints import FOLLOWER, LEADER, Cut, Operation, Run, cuts

PARTS = 4
Patch = pytest.MonkeyPatch


def operations(role: str) -> list[Operation]:
    return Run(role).whole().operations


def sweep(role: str, chosen: Iterable[Cut]) -> None:
    for cut in chosen:
        try:
            Run(role).cut(cut)
        except (AssertionError, InvariantViolated) as error:
            raise AssertionError(f"{cut}: {error}") from error


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("role", [LEADER, FOLLOWER])
def test_every_crash_point(role: str, part: int) -> None:
    sweep(role, list(cuts(operations(role), every_byte=False))[part::PARTS])


@pytest.mark.soak
@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("role", [LEADER, FOLLOWER])
def test_every_byte(role: str) -> None:
    """The nightly form of the above."""
    sweep(role, cuts(operations(role), every_byte=True))


@pytest.mark.parametrize("role", [LEADER, FOLLOWER])
def test_the_run_has_all_that_a_server_writes_for(role: str) -> None:
    run = Run(role).whole()
    raft = {name: host.node.raft for name, host in run.world.hosts.items() if host.node is not None}
    assert run.world.leader() != run.leader  # a new term
    assert raft[run.victim].term > 1
    done = [(operation.kind, operation.path.rsplit("/", 1)[-1]) for operation in run.operations]
    saved = [name for kind, name in done if kind == "rename" and name.endswith(".snap.tmp")]
    received = [name for kind, name in done if kind == "rename" and name.endswith(".receiving")]
    assert len(saved) > 1
    assert bool(received) == (role == FOLLOWER)
    assert ("remove", "0000000001.wal") in done  # compaction
    assert ("write", "0000000003.wal") in done
    assert all(place_of(name.split(".")[0] + ".snap") for name in saved + received)


def test_a_cut_is_the_same_run_up_to_there() -> None:
    whole, run = operations(LEADER), Run(LEADER)
    run.cut(Cut(100, 3, "best"))
    assert run.operations[:101] == whole[:101]


def acknowledged_before_the_sync(patch: Patch) -> None:
    """B38"""
    patch.setattr(SimFile, "sync", lambda _: None)


def torn_tail_refused(patch: Patch) -> None:
    """B42, the one half"""
    patch.setattr(Image, "frame_begun_later", lambda _: True)


def snapshot_published_before_it_is_durable(patch: Patch) -> None:
    receive = Snapshots.receive

    def early(snapshots: Snapshots, chunk: Chunk) -> bool:
        with pytest.MonkeyPatch.context() as within:
            within.setattr(SimFile, "sync", lambda _: None)
            return receive(snapshots, chunk)

    patch.setattr(Snapshots, "receive", early)


@pytest.mark.parametrize(
    ("plant", "role"),
    [
        (acknowledged_before_the_sync, LEADER),
        (torn_tail_refused, LEADER),
        (snapshot_published_before_it_is_durable, FOLLOWER),
    ],
)
def test_a_planted_bug_is_caught(plant: Callable[[Patch], None], role: str, monkeypatch: Patch) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        sweep(role, cuts(operations(role), every_byte=False))
