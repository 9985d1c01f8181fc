"""What a cluster is made of, and where it is kept."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from raftsim.agent.config import load
from raftsim.agent.identity import establish
from raftsim.cluster.errors import ClusterError
from raftsim.cluster.home import cluster_dir, cluster_names, existing_cluster
from raftsim.cluster.local import LocalCluster
from raftsim.cluster.plan import ClusterSpec, load_plan, make_plan


def test_node_i_listens_on_the_base_ports_plus_ten_times_i(tmp_path: Path) -> None:
    nodes = make_plan(ClusterSpec(), tmp_path).nodes
    assert [node.name for node in nodes] == ["n1", "n2", "n3"]
    assert [node.http_address for node in nodes] == ["127.0.0.1:4646", "127.0.0.1:4656", "127.0.0.1:4666"]
    assert [node.id for node in nodes] == ["127.0.0.1:4647", "127.0.0.1:4657", "127.0.0.1:4667"]


def test_ports_of_zero_are_all_different(tmp_path: Path) -> None:
    nodes = make_plan(ClusterSpec(nodes=25, http_port=0, rpc_port=0), tmp_path).nodes
    assert len({port for node in nodes for port in (node.http_port, node.rpc_port)}) == 50


def test_in_protocol_3_ids_are_uuids_and_stay_with_the_data(tmp_path: Path) -> None:
    spec = ClusterSpec(raft_protocol=3, data_dir=str(tmp_path / "data"))
    plan = make_plan(spec, tmp_path)
    assert len({uuid.UUID(node.id) for node in plan.nodes}) == 3
    kept = tmp_path / "data" / "n2" / "server"
    kept.mkdir(parents=True)
    (kept / "node-id").write_text(plan.nodes[1].id)
    again = make_plan(spec, tmp_path)
    assert again.nodes[1].id == plan.nodes[1].id
    assert again.nodes[0].id != plan.nodes[0].id


@pytest.mark.parametrize("raft_protocol", [2, 3])
def test_the_nodes_agree_on_the_first_configuration(tmp_path: Path, raft_protocol: int) -> None:
    spec = ClusterSpec(raft_protocol=raft_protocol, election_timeout_min_s=0.2, heartbeat_interval_s=0.05, faults=True)
    cluster = LocalCluster.create(tmp_path / "c", spec)
    found = []
    for node in cluster.plan.nodes:
        config = load([tmp_path / "c" / node.name / "agent.json"], {}, dev=False)
        assert config.settings.election_timeout_min_s == 0.2
        assert config.settings.heartbeat_interval_s == 0.05
        assert config.faults
        assert not config.node_settings.autopilot
        assert not config.warnings
        assert config.data_dir is not None
        config.data_dir.mkdir(parents=True)
        found.append(establish(config, config.data_dir))
    assert [identity.id for identity in found] == [node.id for node in cluster.plan.nodes]
    assert len({(identity.cluster_id, identity.first) for identity in found}) == 1


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (ClusterSpec(nodes=0), "a cluster has 1 to 25 nodes, not 0"),
        (ClusterSpec(nodes=26), "a cluster has 1 to 25 nodes, not 26"),
        (ClusterSpec(raft_protocol=1), "raft_protocol must be 2 or 3, got 1"),
        (ClusterSpec(http_port=65530), "the nodes would need port 65550"),
        (ClusterSpec(http_port=5000, rpc_port=5010), "two servers would need the same port: http 5000, rpc 5010"),
        (ClusterSpec(http_port=-3), "choose other ports"),
    ],
)
def test_what_cannot_be_made_leaves_nothing(tmp_path: Path, spec: ClusterSpec, expected: str) -> None:
    with pytest.raises(ClusterError, match=expected):
        LocalCluster.create(tmp_path / "c", spec)
    assert not (tmp_path / "c").exists()


def test_a_plan_is_found_again(tmp_path: Path) -> None:
    plan = make_plan(ClusterSpec(nodes=2, http_port=0, rpc_port=0), tmp_path)
    plan.save(tmp_path)
    assert load_plan(tmp_path) == plan


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"spec": {"x": 1}, "nodes": []}', '{"spec": {}, "nodes": 3}'])
def test_a_damaged_plan_is_said_to_be_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "cluster.json").write_text(content)
    with pytest.raises(ClusterError, match=r"cluster\.json: damaged: "):
        load_plan(tmp_path)


def test_clusters_are_found_by_name_the_only_one_without() -> None:
    with pytest.raises(ClusterError, match="there is no cluster called default"):
        existing_cluster(None)
    one = cluster_dir("one")
    LocalCluster.create(one, ClusterSpec())
    assert existing_cluster(None) == existing_cluster("one") == one
    LocalCluster.create(cluster_dir("two"), ClusterSpec())
    with pytest.raises(ClusterError, match="there is no cluster called default; there are: one, two"):
        existing_cluster(None)
    LocalCluster.create(cluster_dir("default"), ClusterSpec())
    assert existing_cluster(None) == cluster_dir("default")
    assert cluster_names() == ["default", "one", "two"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-x", "a" * 64])
def test_names_stay_within_the_folder(name: str) -> None:
    with pytest.raises(ClusterError, match="not a cluster name"):
        cluster_dir(name)
