"""Servers added to a cluster of real processes, and one that lost its disk, through the real command line."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.agent.processes import get, raftsim, wait_until
from tests.cluster.test_commands import nodes, ok, refused

pytestmark = pytest.mark.live


def start(raft_protocol: int) -> str:
    ok("start", "-http-port=0", "-rpc-port=0", f"-raft-protocol={raft_protocol}")
    return str(nodes()[0]["http_address"])


def peers(address: str, *words: str) -> subprocess.CompletedProcess[str]:
    return raftsim("operator", "raft", *words, env={"NOMAD_ADDR": f"http://{address}"})


def status(address: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(get(address, "/v1/raftsim/status")[1])
    return found


def members(address: str) -> dict[str, bool]:
    """Who is a member, by name, and whether it has a vote."""
    code, body = get(address, "/v1/raftsim/members")
    return {server["name"]: server["voter"] for server in json.loads(body)["servers"]} if code == 200 else {}


def why(address: str, *words: str) -> str:
    return raftsim("why", *words, env={"NOMAD_ADDR": f"http://{address}"}).stdout


@pytest.mark.parametrize("raft_protocol", [2, 3])
def test_a_fourth_server_is_added_promoted_demoted_and_takes_a_place(home: Path, raft_protocol: int) -> None:
    del home
    address = start(raft_protocol)
    started = ok("node", "add").splitlines()
    assert started[0].startswith("Started n4 ")
    waiting = nodes()[3]
    new = waiting["rpc_address"]
    assert "waits to be added" in why(waiting["http_address"])
    assert "n4.global" not in members(address)
    assert "is not a non-voter yet" in peers(address, "promote-peer", f"-peer-id={waiting['id']}").stderr

    add = started[1].partition("add-peer ")[2].split()
    assert peers(address, "add-peer", *add).returncode == 0
    wait_until(lambda: members(address).get("n4.global") is False)
    wait_until(lambda: peers(address, "promote-peer", f"-peer-address={new}").returncode == 0)
    assert members(address)["n4.global"]
    assert peers(address, "demote-peer", f"-peer-address={new}").returncode == 0
    assert not members(address)["n4.global"]
    wait_until(lambda: peers(address, "replace-peers", "-old=n3", "-new=n4").returncode == 0)
    assert members(address) == {"n1.global": True, "n2.global": True, "n4.global": True}

    ok("stop")
    ok("start")  # a server that was added needs nobody to add it again
    assert members(address) == {"n1.global": True, "n2.global": True, "n4.global": True}
    gone = peers(address, "remove-peer", f"-peer-address={new}")
    assert gone.returncode == 0, gone.stderr
    assert set(members(address)) == {"n1.global", "n2.global"}


def test_a_server_that_lost_its_disk_is_told_apart_and_comes_back(home: Path) -> None:
    address = start(2)
    variable = raftsim("var", "put", "app/db", "user=alice", env={"NOMAD_ADDR": f"http://{address}"})
    assert variable.returncode == 0
    victim = next(node for node in nodes() if node["role"] == "follower")
    name, http = victim["name"], victim["http_address"]
    others = [node for node in nodes() if node["name"] != name]

    ok("node", "kill", name)
    shutil.rmtree(home / "clusters" / "default" / name / "data")
    ok("node", "restart", name)
    back = f"{victim['rpc_address']} came back without its data: it has no vote until it has caught up"
    wait_until(lambda: any(back in ok("logs", other["name"]) for other in others))
    wait_until(lambda: "this server has lost its data" in ok("logs", name))
    wait_until(lambda: members(http).get(f"{name}.global") and status(http)["why"]["memory"] is None)

    ok("node", "kill", others[0]["name"])  # now the majority needs its vote
    wait_until(lambda: any(node["role"] == "leader" for node in nodes()))
    found = raftsim("var", "get", "-item=user", "app/db", env={"NOMAD_ADDR": f"http://{http}"})
    assert found.stdout == "alice"


def test_with_two_of_three_disks_lost_nobody_leads_and_the_operator_is_told_why(home: Path) -> None:
    del home
    start(2)
    for name in ("n2", "n3"):
        assert ok("node", "wipe", name) == f"Wiped {name}\n"
    for name in ("n2", "n3"):
        ok("node", "restart", name)
    kept, lost = nodes()[0]["http_address"], nodes()[1]["http_address"]
    wait_until(lambda: "has lost its data" in why(lost))
    wait_until(lambda: "has lost its memory" in why(kept))
    assert all(node["role"] != "leader" for node in nodes())


def test_what_cannot_be_wiped(home: Path) -> None:
    del home
    start(2)
    ok("node", "wipe", "n3")
    assert "No such file" in refused("node", "wipe", "n3")
    assert refused("node", "wipe", "n9").startswith("no node 'n9'")
