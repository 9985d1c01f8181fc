"""The supervisor, on real servers."""

from __future__ import annotations

import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from raftsim.cluster.errors import ClusterError
from raftsim.cluster.local import LocalCluster, leader_of
from raftsim.cluster.plan import ClusterSpec
from raftsim.cluster.process import DEAD, PAUSED, RUNNING
from tests.agent.processes import PATIENCE_S, alive, wait_until

pytestmark = pytest.mark.live


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LocalCluster]:
    cluster = LocalCluster.create(tmp_path / "c", ClusterSpec(http_port=0, rpc_port=0), tied=True)
    try:
        yield cluster
    finally:
        cluster.destroy()


def states(cluster: LocalCluster) -> list[str]:
    return [status.process for status in cluster.status()]


def test_break_and_mend(cluster: LocalCluster) -> None:
    assert states(cluster) == [DEAD] * 3
    assert cluster.start() == ["n1", "n2", "n3"]
    assert cluster.start() == []
    first = cluster.await_leader(PATIENCE_S)
    assert first is not None
    assert cluster.select("leader").plan.name == first.name

    assert cluster.kill("leader") == first.name
    assert sorted(states(cluster)) == [DEAD, RUNNING, RUNNING]
    with pytest.raises(ClusterError, match=f"{first.name} is not running"):
        cluster.kill(first.name)
    second = cluster.await_leader(PATIENCE_S)
    assert second is not None
    assert second.name != first.name
    assert second.term > first.term

    assert cluster.pause(second.name) == second.name
    with pytest.raises(ClusterError, match=f"{second.name} is paused, not running"):
        cluster.pause(second.name)
    assert sorted(states(cluster)) == [DEAD, PAUSED, RUNNING]
    assert leader_of(cluster.status()) is None
    assert cluster.resume(second.name) == second.name
    with pytest.raises(ClusterError, match=f"{second.name} is running, not paused"):
        cluster.resume(second.name)

    cluster.restart(first.name)
    assert states(cluster) == [RUNNING] * 3
    before = cluster.nodes["n1"].process()
    cluster.pause("n1")
    cluster.restart("n1")  # a paused one too
    assert cluster.nodes["n1"].process() != before

    cluster.stop()
    assert states(cluster) == [DEAD] * 3
    with pytest.raises(ClusterError, match="there is no leader now"):
        cluster.select("leader")
    with pytest.raises(ClusterError, match=r"no node 'n9' \(there are n1, n2, n3, and leader\)"):
        cluster.kill("n9")


def test_another_process_sees_and_breaks_the_same_cluster(cluster: LocalCluster) -> None:
    cluster.start()
    other = LocalCluster.open(cluster.directory)
    assert [status.pid for status in other.status()] == [status.pid for status in cluster.status()]
    assert other.kill("n2") == "n2"
    assert states(cluster)[1] == DEAD
    assert cluster.nodes["n2"].ending() == "killed by SIGKILL"


def test_a_node_that_does_not_start_takes_the_others_with_it(cluster: LocalCluster) -> None:
    port = cluster.plan.nodes[1].http_port
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(
            ClusterError, match=f"^n2 did not start: cannot listen for clients on 127.0.0.1:{port}: "
        ) as raised,
    ):
        cluster.start()
    assert "\n" not in str(raised.value)
    assert states(cluster) == [DEAD] * 3
    assert cluster.start() == ["n1", "n2", "n3"]


def test_a_node_whose_data_is_not_its_own_says_so(cluster: LocalCluster) -> None:
    cluster.start()
    cluster.stop()
    data = [Path(node.data_dir) for node in cluster.plan.nodes]
    shutil.rmtree(data[0])
    shutil.copytree(data[1], data[0])
    with pytest.raises(ClusterError, match=r"^n1 did not start: .*holds the data of"):
        cluster.restart("n1")


def test_a_stopped_cluster_goes_on_where_it_was(tmp_path: Path) -> None:
    spec = ClusterSpec(nodes=1, http_port=0, rpc_port=0, raft_protocol=3, data_dir=str(tmp_path / "data"))
    cluster = LocalCluster.create(tmp_path / "c", spec, tied=True)
    for term in (1, 2):
        cluster.start()
        wait_until(lambda: leader_of(cluster.status()))
        assert cluster.status()[0].term == term
        pid = cluster.status()[0].pid
        cluster.stop()
        assert pid is not None
        assert not alive(pid)
    cluster.destroy()
    assert not (tmp_path / "c").exists()
    assert (tmp_path / "data" / "n1" / "server" / "node-id").read_text() == cluster.plan.nodes[0].id


def test_a_node_that_does_not_stop_in_time_is_killed(cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raftsim.cluster.local.STOP_TIMEOUT_S", 0.0)
    cluster.start()
    cluster.nodes["n1"].signal(signal.SIGSTOP)
    cluster.stop()
    assert states(cluster) == [DEAD] * 3


@pytest.mark.parametrize("who", ["leader", "follower"])
def test_a_server_that_is_to_leave_is_removed_from_the_configuration(cluster: LocalCluster, who: str) -> None:
    for node in cluster.nodes.values():
        node.write_config(cluster.plan.agent_config(node.plan) | {"leave_on_terminate": True})
    cluster.start()
    first = cluster.await_leader(PATIENCE_S)
    assert first is not None
    name = first.name if who == "leader" else next(name for name in cluster.nodes if name != first.name)
    leaving = cluster.nodes[name]
    assert leaving.signal(signal.SIGTERM)
    assert leaving.wait(PATIENCE_S)
    assert leaving.ending().startswith("exit 0")

    def members() -> set[str]:
        leader = leader_of(cluster.status())
        assert leader is None or leader.raft is not None
        return {server["id"] for server in leader.raft["configuration"]["servers"]} if leader and leader.raft else set()

    wait_until(lambda: members() == {node.id for node in cluster.plan.nodes if node.name != name})
