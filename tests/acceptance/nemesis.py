"""What breaks a cluster of processes: kill -9, SIGSTOP and partitions, by turns, and mended again."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from random import Random

from raftsim.cluster.local import LocalCluster, leader_of
from raftsim.cluster.process import DEAD, PAUSED
from raftsim.scenario.live_http import block_links

KINDS = ("kill", "pause", "partition")
TARGETS = ("leader", "follower", "two")
LEADER_BOUND_S = 30.0  # generous: this machine may be busy


class Nemesis:
    """`faults` counts what was done, `terms` are the first and the last term seen."""

    def __init__(self, cluster: LocalCluster, rng: Random, shortest_s: float, longest_s: float) -> None:
        self.faults: Counter[str] = Counter()
        self.dropped = 0  # messages
        self.terms = (0, 0)
        self._cluster = cluster
        self._rng = rng
        self._lengths_s = shortest_s, longest_s

    async def work(self, until: float) -> None:
        """Break and mend until that time of the monotonic clock, and until each kind has been seen at the leader."""
        await self._leader()
        turns = [(kind, "leader") for kind in self._rng.sample(KINDS, len(KINDS))]
        while turns or time.monotonic() < until:
            if not turns:
                turns = [(kind, self._rng.choice(TARGETS)) for kind in self._rng.sample(KINDS, len(KINDS))]
            kind, target = turns.pop(0)
            names = await self._choose(target)
            await asyncio.to_thread(getattr(self, f"_{kind}"), names)
            self.faults[f"{kind} {target}"] += 1
            await asyncio.sleep(self._rng.uniform(*self._lengths_s))  # how long it stays broken
            await asyncio.to_thread(self.mend)
            await self._leader()

    def mend(self) -> None:
        """Everything runs, and everything is linked."""
        for name, node in self._cluster.nodes.items():
            state = node.state()
            if state == DEAD:
                self._cluster.restart(name)
            elif state == PAUSED:
                self._cluster.resume(name)
        for node in self._cluster.nodes.values():
            self.dropped += block_links(node.plan.http_port, [])

    def _kill(self, names: Sequence[str]) -> None:
        for name in names:
            self._cluster.kill(name)

    def _pause(self, names: Sequence[str]) -> None:
        for name in names:
            self._cluster.pause(name)

    def _partition(self, names: Sequence[str]) -> None:
        nodes = self._cluster.nodes
        others = [node.plan.id for name, node in nodes.items() if name not in names]
        for name in names:
            block_links(nodes[name].plan.http_port, others)

    async def _choose(self, target: str) -> list[str]:
        """A minority: the leader, a follower, or any two."""
        leader = await self._leader()
        if target == "two":
            return sorted(self._rng.sample(sorted(self._cluster.nodes), 2))
        followers = sorted(name for name in self._cluster.nodes if name != leader)
        return [leader if target == "leader" else self._rng.choice(followers)]

    async def _leader(self) -> str:
        """Who leads, once somebody does. Raises TimeoutError."""
        async with asyncio.timeout(LEADER_BOUND_S):
            while True:
                leader = leader_of(await asyncio.to_thread(self._cluster.status))
                if leader is not None:
                    self.terms = (self.terms[0] or leader.term, leader.term)
                    return leader.name
                await asyncio.sleep(0.02)


async def until_converged(cluster: LocalCluster, within_s: float) -> None:
    """Every server runs and has applied all that any has. Raises TimeoutError."""

    def applied() -> set[object]:
        return {status.raft and status.raft["applied_index"] for status in cluster.status()}

    async with asyncio.timeout(within_s):
        while True:
            indexes = await asyncio.to_thread(applied)
            if len(indexes) == 1 and None not in indexes:
                return
            await asyncio.sleep(0.05)
