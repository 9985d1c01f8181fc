"""Agents as real processes: what they print, how they end, what they refuse."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from raftsim.agent.addresses import free_ports
from tests.agent.processes import PATIENCE_S, Running, alive, get, raftsim, running, wait_until

pytestmark = pytest.mark.live

STARTED = "==> raftsim agent started! Log data will stream in below:"
ANY_PORTS = ("-http-port=0", "-rpc-port=0")


@pytest.fixture(autouse=True)
def own_temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A -dev agent that is killed cannot remove its own."""
    directory = tmp_path / "tmp"
    directory.mkdir()
    monkeypatch.setenv("TMPDIR", str(directory))
    return directory


def config_file(tmp_path: Path, **document: Any) -> Path:
    http, rpc = free_ports("127.0.0.1", 2)
    path = tmp_path / "agent.json"
    server = {"enabled": True, "bootstrap_expect": 1}
    base = {"name": "n1", "data_dir": str(tmp_path / "data"), "ports": {"http": http, "rpc": rpc}, "server": server}
    path.write_text(json.dumps(base | document))
    return path


def banner_value(agent: Running, key: str) -> str:
    return agent.wait_for(f"{key}: ").partition(": ")[2]


def test_a_dev_agent_serves_and_leaves_nothing_behind(own_temporary_directory: Path) -> None:
    with running("agent", "-dev", "-node=solo", *ANY_PORTS) as agent:
        agent.wait_for("entering leader state")
        http = banner_value(agent, "Bind Addrs").partition("[")[2].partition("]")[0]
        code, body = get(http, "/v1/agent/self")
        assert code == 200
        found = json.loads(body)
        assert found["member"]["Name"] == "solo.global"
        assert found["config"]["DevMode"] is True
        code, body = get(http, "/v1/raftsim/status")
        assert json.loads(body)["role"] == "leader"
        assert len(list(own_temporary_directory.iterdir())) == 1
        assert agent.end(signal.SIGINT) == 1  # as Nomad's agent, unless leave_on_interrupt is set
    assert not list(own_temporary_directory.iterdir())
    assert agent.lines[:3] == [
        "==> No configuration files loaded",
        "==> Starting raftsim agent...",
        "==> raftsim agent configuration:",
    ]
    assert agent.lines[-1] == "==> Caught signal: interrupt"
    assert "Traceback" not in agent.output


def test_prometheus_is_served_when_the_configuration_says_so(tmp_path: Path) -> None:
    path = config_file(tmp_path, telemetry={"prometheus_metrics": True})
    with running("agent", f"-config={path}") as agent:
        agent.wait_for("entering leader state")
        http = banner_value(agent, "Bind Addrs").partition("[")[2].partition("]")[0]
        code, body = get(http, "/v1/metrics?format=prometheus")
        assert (code, b"# TYPE nomad_raft_lastIndex gauge" in body) == (200, True)
        found = json.loads(get(http, "/v1/agent/self")[1])
        assert found["config"]["Telemetry"]["PrometheusMetrics"] is True


def test_the_banner_comes_before_the_log_and_names_the_files(tmp_path: Path) -> None:
    path = config_file(tmp_path, vault={})
    with running("agent", f"-config={path}") as agent:
        agent.wait_for("entering leader state")
        assert agent.end(signal.SIGTERM) == 1
    started = agent.lines.index(STARTED)
    logged = [number for number, line in enumerate(agent.lines) if "[INFO]" in line]
    assert min(logged) > started
    assert agent.lines[:2] == [
        f"==> WARNING: {path}: vault is not used by raftsim",
        f"==> Loaded configuration from {path}",
    ]
    keys = [line.partition(":")[0] for line in agent.lines[5 : started - 1]]
    assert keys[0] == f"{'Advertise Addrs':>22}"
    assert keys == sorted(keys, key=str.strip)
    assert {len(key) for key in keys} == {22}
    assert "==> Caught signal: terminated" in agent.lines


