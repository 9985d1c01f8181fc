"""Leases: reads without a round, while no other leader can have been elected (dissertation 6.4.1).

Who hears a leader gives its vote to nobody for election_timeout_min_s of its own clock; with leases, neither losing
sight of the leader nor a restart frees it earlier (`promised`). A quorum that answered a round heard the leader after
that round began (not: when its answer came, B68). Every other quorum has a server in common with it, so for so long
after the beginning nobody else is elected. The leader measures that with its own clock, which may be the slower one:
its lease is shorter by the stated bound, max_clock_drift.

Votes by force are given in spite of it, so a leader that has told somebody to stand has no lease any more (B22). Not
even when the transfer has failed: the word may still be on its way, and is good for the whole term.

A process may be stopped at any time. That does no harm: a lease is looked at after the read came in, so what was
committed by that moment, and is in the answer, is all that a read of that moment must see, however late it leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from raftsim.core.progress import counted
from raftsim.core.quorum import committed_index

if TYPE_CHECKING:
    from raftsim.core.raft import Raft


def held(raft: Raft, now: float) -> bool:
    """Whether no other leader can have been elected by `now`, and this one knows all that is committed (B66)."""
    if not raft.settings.lease_reads or not raft.ready or raft.told_to_stand:
        return False
    proven = {id: progress.proven for id, progress in counted(raft.progress)} | {raft.id: now}
    began = committed_index(raft.config.voters, raft.config.outgoing, proven)
    assert began is not None, "a leader has voters"
    return now < began + raft.settings.lease_s


def promised(raft: Raft, now: float) -> bool:
    """Whether our vote is bound to a leader. A restart forgets whom it heard last: it may have been just then."""
    return now < max(raft.leader_contact, raft.started) + raft.settings.election_timeout_min_s
