"""Traces in other forms keep what those forms are for."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from raftsim.check import OK, VIOLATED, Operation, Register, linearizable
from raftsim.machine.variables import decode_command, put_command
from raftsim.trace.events import DELIVER, REQUEST, SEND
from raftsim.trace.export import edn, etcd_tla, perfetto, porcupine, shiviz
from raftsim.trace.export.operations import NoRegister, operations
from raftsim.trace.file import Record
from raftsim.trace.names import Names
from tests.trace import runs
from tests.trace.etcdspec import follow


@pytest.fixture(scope="session")
def names(eventful: list[Record]) -> Names:
    """Those of both runs."""
    found = Names(runs.header().servers)
    for record in eventful:
        found.learn(record)
    return found


def test_the_clocks_of_shiviz_grow_and_travel(eventful: list[Record], names: Names) -> None:
    lines = list(shiviz.lines(eventful, names))
    assert len(lines) == 2 * len(eventful)
    assert {line.split()[0] for line in lines[::2]} == {"n1", "n2", "n3", "n4", "world"}
    clocks: list[dict[str, int]] = []
    own: Counter[str] = Counter()
    for record, place, text in zip(eventful, lines[::2], lines[1::2], strict=True):
        found = re.fullmatch(r"(?P<host>\S*) (?P<clock>{.*})\n(?P<event>.*)", f"{place}\n{text}")
        assert found
        clock, host = json.loads(found["clock"]), found["host"]
        own[host] += 1
        assert clock[host] == own[host]
        clocks.append(clock)
        if record.kind == DELIVER and record.cause:
            assert all(clock[other] >= count for other, count in clocks[record.cause - 1].items())


def test_the_tracks_of_perfetto_are_whole(eventful: list[Record], names: Names) -> None:
    events = json.loads("\n".join(perfetto.lines(eventful, names)))["traceEvents"]
    open_roles: Counter[int] = Counter()
    for event in events:
        if event["ph"] in "BE":
            open_roles[event["pid"]] += 1 if event["ph"] == "B" else -1
            assert open_roles[event["pid"]] in (0, 1)
    by_phase: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        by_phase[event["ph"]].append(event)
    assert {event["id"] for event in by_phase["f"]} <= {event["id"] for event in by_phase["s"]}
    assert len(by_phase["s"]) == sum(record.kind == SEND for record in eventful)
    begun, ended = ({(event["cat"], event["id"]) for event in by_phase[phase]} for phase in "be")
    assert ended <= begun
    writes, durable = ({id for category, id in found if category == "disk"} for found in (begun, ended))
    assert len(writes - durable) <= 4  # what was under way at the end
    processes = {event["args"]["name"] for event in by_phase["M"] if event["name"] == "process_name"}
    assert processes == {"world", "n1", "n2", "n3", "n4"}


def test_porcupine_would_find_the_history_linearizable(calm: list[Record]) -> None:
    found = [json.loads(line) for line in porcupine.lines(calm, decode_command)]
    assert Counter(one["Input"]["Op"] for one in found)["read"] > 5
    assert any(one["Output"]["Unknown"] for one in found)
    history = [operation(one) for one in found]
    assert linearizable(history, Register()).verdict == OK
    stale = next(one for one in history if one.function == "read" and one.output is not None and one.returned)
    stale.output = "never written"
    assert linearizable(history, Register()).verdict == VIOLATED


def operation(found: dict[str, Any]) -> Operation:
    """As Porcupine's model would take it."""
    asked, unknown = found["Input"], found["Output"]["Unknown"]
    process, key = str(found["ClientId"]), asked["Key"]
    times = (found["Call"], None if unknown else found["Return"])
    if asked["Op"] == "write":
        return Operation(process, "write", key, value(asked["Value"]), None, *times)
    return Operation(process, "read", key, None, value(found["Output"]["Value"]), *times)


def value(items: dict[str, str] | None) -> str | None:
    return None if items is None else str(items)