@pytest.mark.parametrize(
    ("number", "key"), [(signal.SIGINT, "leave_on_interrupt"), (signal.SIGTERM, "leave_on_terminate")]
)
def test_an_agent_that_is_to_leave_exits_with_0(tmp_path: Path, number: signal.Signals, key: str) -> None:
    with running("agent", f"-config={config_file(tmp_path, **{key: True})}") as agent:
        agent.wait_for("entering leader state")
        assert agent.end(number) == 0
    assert "==> Gracefully shutting down agent..." in agent.lines
    assert "this server is still a member of the cluster: last voter" in agent.output


def test_the_state_is_there_again_after_a_kill(tmp_path: Path) -> None:
    path = config_file(tmp_path)
    for term in (1, 2):
        with running("agent", f"-config={path}") as agent:
            agent.wait_for(f"entering leader state: term={term}")
            agent.end(signal.SIGKILL)


def test_sighup_changes_the_log_level(tmp_path: Path) -> None:
    path = config_file(tmp_path, log_level="ERROR")
    with running("agent", f"-config={path}") as agent:
        agent.wait_for(STARTED)
        path.write_text(path.read_text().replace("ERROR", "LOUD"))
        agent.process.send_signal(signal.SIGHUP)
        agent.wait_for("==> Reloading configuration...")
        agent.wait_for('log_level: Invalid log level: "LOUD"')
        path.write_text(path.read_text().replace("LOUD", "INFO"))
        agent.process.send_signal(signal.SIGHUP)
        wait_until(lambda: agent.lines.count("==> Reloading configuration...") == 2)
        assert agent.end(signal.SIGINT) == 1


def test_the_log_can_be_json(tmp_path: Path) -> None:
    with running("agent", f"-config={config_file(tmp_path)}", "-log-json") as agent:
        line = json.loads(agent.wait_for("entering leader state"))
        assert (line["@level"], line["@module"]) == ("info", "raftsim.raft")


def test_readiness_is_told_with_the_addresses() -> None:
    read, write = os.pipe()
    with running("agent", "-dev", *ANY_PORTS, f"-ready-fd={write}", pass_fds=(write,)) as agent:
        os.close(write)
        with os.fdopen(read) as ready:
            addresses = json.loads(ready.readline())
            assert ready.read() == ""
        assert get(addresses["http"], "/v1/raftsim/status")[0] == 200
        assert banner_value(agent, "Node Id") == addresses["rpc"]


def test_an_agent_nobody_waits_for_any_more_ends() -> None:
    read, write = os.pipe()
    os.close(read)
    with running("agent", "-dev", *ANY_PORTS, f"-ready-fd={write}", pass_fds=(write,)) as agent:
        os.close(write)
        assert agent.wait() == 1
        assert "whoever started this agent does not wait for it any more" in agent.output


