"""`raftsim demo` as a person sees it, and that nothing of it is left."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from pathlib import Path

import pytest

from tests.agent.processes import Running, alive, free_base_ports, get, raftsim, running, wait_until

pytestmark = pytest.mark.live

ANY_PORTS = ("-http-port=0", "-rpc-port=0")


def pids() -> list[int]:
    return [node["pid"] for node in json.loads(raftsim("cluster", "status", "-json").stdout)]


def ports_of(demo: Running) -> list[int]:
    demo.wait_for("    n3")
    return [int(port) for line in demo.lines if line.startswith("    n") for port in re.findall(r":(\d+)", line)]


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError:
            return False
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_five_minutes(home: Path, number: signal.Signals) -> None:
    http, rpc = free_base_ports(3)
    with running("demo", f"-http-port={http}", f"-rpc-port={rpc}") as demo:
        demo.wait_for("Ctrl-C to stop")
        wait_until(lambda: all(pids()))
        nodes = pids()
        assert get(f"127.0.0.1:{http}", "/v1/status/leader")[0] == 200
        leader = demo.wait_for("==> Leader elected").split()[3].rstrip(",")

        assert raftsim("cluster", "node", "kill", "leader").stdout == f"Killed {leader}\n"
        demo.wait_for(f"{leader}  DOWN      killed by SIGKILL")
        demo.wait_for("  LEADER    term ")
        assert raftsim("cluster", "node", "restart", leader).stdout == f"Restarted {leader}\n"
        demo.wait_for(f"{leader}  RESTARTED pid ")
        nodes += pids()
        assert raftsim("cluster", "node", "pause", leader).returncode == 0
        demo.wait_for(f"{leader}  PAUSED")

        assert demo.end(number) == 0
    assert demo.lines[0].startswith("==> Starting raftsim demo: 3 servers on 127.0.0.1, state in ")
    assert demo.lines[1] == f"    n1  http 127.0.0.1:{http}  rpc 127.0.0.1:{rpc}"
    assert demo.lines[3] == f"    n3  http 127.0.0.1:{http + 20}  rpc 127.0.0.1:{rpc + 20}"
    assert re.fullmatch(r"==> Leader elected: n[123], term \d+, after \d+ ms", demo.lines[4])
    assert f"      export NOMAD_ADDR=http://127.0.0.1:{http}" in demo.lines
    assert demo.lines[-1] == "==> Stopping..."
    assert all(re.match(r"\d\d:\d\d:\d\d  n[123]  [A-Z]+", line) for line in demo.lines[10:-1])
    assert not any(alive(pid) for pid in nodes)
    assert not list((home / "clusters").iterdir())
    assert all(is_free(port + 10 * i) for port in (http, rpc) for i in range(3))


def test_a_demo_that_is_killed_leaves_no_server_running(home: Path) -> None:
    with running("demo", *ANY_PORTS) as demo:
        demo.wait_for("Ctrl-C to stop")
        # Asked for by another process: a server that is restarted must die with the demo all the same.
        assert raftsim("cluster", "node", "restart", "n2").returncode == 0
        nodes = pids()
        demo.end(signal.SIGKILL)
    wait_until(lambda: not any(alive(pid) for pid in nodes))
    assert raftsim("cluster", "destroy").returncode == 0
    assert not list((home / "clusters").iterdir())


def test_a_demo_takes_the_place_of_one_that_was_killed(home: Path) -> None:
    http, rpc = free_base_ports(3)
    for number, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 0)):
        with running("demo", f"-http-port={http}", f"-rpc-port={rpc}") as demo:
            demo.wait_for("Ctrl-C to stop")
            assert demo.end(number) == code
        wait_until(lambda: is_free(http))
        wait_until(lambda: is_free(rpc))
    assert not list((home / "clusters").iterdir())


@pytest.mark.parametrize("moment", ["==> Starting raftsim demo", "    n3", "==> Leader elected"])
def test_ctrl_c_during_the_start_leaves_nothing(home: Path, moment: str) -> None:
    with running("demo", *ANY_PORTS) as demo:
        demo.wait_for(moment)
        assert demo.end(signal.SIGINT) == 0
    assert demo.lines[-1] == "==> Stopping..."
    assert not list((home / "clusters").iterdir())


def test_a_second_ctrl_c_does_not_wait(home: Path) -> None:
    with running("demo", *ANY_PORTS) as demo:
        demo.wait_for("Ctrl-C to stop")
        nodes = pids()
        demo.process.send_signal(signal.SIGINT)
        demo.wait_for("==> Stopping...")
        assert demo.end(signal.SIGINT) == 0
    assert not any(alive(pid) for pid in nodes)
    assert not list((home / "clusters").iterdir())


def test_data_is_kept_where_asked_and_found_again(tmp_path: Path, home: Path) -> None:
    http, rpc = free_base_ports(1)
    data = tmp_path / "data"
    for term in (1, 2):
        args = ("-nodes=1", f"-http-port={http}", f"-rpc-port={rpc}", f"-data-dir={data}")
        with running("demo", *args) as demo:
            assert f"term {term}," in demo.wait_for("==> Leader elected")
            assert demo.end(signal.SIGINT) == 0
        assert f"data in {data} (kept)" in demo.lines[0]
    assert (data / "n1" / "server" / "raft" / "identity.json").exists()
    assert not list((home / "clusters").iterdir())


def test_a_port_in_use_is_one_clear_line_and_nothing_stays(home: Path) -> None:
    http, rpc = free_base_ports(3)
    with socket.create_server(("127.0.0.1", rpc + 20)):
        result = raftsim("demo", f"-http-port={http}", f"-rpc-port={rpc}")
    assert result.returncode == 1
    expected = f"n3 did not start: cannot listen for peers on 127.0.0.1:{rpc + 20}: Address already in use\n"
    assert result.stderr == expected
    assert is_free(http)
    assert is_free(rpc)
    assert not list((home / "clusters").iterdir())


def test_a_demo_on_the_ports_of_another_says_so() -> None:
    http, rpc = free_base_ports(1)
    with running("demo", "-nodes=1", f"-http-port={http}", f"-rpc-port={rpc}") as demo:
        demo.wait_for("Ctrl-C to stop")
        result = raftsim("demo", "-nodes=1", f"-http-port={http}", f"-rpc-port={rpc}")
        assert result.returncode == 1
        expected = f"a demo with the same HTTP port is running already (pid {demo.process.pid})\n"
        assert result.stderr == expected
        refused = raftsim("cluster", "stop")
        assert refused.returncode == 1
        assert f"belongs to a running raftsim demo (pid {demo.process.pid})" in refused.stderr
        assert demo.process.poll() is None
        assert demo.end(signal.SIGINT) == 0


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("-nodes=0",), "a cluster has 1 to 25 nodes, not 0\n"),
        (("-raft-protocol=4",), "raft_protocol must be 2 or 3, got 4\n"),
        (("-data-dir=/proc/nowhere", *ANY_PORTS), "n1 did not start: /proc/nowhere: No such file or directory\n"),
    ],
)
def test_a_demo_that_cannot_be_says_why(home: Path, args: tuple[str, ...], expected: str) -> None:
    result = raftsim("demo", *args)
    assert (result.returncode, result.stderr) == (1, expected)
    assert not list(home.glob("clusters/*"))


def test_a_state_folder_that_cannot_be_written_is_one_line() -> None:
    result = raftsim("demo", *ANY_PORTS, env=os.environ | {"RAFTSIM_HOME": "/proc/nowhere"})
    assert result.returncode == 1
    assert re.fullmatch(r"/proc/nowhere.*: No such file or directory\n", result.stderr)
