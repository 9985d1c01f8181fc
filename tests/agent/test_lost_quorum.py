"""Real servers that lost a majority for good, and the peers.json that makes a cluster of what is left."""

from __future__ import annotations

import json
import shutil
import signal
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from raftsim.agent.addresses import free_ports
from raftsim.agent.recovery import PEERS_INFO, PEERS_JSON
from tests.agent.processes import PATIENCE_S, Running, get, raftsim, running, wait_until

pytestmark = pytest.mark.live


class Servers:
    """Three agents, each with its own configuration and data."""

    def __init__(self, directory: Path, raft_protocol: int) -> None:
        ports = free_ports("127.0.0.1", 6)
        self.http = [f"127.0.0.1:{port}" for port in ports[:3]]
        self.rpc = [f"127.0.0.1:{port}" for port in ports[3:]]
        self.directories = [directory / f"n{number}" for number in (1, 2, 3)]
        self.configs = [directory / f"n{number}.json" for number in (1, 2, 3)]
        self.ids = [f"{number}1111111-1111-4111-8111-111111111111" for number in (1, 2, 3)]
        servers = [
            {"name": f"n{number}", "address": address, **({"id": id} if raft_protocol == 3 else {})}
            for number, (id, address) in enumerate(zip(self.ids, self.rpc, strict=True), 1)
        ]
        for number in range(3):
            document = {
                "name": f"n{number + 1}",
                "data_dir": str(self.directories[number]),
                "ports": {"http": ports[number], "rpc": ports[3 + number]},
                "server": {"enabled": True, "raft_protocol": raft_protocol},
                "raftsim": {"servers": servers},
            }
            self.configs[number].write_text(json.dumps(document))

    def raft(self, number: int) -> Path:
        return self.directories[number] / "server" / "raft"

    def start(self, stack: ExitStack, number: int) -> Running:
        return stack.enter_context(running("agent", f"-config={self.configs[number]}"))

    def status(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(get(self.http[number], "/v1/raftsim/status")[1])
        return found


def put(address: str, path: str, value: str) -> int:
    connection = HTTPConnection(address, timeout=PATIENCE_S)
    try:
        connection.request("PUT", f"/v1/var/{path}", json.dumps({"Path": path, "Items": {"value": value}}))
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def value(address: str, path: str) -> str:
    code, body = get(address, f"/v1/var/{path}")
    assert code == 200, body
    return str(json.loads(body)["Items"]["value"])


@pytest.mark.parametrize("raft_protocol", [2, 3])
def test_two_of_three_servers_are_lost_for_good(tmp_path: Path, raft_protocol: int) -> None:
    servers = Servers(tmp_path, raft_protocol)
    with ExitStack() as stack:
        agents = [servers.start(stack, number) for number in range(3)]
        for agent in agents:
            agent.wait_for("agent started!")
        wait_until(lambda: servers.status(0)["leader"])
        for number in range(10):
            assert put(servers.http[0], f"a/{number}", str(number)) == 200
        (keeper,) = (number for number in range(3) if servers.status(number)["role"] == "leader")
        for agent in agents:
            agent.end(signal.SIGKILL)
    assert (servers.raft(keeper) / PEERS_INFO).exists()
    for number in {0, 1, 2} - {keeper}:
        shutil.rmtree(servers.directories[number])

    printed = raftsim("operator", "raft", "peers-json", f"-data-dir={servers.directories[keeper]}").stdout
    every = json.loads(printed)
    assert len(every) == 3
    mine = (servers.rpc if raft_protocol == 2 else servers.ids)[keeper]
    peers = [peer for peer in every if mine == (peer if raft_protocol == 2 else peer["id"])]
    (servers.raft(keeper) / PEERS_JSON).write_text(json.dumps(peers))

    address = servers.http[keeper]
    with ExitStack() as stack:
        agent = servers.start(stack, keeper)
        agent.wait_for(f"followed. The members are {mine}; the log ends at index")
        wait_until(lambda: servers.status(keeper)["ready"])
        assert [server["id"] for server in servers.status(keeper)["configuration"]["servers"]] == [mine]
        assert [value(address, f"a/{number}") for number in range(10)] == [str(number) for number in range(10)]
        assert put(address, "after/recovery", "works") == 200
        agent.end(signal.SIGKILL)
    assert not (servers.raft(keeper) / PEERS_JSON).exists()

    with ExitStack() as stack:
        agent = servers.start(stack, keeper)
        wait_until(lambda: "agent started!" in agent.output and servers.status(keeper)["ready"])
        assert value(address, "after/recovery") == "works"
        assert PEERS_JSON not in agent.output
    assert len(list(servers.raft(keeper).parent.glob("before-recovery-*"))) == 1


def test_two_survivors_given_the_same_file_go_on_together(tmp_path: Path) -> None:
    servers = Servers(tmp_path, 2)
    with ExitStack() as stack:
        agents = [servers.start(stack, number) for number in range(3)]
        for agent in agents:
            agent.wait_for("agent started!")
        wait_until(lambda: servers.status(0)["leader"])
        assert put(servers.http[0], "a/b", "kept") == 200
        for agent in agents:
            agent.end(signal.SIGKILL)
    for number in (0, 1):
        (servers.raft(number) / PEERS_JSON).write_text(json.dumps(servers.rpc[:2]))
    with ExitStack() as stack:
        for number in (0, 1):
            servers.start(stack, number).wait_for("agent started!")
        wait_until(lambda: servers.status(0)["leader"])
        assert put(servers.http[1], "after/recovery", "works") == 200
        assert value(servers.http[0], "a/b") == "kept"
        for number in (0, 1):
            members = servers.status(number)["configuration"]["servers"]
            assert sorted(server["id"] for server in members) == sorted(servers.rpc[:2])


def test_a_server_with_a_wrong_file_does_not_start(tmp_path: Path) -> None:
    servers = Servers(tmp_path, 2)
    servers.raft(0).mkdir(parents=True)
    file = servers.raft(0) / PEERS_JSON
    file.write_text('["127.0.0.1:4647"\n"127.0.0.1:4657"]')
    done = raftsim("agent", f"-config={servers.configs[0]}")
    assert done.returncode == 1
    assert (
        done.stderr == f"==> Error starting agent: {file}: line 2, column 1: not valid JSON: Expecting ',' delimiter\n"
    )
    file.write_text(json.dumps(servers.rpc))
    done = raftsim("agent", f"-config={servers.configs[0]}")
    assert done.stderr == f"==> Error starting agent: {servers.raft(0)}: there is no Raft state here to recover\n"
