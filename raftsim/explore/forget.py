"""What is taken out of a server, or a message, before it is compared with others: it must not tell them apart."""

from __future__ import annotations

from typing import Final

from raftsim.core.messages import Message
from raftsim.core.output import CANDIDATE, LEADER
from raftsim.core.raft import Raft

DUE_S: Final = 1.0  # every server's clock shows 0 until its timer is to fire


def forget_time(raft: Raft) -> None:
    """Nobody asks for a read, so rounds prove nothing to anybody; and no rule that looks at the clock is on."""
    raft.round = 0
    raft.round_began.clear()
    raft.election_deadline = raft.heartbeat_deadline = DUE_S
    for progress in raft.progress.values():
        progress.round = progress.since = 0


def forget_unread(raft: Raft) -> None:
    """What no rule reads any more, so that servers which differ in nothing else are one.

    The votes of an election are read by a candidate alone, and begun anew when it stands. Where its term began is read
    by a leader alone, and set when it is elected. Nobody is wiped, so all answer as the founders they are, and whether
    one did already tells nothing. Each server here will do what the other would: no property can tell them apart.
    """
    if raft.role != CANDIDATE:
        raft.votes = {}
    if raft.role != LEADER:
        raft.term_start_index = 0
    for progress in raft.progress.values():
        progress.incarnation = 0


def erase_round(message: Message) -> None:
    if hasattr(message, "round"):
        message.round = 0
