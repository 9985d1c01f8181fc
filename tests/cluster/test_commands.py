"""`raftsim cluster`, through the real command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.agent.processes import alive, free_base_ports, get, raftsim, wait_until

pytestmark = pytest.mark.live


def ok(*args: str) -> str:
    result = raftsim("cluster", *args)
    assert result.returncode == 0, result.stderr
    return result.stdout


def refused(*args: str) -> str:
    result = raftsim("cluster", *args)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    return result.stderr


def nodes() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ok("status", "-json"))
    return found


def leader() -> str | None:
    return next((node["name"] for node in nodes() if node["role"] == "leader"), None)


def test_the_life_of_a_cluster(home: Path) -> None:
    http, rpc = free_base_ports(3)
    started = ok("start", f"-http-port={http}", f"-rpc-port={rpc}").splitlines()
    assert started[0].startswith("==> Cluster default: 3 of 3 servers started, state in ")
    assert started[2] == f"    n2  http 127.0.0.1:{http + 10}  rpc 127.0.0.1:{rpc + 10}"
    first = started[4].removeprefix("==> Leader elected: ").partition(",")[0]
    assert started[5].startswith("export NOMAD_ADDR=http://127.0.0.1:")

    before = nodes()
    assert [node["name"] for node in before] == ["n1", "n2", "n3"]
    assert [node["http_address"] for node in before] == [f"127.0.0.1:{http + 10 * i}" for i in range(3)]
    assert [node["rpc_address"] for node in before] == [f"127.0.0.1:{rpc + 10 * i}" for i in range(3)]
    for node in before:
        assert alive(node["pid"])
        assert node["role"] in {"leader", "follower"}
        assert node["term"] >= 1
        assert node["commit_index"] >= node["applied_index"] >= 1
    table = ok("status").splitlines()
    assert table[0].split() == ["Name", "Pid", "Process", "HTTP", "RPC", "Role", "Term", "Commit", "Applied"]
    assert len(table) == 4

    assert ok("node", "kill", "leader") == f"Killed {first}\n"
    dead = next(node for node in nodes() if node["name"] == first)
    assert (dead["pid"], dead["process"], dead["role"], dead["term"]) == (None, "dead", None, None)
    wait_until(lambda: leader() not in {None, first})
    assert "-" in ok("status")
    assert refused("node", "kill", first) == f"{first} is not running\n"
    running = next(node for node in nodes() if node["pid"])
    assert ok("env") == f"export NOMAD_ADDR=http://{running['http_address']}\n"
    assert ok("node", "restart", first) == f"Restarted {first}\n"
    assert ok("node", "pause", "n2") == "Paused n2\n"
    assert nodes()[1]["process"] == "paused"
    assert ok("node", "resume", "n2") == "Resumed n2\n"
    assert "entering leader state" in ok("logs", first)
    assert refused("logs", "n7") == "no node 'n7' (there are n1, n2, n3, and leader)\n"

    ok("node", "kill", "n3")
    assert ok("start").startswith("==> Cluster default: 1 of 3 servers started")
    assert "was made otherwise (-nodes)" in refused("start", "-nodes=5")

    pids = [node["pid"] for node in nodes()]
    assert ok("stop") == "Stopped cluster default\n"
    assert not any(alive(pid) for pid in pids)
    assert ok("stop") == "Stopped cluster default\n"
    assert refused("node", "pause", "leader") == "there is no leader now\n"
    assert ok("start").startswith("==> Cluster default: 3 of 3 servers started")
    assert get(f"127.0.0.1:{http}", "/v1/raftsim/status")[0] == 200
    assert ok("destroy") == "Destroyed cluster default\n"
    assert not list((home / "clusters").iterdir())
    assert refused("status").startswith("there is no cluster called default (start one: ")


def test_a_first_start_that_fails_leaves_no_cluster(home: Path) -> None:
    http, rpc = free_base_ports(1)
    ok("start", "-name=one", "-nodes=1", f"-http-port={http}", f"-rpc-port={rpc}", "-raft-protocol=3")
    assert get(f"127.0.0.1:{http}", "/v1/operator/raft/configuration")[0] == 200
    message = refused("start", "-name=two", "-nodes=1", f"-http-port={http}", f"-rpc-port={rpc}")
    assert message.startswith(f"n1 did not start: cannot listen for peers on 127.0.0.1:{rpc}: ")
    assert [path.name for path in (home / "clusters").iterdir()] == ["one"]


def test_data_of_the_users_own_stays(tmp_path: Path) -> None:
    data = tmp_path / "data"
    ok("start", "-nodes=1", "-http-port=0", "-rpc-port=0", f"-data-dir={data}")
    assert ok("destroy") == f"Destroyed cluster default (the data in {data} is kept)\n"
    assert (data / "n1" / "server" / "raft" / "identity.json").exists()


def test_a_name_that_is_none() -> None:
    assert refused("start", "-name=../x").startswith("not a cluster name: '../x'")
