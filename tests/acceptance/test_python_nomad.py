"""A client library that was made for Nomad drives the cluster."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import nomad
import pytest
from nomad.api.exceptions import (
    BadRequestNomadException,
    BaseNomadException,
    URLNotFoundNomadException,
    VariableConflict,
)

from raftsim.cluster.local import LocalCluster
from tests.agent.processes import wait_until
from tests.cli.terminal import run

pytestmark = pytest.mark.live


def client(cluster: LocalCluster, name: str) -> nomad.Nomad:
    plan = cluster.nodes[name].plan
    return nomad.Nomad(host="127.0.0.1", port=plan.http_port, timeout=10)


def test_the_configuration_is_the_same_on_every_server(cluster: LocalCluster) -> None:
    rpc = {node.plan.rpc_address for node in cluster.nodes.values()}
    answers = [client(cluster, name).operator.get_configuration() for name in cluster.nodes]
    assert answers[0] == answers[1] == answers[2]
    assert {server["Address"] for server in answers[0]["Servers"]} == rpc
    assert {server["ID"] for server in answers[0]["Servers"]} == rpc
    assert {server["Node"] for server in answers[0]["Servers"]} == {"n1.global", "n2.global", "n3.global"}
    assert [server["Leader"] for server in answers[0]["Servers"]].count(True) == 1


def test_status_names_the_leader_and_all_peers(cluster: LocalCluster) -> None:
    leader = cluster.select("leader").plan.rpc_address
    for name in cluster.nodes:
        assert client(cluster, name).status.leader.get_leader() == leader
        assert len(client(cluster, name).status.peers.get_peers()) == 3


def test_a_follower_is_removed_through_another_and_stays_away(cluster: LocalCluster) -> None:
    leader = cluster.select("leader").plan.name
    gone, asked = [name for name in cluster.nodes if name != leader]
    before = client(cluster, asked).operator.get_configuration()
    assert client(cluster, asked).operator.delete_peer(cluster.nodes[gone].plan.rpc_address)
    after = client(cluster, leader).operator.get_configuration()
    assert after["Index"] > before["Index"]
    assert len(after["Servers"]) == 2
    assert cluster.select("leader").plan.name == leader


def test_the_leader_itself_is_removed(cluster: LocalCluster) -> None:
    leader = cluster.select("leader").plan
    asked = next(name for name in cluster.nodes if name != leader.name)
    assert client(cluster, asked).operator.delete_peer(leader.rpc_address)
    servers = client(cluster, asked).operator.get_configuration()["Servers"]
    assert leader.rpc_address not in {server["Address"] for server in servers}
    assert len(servers) == 2


def test_removing_who_is_not_there_is_an_error(cluster: LocalCluster) -> None:
    with pytest.raises(BaseNomadException, match="was not found in the Raft configuration"):
        client(cluster, "n1").operator.delete_peer("127.0.0.1:1")


def test_variables_are_written_read_listed_and_removed(cluster: LocalCluster) -> None:
    first, second = client(cluster, "n1"), client(cluster, "n2")
    created = first.variable.create_variable("app/db", {"Items": {"user": "u", "password": "p"}})
    assert second.variable.get_variable("app/db")["Items"] == {"user": "u", "password": "p"}
    with pytest.raises(VariableConflict):
        second.variable.create_variable("app/db", {"Items": {"user": "x"}}, cas=0)
    second.variable.create_variable("app/db", {"Items": {"user": "v"}}, cas=created["ModifyIndex"])
    assert [variable["Path"] for variable in first.variables.get_variables("app/")] == ["app/db"]
    assert first.variable.delete_variable("app/db").ok
    with pytest.raises(URLNotFoundNomadException):
        second.variable.get_variable("app/db")


def test_in_dialect_3_ids_are_uuids_and_protocols_strings(new_cluster: Callable[..., LocalCluster]) -> None:
    cluster = new_cluster(raft_protocol=3)
    for server in client(cluster, "n1").operator.get_configuration()["Servers"]:
        assert len(server["ID"]) == 36
        assert server["RaftProtocol"] == "3"


def test_the_autopilot_is_configured_gives_a_vote_and_tells_of_a_server_that_is_gone(
    new_cluster: Callable[..., LocalCluster],
) -> None:
    cluster = new_cluster(autopilot=True)
    operator = client(cluster, "n2").operator

    def is_healthy() -> bool:
        try:
            return bool(operator.request("autopilot", "health", method="get").json()["Healthy"])
        except BaseNomadException:
            return False

    config = operator.request("autopilot", "configuration", method="get").json()
    assert (config["CleanupDeadServers"], config["ServerStabilizationTime"]) == (True, "10s")
    eager, cas = {**config, "ServerStabilizationTime": "0s"}, {"cas": config["ModifyIndex"]}
    put = partial(operator.request, "autopilot", "configuration", method="put", json=eager)
    assert put(params=dict(cas)).json() is True
    assert put(params=dict(cas)).json() is False
    with pytest.raises(BadRequestNomadException, match="missing unit in duration"):
        operator.request("autopilot", "configuration", method="put", json={"LastContactThreshold": "5"})
    wait_until(is_healthy)

    added = cluster.add().rpc_address
    leader = f"http://{cluster.select('leader').plan.http_address}"
    assert run("operator", "raft", "add-peer", f"-peer-address={added}", NOMAD_ADDR=leader).code == 0
    wait_until(lambda: added in {s["Address"] for s in operator.get_configuration()["Servers"] if s["Voter"]})

    cluster.kill("n4")
    wait_until(lambda: not is_healthy())
    with pytest.raises(BaseNomadException, match='"Healthy":false'):
        operator.request("autopilot", "health", method="get")
