"""`raftsim operator raft info|logs|state|peers-json` on the data of stopped and running servers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from raftsim.cli.main import main
from raftsim.core.config import Change, Config, Server, enter_joint, of
from raftsim.core.entry import COMMAND, CONFIG, NOOP, RESTORE_STEP, Entry, HardState, SnapshotMeta, bootstrapped
from raftsim.core.output import Write
from raftsim.machine.autopilot import AutopilotConfig, WithAutopilot, set_command
from raftsim.machine.sessions import Sessions, register_command, session_command
from raftsim.machine.standard import standard_machine
from raftsim.machine.variables import Variables, delete_command, put_command
from raftsim.node.requests import OK, Outcome
from raftsim.node.restore import steps
from raftsim.storage.datadir import DataDir
from tests.agent.processes import get, raftsim, running, wait_until
from tests.cli.stub import Stub

A, B, C = "127.0.0.1:4647", "127.0.0.1:4657", "127.0.0.1:4667"
ID_A, ID_B = "11111111-1111-4111-8111-111111111111", "aaaaaaaa-1111-4111-8111-111111111111"


def command(data: bytes) -> Entry:
    return Entry(1, COMMAND, data)


LOG = [
    Entry(1, NOOP),
    command(put_command("default", "app/db", {"user": "alice"}, None, 7)),
    command(put_command("default", "app/db", {"user": "bob"}, 3, 8)),
    command(register_command(9)),
    command(session_command(5, 1, put_command("default", "app/web", {"port": "80"}, None, 10))),
    command(delete_command("default", "app/db", None)),
]
BOB = {"CreateIndex": 3, "CreateTime": 7, "ModifyIndex": 4, "ModifyTime": 8, "Namespace": "default", "Path": "app/db"}
WEB = {"CreateIndex": 6, "CreateTime": 10, "ModifyIndex": 6, "ModifyTime": 10, "Namespace": "default"}


def fill(path: Path, entries: Sequence[Entry] = LOG, first: Config | None = None) -> Path:
    """A data directory with the server directory in it. Returns the server directory."""
    server = path / "server"
    data = DataDir.open(server, cluster_id="c1", server_id=A)
    data.bootstrap(bootstrapped(first or of(A, B, C)))
    data.append([Write(1, HardState(1, A), 2, list(entries))])
    data.close()
    return server


def save(server: Path, index: int, state: Any) -> None:
    data = DataDir.open(server, cluster_id="c1", server_id=A)
    data.save_snapshot(SnapshotMeta(index, 1, of(A, B, C), 1), state)
    data.close()


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Any:
    def show(*args: object) -> tuple[int, str, str]:
        code = main(["operator", "raft", *map(str, args)])
        return code, *capsys.readouterr()

    return show


# info


def test_info_of_the_data_the_server_and_the_raft_directory(tmp_path: Path, shown: Any) -> None:
    server = fill(tmp_path)
    text = f"path:        {server}/raft/wal\nlength:      7\nfirst index: 1\nlast index:  7\n"
    for path in (tmp_path, server, server / "raft"):
        assert shown("info", path) == (0, text, "")


@pytest.mark.parametrize("name", ["info", "logs", "state"])
def test_what_is_no_data_directory(tmp_path: Path, shown: Any, name: str) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        assert shown(name, path) == (1, "", f"no raft store (raft.db or wal/) found in {path}\n")
    for paths in ([], [tmp_path, tmp_path]):
        code, out, err = shown(name, *paths)
        assert (code, out) == (1, "")
        assert err.startswith("This command takes one argument: <path>\n")


@pytest.mark.parametrize("name", ["info", "logs", "state"])
def test_damage_is_an_error_and_nothing_is_changed(tmp_path: Path, shown: Any, name: str) -> None:
    server = fill(tmp_path)
    (segment,) = (server / "raft" / "wal").iterdir()
    content = bytearray(segment.read_bytes())
    content[:8] = b"anything"
    segment.write_bytes(content)
    code, out, err = shown(name, tmp_path)
    assert (code, out) == (1, "")
    assert err.startswith(f"failed to open raft logs: {segment}: ")
    assert segment.read_bytes() == content


# logs


def test_logs_are_one_json_object_a_line(tmp_path: Path, shown: Any) -> None:
    fill(tmp_path)
    code, out, err = shown("logs", tmp_path)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    servers = [{"Suffrage": 0, "ID": each, "Address": each} for each in (A, B, C)]
    assert json.loads(lines[0]) == {"LogType": "LogConfiguration", "Term": 0, "Index": 1, "Body": {"Servers": servers}}
    assert lines[1] == '{"LogType":"LogNoop","Term":1,"Index":2}'
    body = {"Namespace": "default", "Path": "app/db", "Items": {"user": "bob"}, "CheckIndex": 3, "Time": 8}
    put = {"LogType": "LogCommand", "Term": 1, "Index": 4, "CommandType": "put", "Body": body}
    assert lines[3] == json.dumps(put, separators=(",", ":"))
    assert json.loads(lines[5])["CommandType"] == "session"
    assert json.loads(lines[5])["Body"][3][:3] == ["put", "default", "app/web"]
    assert json.loads(lines[6])["CommandType"] == "delete"
    assert len(lines) == 7


def test_a_change_of_the_autopilot_is_in_the_logs_and_no_part_of_the_variables(tmp_path: Path, shown: Any) -> None:
    fill(tmp_path, [*LOG[:3], command(set_command(AutopilotConfig(min_quorum=3), 1))])
    last = json.loads(shown("logs", tmp_path)[1].splitlines()[-1])
    assert (last["CommandType"], last["Body"]["min_quorum"], last["Body"]["CheckIndex"]) == ("autopilot", 3, 1)
    assert json.loads(shown("state", tmp_path)[1])["Variables"] == [{**BOB, "Items": {"user": "bob"}}]


def test_state_begins_with_a_snapshot_that_holds_a_change_of_the_autopilot(tmp_path: Path, shown: Any) -> None:
    machine = WithAutopilot(standard_machine())
    machine.apply(2, set_command(AutopilotConfig(min_quorum=3), None))
    save(fill(tmp_path), 2, machine.snapshot())
    assert json.loads(shown("state", "-last-index=4", tmp_path)[1])["Variables"] == [{**BOB, "Items": {"user": "bob"}}]


def test_pretty_logs_are_indented_by_two(tmp_path: Path, shown: Any) -> None:
    fill(tmp_path)
    code, out, _ = shown("logs", "-pretty", tmp_path)
    assert code == 0
    assert '{\n  "LogType": "LogNoop",\n  "Term": 1,\n  "Index": 2\n}\n' in out


def test_what_cannot_be_read_is_a_warning_at_the_end(tmp_path: Path, shown: Any) -> None:
    fill(tmp_path, [command(b"\xff\xff"), command(b"\xc4\x02\xc1\xc1"), command(b"")])
    code, out, err = shown("logs", tmp_path)
    assert code == 0
    assert out.splitlines()[1:] == [
        '{"LogType":"LogCommand","Term":1,"Index":2}',
        '{"LogType":"LogCommand","Term":1,"Index":3,"Body":"wcE="}',
        '{"LogType":"LogCommand","Term":1,"Index":4}',
    ]
    assert err == "Warning: index 2: the command is not MessagePack; its body is left out\n"


def test_a_joint_configuration_and_a_non_voter(tmp_path: Path, shown: Any) -> None:
    joint = enter_joint(of(A, B), [Change("remove", B), Change("voter", C, C), Change("learner", "d", "d:1")])
    fill(tmp_path, [Entry(1, CONFIG, joint)], of(A, B))
    body = json.loads(shown("logs", tmp_path)[1].splitlines()[1])["Body"]
    assert body["Outgoing"] == [A, B]
    assert [(server["ID"], server["Suffrage"]) for server in body["Servers"]] == [(A, 0), (B, 0), (C, 0), ("d", 1)]


# state


def test_state_now_and_then(tmp_path: Path, shown: Any) -> None:
    fill(tmp_path)
    web = {**WEB, "Path": "app/web", "Items": {"port": "80"}}
    code, out, err = shown("state", tmp_path)
    assert (code, err) == (0, "")
    assert out == json.dumps({"Index": 7, "Variables": [web]}, indent=2) + "\n"
    for given, index, variables in (
        (6, 6, [{**BOB, "Items": {"user": "bob"}}, web]),
        (4, 4, [{**BOB, "Items": {"user": "bob"}}]),
        (2, 2, []),
        (0, 7, [web]),
        (99, 7, [web]),
    ):
        found = json.loads(shown("state", f"-last-index={given}", tmp_path)[1])
        assert found == {"Index": index, "Variables": variables}


@pytest.mark.parametrize("sessions", [True, False])
def test_state_begins_with_a_snapshot(tmp_path: Path, shown: Any, *, sessions: bool) -> None:
    server = fill(tmp_path)
    variables = Variables()
    machine = Sessions(variables)
    for index, entry in enumerate(LOG[:4], 2):
        if isinstance(entry.data, bytes) and entry.data:
            machine.apply(index, entry.data)
    save(server, 4 if sessions else 5, (machine if sessions else variables).snapshot())
    expected = [{**BOB, "Items": {"user": "bob"}}]
    assert json.loads(shown("state", "-last-index=5", tmp_path)[1])["Variables"] == expected


def test_an_operators_restore_is_in_the_state(tmp_path: Path, shown: Any) -> None:
    machine = standard_machine()
    machine.apply(1, put_command("default", "back", {"a": "1"}, None, 5))
    requests, entries = steps(machine.snapshot()), list(LOG)
    step = next(requests)
    with suppress(StopIteration):
        while True:
            entries.append(Entry(1, RESTORE_STEP, step.data))
            step = requests.send(Outcome(OK, {"index": len(LOG) + 2, "refused": ""}))
    path = fill(tmp_path, entries)
    _, out, _ = shown("logs", path)
    assert [json.loads(line)["LogType"] for line in out.splitlines()[len(LOG) + 1 :]] == ["LogRestoreStep"] * 4
    _, out, _ = shown("state", path)
    assert [(each["Path"], each["ModifyIndex"]) for each in json.loads(out)["Variables"]] == [
        ("back", len(entries) + 1)
    ]
    _, out, _ = shown("state", f"-last-index={len(entries)}", path)
    assert "back" not in out


def test_state_before_all_that_is_left(tmp_path: Path, shown: Any) -> None:
    data = DataDir.open(tmp_path / "server", cluster_id="c1", server_id=A)
    data.save_snapshot(SnapshotMeta(50, 1, of(A), 1), Sessions(Variables()).snapshot())
    data.append([Write(1, HardState(1, A))])
    data.close()
    assert json.loads(shown("state", tmp_path)[1]) == {"Index": 50, "Variables": []}
    error = "what led to the state at index 7 is not in the log any more\n"
    assert shown("state", "-last-index=7", tmp_path) == (1, "", error)


# peers-json


def test_peers_of_a_stopped_server(tmp_path: Path, shown: Any) -> None:
    fill(tmp_path, [Entry(1, CONFIG, of(A, C))])
    assert shown("peers-json", f"-data-dir={tmp_path}") == (0, f'[\n  "{A}",\n  "{C}"\n]\n', "")


def test_peers_after_a_snapshot(tmp_path: Path, shown: Any) -> None:
    server = fill(tmp_path)
    save(server, 7, Sessions(Variables()).snapshot())
    assert json.loads(shown("peers-json", f"-data-dir={server}")[1]) == [A, B, C]


def test_peers_with_ids_and_non_voters(tmp_path: Path, shown: Any) -> None:
    members = Config((ID_A,), learners=(ID_B,), servers=(Server(ID_A, A), Server(ID_B, B)))
    fill(tmp_path, [Entry(1, CONFIG, members)])
    code, out, err = shown("peers-json", f"-data-dir={tmp_path}")
    assert (code, err) == (0, "")
    assert json.loads(out) == [
        {"id": ID_A, "address": A, "non_voter": False},
        {"id": ID_B, "address": B, "non_voter": True},
    ]


def test_a_non_voter_that_a_list_of_addresses_cannot_name(tmp_path: Path, shown: Any) -> None:
    members = Config((A,), learners=(B,), servers=(Server(A, A), Server(B, B)))
    fill(tmp_path, [Entry(1, CONFIG, members)])
    warning = f"Warning: {B} has no vote, which a list of addresses cannot say; it is left out\n"
    assert shown("peers-json", f"-data-dir={tmp_path}") == (0, f'[\n  "{A}"\n]\n', warning)


def test_peers_of_a_running_server(stub: Stub, shown: Any) -> None:
    servers = [{"ID": ID_A, "Address": A, "Voter": True}, {"ID": ID_B, "Address": B, "Voter": False}]
    stub.on("GET", "/v1/operator/raft/configuration", {"Servers": servers})
    code, out, err = shown("peers-json", f"-address={stub.address}")
    assert (code, err) == (0, "")
    assert [server["non_voter"] for server in json.loads(out)] == [False, True]
    assert stub.asked == [("GET", "/v1/operator/raft/configuration?stale=true")]


@pytest.mark.live
def test_the_data_of_a_running_server(tmp_path: Path) -> None:
    args = ("agent", "-dev", f"-data-dir={tmp_path}", "-http-port=0", "-rpc-port=0")
    with running(*args) as agent:
        agent.wait_for("agent started!")
        http = agent.wait_for("Bind Addrs: ").partition("[")[2].partition("]")[0]
        wait_until(lambda: json.loads(get(http, "/v1/raftsim/status")[1])["ready"])
        assert raftsim("var", "put", f"-address=http://{http}", "app/db", "user=alice").returncode == 0
        found = raftsim("operator", "raft", "info", str(tmp_path))
        assert (found.returncode, found.stderr) == (0, "")
        assert found.stdout.endswith("first index: 1\nlast index:  3\n")
        logs = raftsim("operator", "raft", "logs", str(tmp_path)).stdout.splitlines()
        assert json.loads(logs[2])["Body"]["Items"] == {"user": "alice"}
        state = json.loads(raftsim("operator", "raft", "state", str(tmp_path)).stdout)
        assert state["Variables"][0]["Path"] == "app/db"
        asked = raftsim("operator", "raft", "peers-json", f"-address=http://{http}")
        read = raftsim("operator", "raft", "peers-json", f"-data-dir={tmp_path}")
        assert asked.stdout == read.stdout
        assert len(json.loads(read.stdout)) == 1
