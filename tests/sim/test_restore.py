"""An operator's restore among crashes and changes of the leader: all or nothing, and the same on every server."""

from __future__ import annotations

import math
from random import Random

import pytest

from raftsim.core.config import LEARNER
from raftsim.machine.sessions import UNKNOWN_SESSION, register_command, session_command
from raftsim.machine.variables import put_command
from raftsim.node import restore
from raftsim.node.requests import INVALID, OK, REFUSED, UNKNOWN, Command, Query
from raftsim.node.settings import NodeSettings
from raftsim.sim.host import PendingOutcome
from raftsim.sim.world import World
from raftsim.swarm.settle import converged, elected, get, leading, members, put, settle
from tests.sim.scenes import change

KEYS = 40
END = 2  # the first byte of the last step


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a restore takes some seconds of a slow network."""
    monkeypatch.setattr(restore, "PART_BYTES", 60)


def archive() -> list[bytes]:
    """The state of another cluster, whose log is much longer than the one it comes to."""
    world = World(1)
    leader = elected(world)
    for number in range(KEYS):
        assert world.ask(leader, put(f"k{number}", "restored")).kind == OK
    for number in range(200):
        assert world.ask(leader, put("k0", f"{number}")).kind == OK
    assert world.ask(leader, Command(register_command(0))).kind == OK
    return state_of(world, leader)


def state_of(world: World, name: str) -> list[bytes]:
    node = world.hosts[name].node
    assert node is not None
    return list(node.clients._machine.snapshot())


def states(world: World) -> set[bytes]:
    """Of all members, once they agree."""
    assert world.run_until(lambda: converged(world), 20)
    return {b"".join(state_of(world, name)) for name in members(world)}


def values(world: World) -> dict[str, str]:
    """By path, as the leader's clients see it."""
    found = world.ask(elected(world), Query(("list", "default", "")))
    assert found.kind == OK
    paths = [each["Path"] for each in found.value["variables"]]
    return {path: world.ask(elected(world), get(path)).value["variable"]["Items"]["value"] for path in paths}


def finish(world: World, restoring: PendingOutcome) -> str:
    """Returns how it ended."""
    assert world.run_until(lambda: restoring.outcome is not None, 120)
    assert restoring.outcome is not None
    return restoring.outcome.kind


def part_number(restoring: PendingOutcome) -> int:
    """How far it is."""
    return int.from_bytes(restoring.request.data[9:13], "big")  # type: ignore[union-attr]


def step_kind(restoring: PendingOutcome) -> int:
    return restoring.request.data[0]  # type: ignore[union-attr]


@pytest.mark.parametrize("asked", ["the leader", "a follower"])
def test_all_servers_have_the_state_that_was_restored(asked: str) -> None:
    world = World(3, seed=3)
    leader = elected(world)
    for path in ("k1", "gone"):
        assert world.ask(leader, put(path, "before")).kind == OK
    name = leader if asked == "the leader" else next(other for other in world.names if other != leader)
    restoring = world.restore(name, archive())
    world.run(0.05)
    during = world.submit(leader, put("k2", "during"))  # written to what will be replaced
    assert finish(world, restoring) == OK
    assert during.outcome is not None
    assert during.outcome.kind == OK
    assert len(states(world)) == 1
    found = values(world)
    assert found == {"k0": "199"} | {f"k{number}": "restored" for number in range(1, KEYS)}
    settle(world)


def test_indexes_of_the_other_log_do_not_come_along() -> None:
    """The archive's are far ahead of this log: kept, they would have been met again by later writes."""
    world = World(3, seed=4)
    restoring = world.restore(elected(world), archive())
    assert finish(world, restoring) == OK
    assert restoring.outcome is not None
    index = restoring.outcome.value["index"]
    found = world.ask(elected(world), Query(("list", "default", "")))
    assert {each["ModifyIndex"] for each in found.value["variables"]} == {found.value["index"]} == {index}
    assert world.ask(elected(world), put("k1", "later")).value["index"] > index


def test_blocking_queries_wake() -> None:
    world = World(3, seed=5)
    leader = elected(world)
    before = world.ask(leader, put("k1", "before")).value["index"]
    waiting = [world.submit(leader, Query(("get", "default", path), after=before, wait_s=60)) for path in ("k1", "no")]
    world.run(1)
    assert [each.outcome for each in waiting] == [None, None]
    restoring = world.restore(leader, archive())
    assert finish(world, restoring) == OK
    assert restoring.outcome is not None
    assert [each.outcome and each.outcome.value["index"] for each in waiting] == [restoring.outcome.value["index"]] * 2


def test_sessions_end() -> None:
    """Nobody could tell whether the state that was brought back has seen a command that comes again."""
    world = World(3, seed=6)
    leader = elected(world)
    session = world.ask(leader, Command(register_command(0))).value["value"]
    write = Command(session_command(session, 1, put_command("default", "mine", {"value": "x"}, None, 0)))
    assert world.ask(leader, write).value["outcome"] == "ok"
    assert finish(world, world.restore(leader, archive())) == OK
    assert world.ask(leader, write).value == {"outcome": "refused", "reason": UNKNOWN_SESSION}
    assert "mine" not in values(world)


