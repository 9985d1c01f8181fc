"""Section 5.4 under any schedule: Election Safety, Leader Completeness, State Machine Safety, and durability.

Messages are lost, repeated and reordered, disks lag, crashes keep a part of what was written, timers fire whenever it
hurts; three servers, and four, with and without what came after the paper.
"""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest

from raftsim.core.entry import Entry
from raftsim.core.errors import Busy, NotLeader
from raftsim.core.output import LEADER
from raftsim.core.settings import Settings
from tests.core.harness import PLAIN, Cluster

SMALL = Settings(max_append_entries=2, max_inflight_appends=2)


class Judge:
    """What must hold however the messages, the disks and the crashes fall."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.leaders: dict[int, str] = {}
        self.committed: list[Entry] = []

    def look(self) -> None:
        for id, host in self.cluster.hosts.items():
            raft = host.raft
            if raft.role == LEADER:
                assert self.leaders.setdefault(raft.term, id) == id, "two leaders of one term"
                assert raft.commit <= len(host.disk.entries)
            mine = raft.log.slice(0, raft.commit)
            shared = min(len(mine), len(self.committed))
            assert mine[:shared] == self.committed[:shared], "a committed entry was replaced"
            self.committed += mine[shared:]
        for raft in (host.raft for host in self.cluster.hosts.values()):
            newest = max(self.leaders, default=0)
            if raft.role == LEADER and raft.term == newest:
                assert raft.log.slice(0, len(self.committed)) == self.committed, "a leader without a committed entry"
        durable = sum(
            host.disk.entries[: len(self.committed)] == self.committed for host in self.cluster.hosts.values()
        )
        assert 2 * durable > len(self.cluster.hosts), "committed, and not on the disks of a majority"


def take_step(cluster: Cluster, rng: Random, *, storm: bool) -> None:
    host = cluster[rng.choice(sorted(cluster.hosts))]
    step = rng.random()
    if step < (0.08 if storm else 0.01):
        host.time_out()
    elif step < (0.10 if storm else 0.015):
        host.restart(surviving_writes=rng.randint(0, 2))
    elif step < 0.12:
        host.wake()
        cluster.time.now += 0.02
    elif step < 0.20:
        with suppress(NotLeader, Busy):
            host.propose(b"%d" % rng.getrandbits(30))
    elif step < 0.45:
        if host.unsynced:
            host.sync_one()
    elif cluster.collect():
        # Mostly the newest, so that the old come late.
        place = len(cluster.net) - 1 if rng.random() < 0.5 else rng.randrange(len(cluster.net))
        message = cluster.net[place]
        if rng.random() < 0.8:
            del cluster.net[place]
        if rng.random() < 0.9:
            cluster[message.dst].receive(message)
        del cluster.net[:-60]


def heal(cluster: Cluster) -> None:
    """From here on everything works; some dozens of timers later all must have elected a leader and agree."""
    for host in cluster.hosts.values():
        host.slow_disk = False
        host.sync()
    for _ in range(100):
        min(cluster.hosts.values(), key=lambda host: host.raft.deadline).time_out()
        cluster.run()
    commits = {host.raft.commit for host in cluster.hosts.values()}
    assert commits == {host.raft.log.last_index for host in cluster.hosts.values()}
    assert len(commits) == 1


@pytest.mark.parametrize("settings", [PLAIN, SMALL], ids=["plain", "all"])
@pytest.mark.parametrize("servers", ["abc", "abcd"])
@pytest.mark.parametrize("seed", range(6))
def test_nothing_committed_is_lost_whatever_the_schedule(seed: int, servers: str, settings: Settings) -> None:
    rng = Random(seed)
    cluster = Cluster(*servers, settings=settings, slow_disk=True)
    judge = Judge(cluster)
    for number in range(4000):
        take_step(cluster, rng, storm=number // 100 % 3 == 0)
        judge.look()
    heal(cluster)
    judge.look()
    assert judge.committed == cluster.raft("a").log.slice(0, cluster.raft("a").log.last_index)
