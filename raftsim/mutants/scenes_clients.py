"""Traps for what clients do that the scenario language cannot say: they delete, and they ask within sessions."""

from __future__ import annotations

from random import Random
from typing import Any

from raftsim.check import Map
from raftsim.check.clients.exactly_once import exactly_once
from raftsim.check.violation import InvariantViolated
from raftsim.machine.sessions import register_command, session_command
from raftsim.machine.variables import delete_command, put_command
from raftsim.mutants.scenes_durability import write
from raftsim.node.requests import OK, Command, Query
from raftsim.node.settings import NodeSettings
from raftsim.sim.workload import Mix, Script
from raftsim.sim.world import World
from raftsim.swarm.settle import converged, elected, put, settle

OFTEN = NodeSettings(snapshot_threshold_entries=10, trailing_entries=0)


def a_variable_is_deleted(seed: int) -> None:
    """A follower is cut off while a variable is deleted, and is sent a snapshot in which there is none."""
    world = World(3, seed=seed, node_settings=OFTEN)
    _ask(world, put("doomed", "here"))
    _cut_off_one(world)
    _ask(world, Command(delete_command("default", "doomed", None)))
    _bring_back_with_a_snapshot(world)
    write(world, 20)  # and now all of them take one
    settle(world)


def a_session_outlives_a_snapshot(seed: int) -> None:
    """A client has a session, of which one follower knows from a snapshot alone. The client goes on in it."""
    world = World(3, seed=seed, node_settings=OFTEN)
    _cut_off_one(world)
    session = _ask(world, Command(register_command(0)))["value"]
    _bring_back_with_a_snapshot(world)
    command = put_command("default", "key/session", {"value": "in a session"}, None, 0)
    _ask(world, Command(session_command(session, 1, command)))
    write(world, 20)  # and now all of them take one
    settle(world)


def a_command_comes_again(seed: int) -> None:
    """The answer to alice's write is lost. Bob reads what she wrote, and overwrites it; then she asks again."""
    world = World(3, seed=seed)
    alice, bob = (Script(name, Mix(), Random(seed)) for name in ("alice", "bob"))
    session = _ask(world, Command(register_command(0)))["value"]
    written, alone = alice.put("key", world.now)
    command = Command(session_command(session, 1, alone.data))
    _ask(world, command)
    history = []
    for step in (bob.get, bob.put):
        operation, request = step("key", world.now)
        bob.answered(operation, _ask(world, request), world.now)
        history.append(operation)
    alice.answered(written, _ask(world, command)["value"], world.now)
    for violation in exactly_once([*history, written], Map()):
        raise InvariantViolated(violation)
    settle(world)


def _cut_off_one(world: World) -> None:
    leader = elected(world)
    assert world.run_until(lambda: converged(world), 10)
    world.isolate(next(name for name in world.names if name != leader))


def _bring_back_with_a_snapshot(world: World) -> None:
    write(world, 20)
    world.run(0.1)  # until the snapshot is saved
    world.heal()
    assert world.run_until(lambda: converged(world), 10)


def _ask(world: World, request: Command | Query) -> Any:
    outcome = world.ask(elected(world), request)
    assert outcome.kind == OK, outcome
    return outcome.value