def test_an_agent_can_die_with_its_parent() -> None:
    script = (
        "import subprocess, sys, time\n"
        "command = [sys.executable, '-m', 'raftsim', 'agent', '-dev', '-http-port=0', '-rpc-port=0']\n"
        "print(subprocess.Popen([*command, '-die-with-parent']).pid, flush=True)\n"
        "time.sleep(1000)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        for line in parent.stdout:
            if line.startswith(STARTED):
                break
        assert alive(pid)
        parent.kill()
    wait_until(lambda: not alive(pid))


@pytest.mark.parametrize(("key", "what"), [("http", "clients"), ("rpc", "peers")])
def test_a_port_in_use_is_one_clear_line(tmp_path: Path, key: str, what: str) -> None:
    path = config_file(tmp_path)
    port = json.loads(path.read_text())["ports"][key]
    with socket.create_server(("127.0.0.1", port)):
        result = raftsim("agent", f"-config={path}")
    assert result.returncode == 1
    expected = f"==> Error starting agent: cannot listen for {what} on 127.0.0.1:{port}: Address already in use\n"
    assert result.stderr == expected


def test_a_data_directory_has_one_server_at_a_time(tmp_path: Path) -> None:
    path = config_file(tmp_path)
    with running("agent", f"-config={path}") as agent:
        agent.wait_for(STARTED)
        result = raftsim("agent", f"-config={path}")
        assert result.returncode == 1
        assert result.stderr.startswith(f"==> Error starting agent: {tmp_path}/data/server/raft/LOCK: ")
        assert result.stderr.count("\n") == 1


def test_a_data_directory_of_another_server_is_refused(tmp_path: Path) -> None:
    path = config_file(tmp_path)
    with running("agent", f"-config={path}") as agent:
        agent.wait_for(STARTED)
    (other,) = free_ports("127.0.0.1", 1)
    result = raftsim("agent", f"-config={path}", f"-rpc-port={other}")
    assert result.returncode == 1
    assert result.stderr.startswith(f"==> Error starting agent: {tmp_path}/data/server/raft: holds the data of server ")


def test_a_damaged_log_is_refused(tmp_path: Path) -> None:
    path = config_file(tmp_path)
    with running("agent", f"-config={path}") as agent:
        agent.wait_for("entering leader state")
    segment = min((tmp_path / "data/server/raft/wal").iterdir())
    data = bytearray(segment.read_bytes())
    data[len(data.rstrip(b"\0")) // 2] ^= 0xFF
    segment.write_bytes(data)
    result = raftsim("agent", f"-config={path}")
    assert result.returncode == 1
    assert result.stderr.startswith(f"==> Error starting agent: {tmp_path}/data/server/raft/wal/")


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ((), "Must specify either server or dev mode for the agent (server.enabled, -server or -dev)"),
        (("-server",), 'Must specify "data_dir" config option or "data-dir" CLI flag'),
        (("-config=/nowhere.json",), "/nowhere.json: No such file or directory"),
        (("-dev", "-raft-protocol=1"), "command line: server.raft_protocol: raft_protocol must be 2 or 3, got 1"),
        (("-dev", "-ready-fd=77"), "-ready-fd=77: no such file descriptor is open"),
        (("-dev", "-data-dir=/proc/nowhere"), "/proc/nowhere: No such file or directory"),
        (("-dev", "-bind=192.0.2.1", "-rpc-port=5"), "cannot listen for peers on 192.0.2.1:5: "),
    ],
)
def test_an_agent_that_cannot_start_says_why(args: tuple[str, ...], expected: str) -> None:
    result = raftsim("agent", *args)
    assert result.returncode == 1
    assert result.stderr.startswith(f"==> Error starting agent: {expected}")
    assert result.stderr.count("\n") == 1


def test_a_disk_that_fails_ends_the_agent(tmp_path: Path) -> None:
    path = config_file(tmp_path)
    with running("agent", f"-config={path}") as agent:
        agent.wait_for("entering leader state")
        resource.prlimit(agent.process.pid, resource.RLIMIT_FSIZE, (0, 0))  # every write to a file is refused from now
        connection = HTTPConnection("127.0.0.1", json.loads(path.read_text())["ports"]["http"], timeout=PATIENCE_S)
        connection.request("PUT", "/v1/var/x", '{"Items": {"a": "b"}}')
        assert agent.wait() == 1
        connection.close()
    assert "[ERROR] raftsim.agent: this server stops: " in agent.output
    assert "File too large" in agent.output
    assert "Traceback" not in agent.output


def test_faults_are_allowed_only_if_asked() -> None:
    for args, expected in (((), 403), (("-faults",), 200)):
        with running("agent", "-dev", *ANY_PORTS, *args) as agent:
            agent.wait_for(STARTED)
            http = banner_value(agent, "Bind Addrs").partition("[")[2].partition("]")[0]
            assert get(http, "/v1/raftsim/fault/link")[0] == expected
