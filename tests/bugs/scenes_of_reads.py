"""Leases: each bug shows in its scene when it is planted, and nothing shows without it."""

from __future__ import annotations

from raftsim.core import lease, replication
from raftsim.core import raft as raft_module
from raftsim.core.messages import AppendReply, TimeoutNow
from raftsim.core.output import LEADER
from raftsim.core.raft import Raft
from raftsim.core.settings import Settings
from tests.bugs.bug import Bug, Patch
from tests.core.harness import Cluster
from tests.sim.leases import DRIFT, LEASES, cut_off


def a_leader_reads_after_it_has_handed_over() -> None:
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


def lease_kept_during_a_transfer(patch: Patch) -> None:
    held = lease.held

    def careless(raft: Raft, now: float) -> bool:
        raft.told_to_stand = False
        return held(raft, now)

    patch.setattr(lease, "held", careless)


def the_clock_of_a_leader_is_as_slow_as_it_may_be() -> None:
    world, answered = cut_off(apart=1 + DRIFT)
    assert world.violations == []
    assert answered


def lease_from_the_answer_on_without_a_bound(patch: Patch) -> None:
    def take(raft: Raft, message: AppendReply, now: float) -> None:
        replication.on_append_reply(raft, message, now)
        if raft.role == LEADER:
            raft.progress[message.src].proven = now

    patch.setitem(raft_module.HANDLERS, AppendReply, take)
    patch.setattr(Settings, "lease_s", property(lambda settings: settings.election_timeout_min_s))


BUGS = [
    Bug(
        "B22",
        "lease kept during a transfer",
        a_leader_reads_after_it_has_handed_over,
        lease_kept_during_a_transfer,
    ),
    Bug(
        "B68",
        "lease outlives the leadership",
        the_clock_of_a_leader_is_as_slow_as_it_may_be,
        lease_from_the_answer_on_without_a_bound,
    ),
]
