"""The configuration of the autopilot, kept beside any machine."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

import msgpack
import pytest

from raftsim.machine.autopilot import PREFIX, AutopilotConfig, WithAutopilot, set_command
from raftsim.machine.base import InvalidRequest, at_once
from raftsim.machine.standard import standard_machine
from raftsim.machine.variables import Variables, put_command

PUT = put_command("default", "a", {"b": "c"}, None, 0)
THREE = AutopilotConfig(min_quorum=3)


def state(machine: Any) -> bytes:
    return b"".join(machine.snapshot())


def test_defaults_are_there_from_the_beginning_and_cost_nothing() -> None:
    machine, bare = WithAutopilot(Variables()), Variables()
    for each in (machine, bare):
        each.apply(2, PUT)
    assert machine.config == AutopilotConfig()
    assert machine.query(("autopilot",))["modify_index"] == 1
    assert state(machine) == state(bare)


def test_a_change_keeps_the_index_of_the_beginning() -> None:
    machine = WithAutopilot(Variables())
    forged = replace(THREE, create_index=77, modify_index=99)
    assert machine.apply(5, set_command(forged, None)) == {"applied": True, "index": 5}
    assert machine.config == replace(THREE, create_index=1, modify_index=5)


def test_check_and_set() -> None:
    machine = WithAutopilot(Variables())
    assert machine.apply(5, set_command(THREE, 0)) == {"applied": False, "index": 1}
    assert machine.apply(6, set_command(THREE, 1)) == {"applied": True, "index": 6}
    assert machine.apply(7, set_command(AutopilotConfig(), 1)) == {"applied": False, "index": 6}
    assert machine.config.min_quorum == 3


def test_the_machine_inside_gets_all_the_rest() -> None:
    machine = WithAutopilot(standard_machine())
    assert machine.apply(2, PUT)["result"] == "ok"
    assert machine.query(("get", "default", "a"))["variable"]["Items"] == {"b": "c"}
    with pytest.raises(InvalidRequest):
        machine.check_command(b"nothing")


@pytest.mark.parametrize("size", [1, 2, 11, 12, 13, 200])
def test_a_snapshot_holds_it_however_it_is_cut(size: int) -> None:
    machine, other = WithAutopilot(standard_machine()), WithAutopilot(standard_machine())
    machine.apply(2, PUT)
    machine.apply(3, set_command(THREE, None))
    whole = state(machine)
    at_once(other.restore(whole[start : start + size] for start in range(0, len(whole), size)))
    assert other.config == machine.config
    assert state(other) == whole


def test_a_state_without_it_brings_the_defaults_back() -> None:
    machine, old = WithAutopilot(Variables()), Variables()
    old.apply(2, PUT)
    machine.apply(3, set_command(THREE, None))
    at_once(machine.restore([state(old)]))
    assert machine.config == AutopilotConfig()


def test_what_an_operator_brings_back_counts_as_changed_there() -> None:
    machine, other = WithAutopilot(Variables()), WithAutopilot(Variables())
    machine.apply(3, set_command(THREE, None))
    other.replace(40, [state(machine)])
    assert other.config == replace(THREE, create_index=40, modify_index=40)


def test_a_state_that_is_none_changes_nothing() -> None:
    machine = WithAutopilot(Variables())
    machine.apply(3, set_command(THREE, None))
    whole, before = state(machine), machine.config
    for spoilt in (whole[:20], whole[: len(PREFIX) + 1], whole[:-1], PREFIX + b"\x00\x01\xc1" + whole):
        with pytest.raises(ValueError, match=r"state|autopilot"):
            at_once(machine.restore([spoilt]))
        with pytest.raises(ValueError, match=r"state|autopilot"):
            machine.replace(9, [spoilt])
    assert machine.config == before
    assert state(machine) == whole


FIELDS = astuple(AutopilotConfig())


@pytest.mark.parametrize(
    "command",
    [
        b"",
        b"\xc1",
        msgpack.packb(None),
        msgpack.packb((None,)),
        msgpack.packb((-1, FIELDS)),
        msgpack.packb((True, FIELDS)),
        msgpack.packb((None, FIELDS[:-1])),
        msgpack.packb((None, (1.5, *FIELDS[1:]))),
        msgpack.packb((None, (*FIELDS[:2], 1, *FIELDS[3:]))),
        msgpack.packb((None, (*FIELDS[:3], -1, *FIELDS[4:]))),
        msgpack.packb((None, FIELDS)) + b"\x00",
    ],
)
def test_what_is_no_configuration_is_refused_before_it_is_replicated(command: bytes) -> None:
    with pytest.raises(InvalidRequest, match="no configuration of the autopilot"):
        WithAutopilot(Variables()).check_command(PREFIX + command)
