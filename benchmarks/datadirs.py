"""Data directories of agents, written through the code a server uses, before the agents are started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.systems import VALUE_BYTES
from raftsim.agent.config import load
from raftsim.agent.identity import Identity, establish
from raftsim.core.entry import bootstrapped
from raftsim.machine.variables import put_command
from raftsim.storage.datadir import DataDir


@contextmanager
def fresh(config_path: Path) -> Iterator[tuple[DataDir, Identity]]:
    """The data directory of the agent with this configuration; its log holds the first configuration."""
    config = load([config_path], {}, dev=False)
    assert config.data_dir is not None
    server_dir = config.data_dir / "server"
    server_dir.mkdir(parents=True)
    identity = establish(config, server_dir)
    data = DataDir.open(server_dir, cluster_id=identity.cluster_id, server_id=identity.id)
    try:
        assert identity.first is not None, "it does not wait to be added"
        data.bootstrap(bootstrapped(identity.first))
        yield data, identity
    finally:
        data.close()


def raft_dir(data_dir: str) -> Path:
    """Where the log and the snapshots of the agent with this `data_dir` are."""
    return Path(data_dir) / "server" / "raft"


def put(path: int, number: int) -> bytes:
    """The command that writes VALUE_BYTES, of this number, to a variable."""
    return put_command("default", f"bench/{path}", {"value": f"{number:08}" * (VALUE_BYTES // 8)}, None, number)
