"""Leases, seen from the core: the moments in which known bugs would show."""

from __future__ import annotations

from raftsim.core.messages import TimeoutNow
from raftsim.core.output import LEADER
from tests.core.harness import Cluster
from tests.sim.leases import DRIFT, LEASES, cut_off


def test_b22_a_leader_reads_after_it_has_handed_over() -> None:
    """All answers to it are lost, so it does not know that it is deposed."""
    cluster = Cluster(*"abc", settings=LEASES)
    old = cluster.elect("a")
    cluster.beat("a")
    old.raft.transfer("c", old.time.now)
    old.turn()
    cluster.deliver(lambda message: isinstance(message, TimeoutNow))
    cluster.blocked = {(id, "a") for id in "bc"}
    cluster.run()
    assert cluster.raft("c").role == LEADER
    cluster["c"].propose(b"x")
    cluster.run()
    old.read(7)
    assert old.reads == []


def test_b68_the_clock_of_a_leader_is_as_slow_as_it_may_be() -> None:
    world, answered = cut_off(apart=1 + DRIFT)
    assert world.violations == []
    assert answered
