"""A leader that sends a snapshot to a follower."""

from __future__ import annotations

from raftsim.core.messages import Append, AppendReply, Install
from raftsim.core.progress import REPLICATE
from raftsim.core.settings import Settings
from tests.core.harness import Cluster, Host
from tests.core.members import settled

SETTINGS = Settings()
COMMANDS = [b"one", b"two", b"three", b"four"]  # 18 bytes of state: chunks of 4, 4, 4, 4 and 2
CHUNKS = [0, 4, 8, 12, 16]


def compacted(*, settings: Settings | None = None, trailing: int = 0) -> tuple[Cluster, Host]:
    """`a` leads and has compacted what c, which is back just now, has missed."""
    cluster, leader = settled("a", "b", "c", settings=settings)
    cluster.down.add("c")
    leader.propose(*COMMANDS)
    cluster.run()
    leader.snapshot(trailing=trailing)
    cluster.down.clear()
    return cluster, leader


def offsets(host: Host) -> list[int]:
    """Of the chunks that left since the last call."""
    return [message.offset for message in host.took(Install)]


def pass_time(cluster: Cluster, seconds: float) -> None:
    """Heartbeats go on and are answered, but nothing of the snapshot passes."""
    end = cluster.time.now + seconds
    while cluster.time.now < end:
        cluster["a"].time_out()
        for _ in range(2):
            cluster.collect()
            cluster.deliver(lambda message: isinstance(message, Append | AppendReply))


def asked(cluster: Cluster, leader: Host) -> None:
    """c has refused a heartbeat: the first chunk is about to leave, and is the test's to deliver."""
    leader.slow_reads = True
    cluster.beat("a")
    assert [(wanted.follower, wanted.offset) for wanted in leader.wanted] == [("c", 0)]
    leader.slow_reads = False


def all_agree(cluster: Cluster, leader: Host) -> None:
    end = cluster.time.now + 2 * SETTINGS.election_timeout_min_s
    while cluster.time.now < end:
        cluster.beat(leader.id)
    leader.propose(b"last")
    cluster.run()
    cluster.beat(leader.id)
    for host in cluster.hosts.values():
        assert (host.state, host.raft.commit) == (leader.state, leader.raft.commit), host.id
    assert {progress.state for progress in leader.raft.progress.values()} == {REPLICATE}
