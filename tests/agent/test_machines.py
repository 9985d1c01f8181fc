"""The machine by its import path: what is said when there is none, and a server that finds another machine's log."""

from __future__ import annotations

from pathlib import Path

import pytest

from raftsim.agent.machines import machine_of
from raftsim.agent.schema import ConfigError, check_value
from raftsim.check.violation import InvariantViolated
from raftsim.machine.locks import acquire_command, lock_service
from raftsim.machine.sessions import Sessions
from raftsim.machine.standard import standard_machine
from raftsim.node.requests import OK, Command
from raftsim.sim.world import World


@pytest.mark.parametrize("path", ["raftsim.machine.standard:standard_machine", "raftsim.machine.locks:lock_service"])
def test_the_machines_there_are(path: str) -> None:
    assert check_value("file", "raftsim.machine", path) == path
    assert isinstance(machine_of(path), Sessions)


@pytest.mark.parametrize("path", ["", "locks", "a:", ":a", "a.b", "a b:c", "a:b:c", "a..b:c", "../a:b", 3])
def test_what_is_no_path(path: object) -> None:
    with pytest.raises(ConfigError, match=r"^file: raftsim\.machine: "):
        check_value("file", "raftsim.machine", path)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("no_such_module:x", "cannot import no_such_module: ModuleNotFoundError: No module named 'no_such_module'"),
        ("mine:nothing", "mine has no factory called nothing"),
        ("mine:number", "mine has no factory called number"),
        ("mine:fails", "mine:fails failed: ZeroDivisionError: division by zero"),
        ("mine:half", "mine:half made a Half, which has no check_command, query, snapshot, restore, replace"),
        ("broken:x", "cannot import broken: RuntimeError: no good"),
    ],
)
def test_what_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, why: str) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "broken.py").write_text("raise RuntimeError('no good')")
    (tmp_path / "mine.py").write_text(
        "number = 3\ndef fails(): 1 / 0\nclass Half:\n    def apply(self): pass\ndef half(): return Half()\n"
    )
    with pytest.raises(ConfigError) as raised:
        machine_of(path)
    assert str(raised.value) == f"raftsim.machine: {why}"


def test_a_command_of_another_machine_in_the_log_stops_the_server() -> None:
    """Applied as it came, it ended in an internal error with a traceback."""
    machines = iter([lock_service(), standard_machine()])
    world = World(1, seed=1, machine=lambda: next(machines))
    assert world.ask("n1", Command(acquire_command("door", "ann"))).kind == OK
    world.crash("n1")
    world.restart("n1")
    told = r"n1 failed: UnreadableState: the entry at index \d+ is no command of this machine: not a command"
    with pytest.raises(InvariantViolated, match=told):
        world.run(5.0)