def test_a_process_of_jepsen_asks_one_thing_at_a_time(calm: list[Record]) -> None:
    line = re.compile(r'{:index (\d+), :type :(\w+), :process (\d+), :f :(\w+), :value \["(.*?)" (.*)\], :time (\d+)}')
    asking: dict[str, tuple[str, ...]] = {}
    retired: set[str] = set()
    types: Counter[str] = Counter()
    for number, text in enumerate(edn.lines(calm, decode_command)):
        found = line.fullmatch(text)
        assert found, text
        index, type, process, function, key, value, _ = found.groups()
        assert int(index) == number
        assert process not in retired
        types[type] += 1
        if type == "invoke":
            assert process not in asking
            asking[process] = function, key
            assert value == "nil" if function == "read" else value.startswith('{"a" "') or key.endswith("key0")
        else:
            assert asking.pop(process) == (function, key)
            if type == "info":
                retired.add(process)
    assert types["ok"] > 10
    assert types["info"] + types["fail"] > 0
    assert types["invoke"] == types["ok"] + types["info"] + types["fail"] + len(asking)


def test_what_is_no_register_is_refused() -> None:
    for command, why in ((put_command("a", "b", {}, 3, 0), "check-and-set by index"), (b"x", "command that no regi")):
        record = Record(0.0, 1, "n1", REQUEST, None, [1, {"type": "Command", "data": command.hex()}])
        with pytest.raises(NoRegister, match=f"event 1 is a {why}"):
            operations([record], decode_command)


@pytest.mark.parametrize("loss", [0.0, 0.05])
def test_etcds_specification_is_told_what_it_waits_for(loss: float, names: Names, tmp_path: Path) -> None:
    runs.calm(tmp_path / "t", loss=loss)
    events = told(runs.read(tmp_path / "t"), names)
    assert {event["name"] for event in events} == {
        "InitState",
        "BecomeFollower",
        "BecomeCandidate",
        "BecomeLeader",
        "ApplyConfChange",
        "Ready",
        "Replicate",
        "Commit",
        *(f"{verb}{kind}" for verb in ("Send", "Receive") for kind in MESSAGES),
    }
    sent: list[dict[str, Any]] = []
    for event in events:
        if event["name"].startswith("Send"):
            assert event["msg"]["from"] == event["nid"]
            sent.append(event["msg"])
        elif event["name"].startswith("Receive"):
            assert event["msg"]["to"] == event["nid"]
            assert event["msg"] in sent
        assert event["state"]["commit"] <= event["log"]


def test_every_event_of_a_calm_run_is_an_action_of_etcds_specification(calm: list[Record], names: Names) -> None:
    events = told(calm, names)
    spec = follow(events)
    assert sum(event["name"] == "BecomeLeader" for event in events) > 1
    assert len({server.commit for server in spec.servers.values()}) == 1


@pytest.mark.parametrize(
    "name",
    [
        "BecomeCandidate",
        "BecomeLeader",
        "Replicate",
        "Ready",
        "SendRequestVoteRequest",
        "SendAppendEntriesRequest",
        "ReceiveRequestVoteResponse",
        "ReceiveAppendEntriesRequest",
    ],
)
def test_a_missing_event_is_found(name: str, calm: list[Record], names: Names) -> None:
    events = told(calm, names)
    events.remove(next(event for event in events if event["name"] == name))
    with pytest.raises(AssertionError):
        follow(events)


MESSAGES = ("RequestVoteRequest", "RequestVoteResponse", "AppendEntriesRequest", "AppendEntriesResponse")


def told(records: list[Record], names: Names) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in etcd_tla.lines(records, names)]
    assert {line["tag"] for line in lines} == {"trace"}
    return [line["event"] for line in lines]


def test_changes_of_the_membership_are_told(eventful: list[Record], names: Names) -> None:
    events = told(eventful, names)
    changes = [change for event in events if event["name"] == "ChangeConf" for change in event["prop"]["cc"]["changes"]]
    assert {"nid": "4", "action": "AddNewServer"} in changes
    assert {"nid": "4", "action": "RemoveServer"} in changes
    confs = {tuple(event["conf"][0]) for event in events if event["name"] == "Ready"}
    assert {("1", "2", "3"), ("1", "2", "3", "4")} <= confs
    assert any(event.get("msg", {}).get("type") == "MsgSnap" for event in events)