def test_what_is_no_state_changes_nothing_and_stops_nobody() -> None:
    world = World(3, seed=7)
    leader = elected(world)
    assert world.ask(leader, put("k1", "before")).kind == OK
    for bad in ([b"junk" * 50], [], archive()[:-1], [*archive(), b"more"]):
        restoring = world.restore(leader, bad)
        assert finish(world, restoring) == REFUSED
        assert restoring.outcome is not None
        assert restoring.outcome.reason == INVALID
        assert restoring.outcome.detail.startswith("not a state of this machine: ")
    assert len(world.alive) == 3
    assert values(world) == {"k1": "before"}


def test_a_server_that_comes_later_gets_it_by_snapshot() -> None:
    world = World(3, seed=8, node_settings=NodeSettings(snapshot_threshold_entries=10, trailing_entries=5))
    restoring = world.restore(elected(world), archive())
    assert finish(world, restoring) == OK
    world.run(1)
    assert restoring.outcome is not None
    assert leading(world).log.base_index == restoring.outcome.value["index"]  # the parts are gone
    world.add("n4")
    assert change(world, n4=LEARNER).kind == OK
    assert len(states(world)) == 1


@pytest.mark.parametrize("crash", [0, 3, 20])
def test_the_leader_crashes_in_the_middle_and_the_next_goes_on(crash: int) -> None:
    world = World(3, seed=9)
    leader = elected(world)
    name = next(other for other in world.names if other != leader)
    restoring = world.restore(name, archive())
    assert world.run_until(lambda: part_number(restoring) >= crash, 20)
    world.crash(leader)
    assert finish(world, restoring) == OK
    world.restart(leader)
    assert len(states(world)) == 1
    assert len(values(world)) == KEYS


def test_the_server_that_was_asked_crashes_and_nothing_has_happened() -> None:
    world = World(3, seed=10)
    leader = elected(world)
    assert world.ask(leader, put("k1", "before")).kind == OK
    name = next(other for other in world.names if other != leader)
    restoring = world.restore(name, archive())
    assert world.run_until(lambda: part_number(restoring) >= 10, 20)
    world.crash(name)
    assert finish(world, restoring) == REFUSED
    world.restart(name)
    assert values(world) == {"k1": "before"}
    assert finish(world, world.restore(name, archive())) == OK  # another one is not disturbed by what was left
    assert len(values(world)) == KEYS
    settle(world)


@pytest.mark.parametrize("lost", ["the word", "the answer"])
def test_the_server_that_was_asked_crashes_at_the_last_step_and_nobody_knows(lost: str) -> None:
    world = World(3, seed=11)
    leader = elected(world)
    assert world.ask(leader, put("k1", "before")).kind == OK
    name = next(other for other in world.names if other != leader)
    restoring = world.restore(name, archive())
    assert world.run_until(lambda: step_kind(restoring) == END, 20)
    world.cut(*((name, leader) if lost == "the word" else (leader, name)))
    world.run(0.1)
    world.crash(name)
    assert finish(world, restoring) == UNKNOWN
    settle(world)
    assert len(states(world)) == 1
    assert (values(world)["k1"] == "before") is (lost == "the word")


def test_storms() -> None:
    """Whatever happens meanwhile, afterwards it has happened as a whole or not at all, as the outcome said."""
    assert {storm(seed) for seed in range(25)} >= {OK, REFUSED}


def storm(seed: int) -> str:
    rng = Random(f"{seed}/storm")
    settings = NodeSettings(snapshot_threshold_entries=7, trailing_entries=2, leader_wait_s=1.5)
    world = World(3, seed=seed, node_settings=settings)
    assert world.ask(elected(world), put("mark", "before")).kind == OK
    state = archive()
    restoring = world.restore(rng.choice(world.names), state)
    aim = rng.choice([rng.randrange(len(state[-1]) // restore.PART_BYTES), math.inf])  # or the last step
    world.run_until(lambda: part_number(restoring) >= aim or step_kind(restoring) == END, 30)
    while restoring.outcome is None:
        world.run(rng.choice([0.0005, 0.002, 0.3]))
        name = rng.choice(world.names)
        if name not in world.alive:
            world.restart(name)
        elif rng.random() < 0.4:
            world.crash(name)
        elif rng.random() < 0.5:
            world.isolate(name)
        else:
            world.heal()
    settle(world)
    assert len(states(world)) == 1
    happened = len(values(world)) >= KEYS
    assert happened is not (values(world).get("mark") == "before"), "half of it happened"
    assert restoring.outcome.kind == UNKNOWN or (restoring.outcome.kind == OK) is happened
    return restoring.outcome.kind
