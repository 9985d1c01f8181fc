"""Leader election (paper 5.2 and 5.4.1), pre-vote (dissertation 9.6), stickiness and check-quorum (4.2.3, 6.2).

Invariants: at most one vote per term, durable before anyone hears of it, the candidate's own included; votes are
counted by voter, of the incarnation that has the vote (founding.py), of the present term only; a server that believes
in a live leader helps nobody to replace it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from raftsim.core import lease
from raftsim.core.messages import Vote, VoteReply
from raftsim.core.output import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE
from raftsim.core.progress import counted
from raftsim.core.quorum import committed_index, vote_result

if TYPE_CHECKING:
    from raftsim.core.raft import Raft

HEARS_LEADER: Final = "hears a leader"
IS_BOUND: Final = "may have heard a leader, whose lease is not over"
KNOWS_LATER_TERM: Final = "knows a later term"
HAS_VOTED: Final = "has voted for another"
HAS_NEWER_LOG: Final = "has a newer log"
LOST_ITS_MEMORY: Final = "has lost its memory, and its vote with it"


def rest(raft: Raft, now: float) -> None:
    """Wait a whole, newly drawn timeout before thinking of an election (a timeout drawn once can tie for ever: B08)."""
    settings = raft.settings
    least, most = settings.election_timeout_min_s, settings.election_timeout_max_s
    raft.election_deadline = now + (least + (most - least) * raft.rng.random())


def begin(raft: Raft, now: float) -> None:
    """A server starts: it waits to hear a leader, unless there can be no other than itself."""
    rest(raft, now)
    if raft.config.voters == (raft.id,) and not raft.config.joint:
        raft.election_deadline = now


def on_timeout(raft: Raft, now: float) -> None:
    """The leader has been silent for an election timeout, or an election came to nothing."""
    rest(raft, now)
    # A non-voter never campaigns (B18). But one whose removal is not known to be committed does: its log alone may hold
    # that entry, and nobody could be elected without it (dissertation 4.2.2). Its own vote does not count then.
    if not any(config.has_vote(raft.id, raft.founding.incarnation) for _, config in raft.configs):
        raft.become(FOLLOWER, leader=None)
        return
    if raft.settings.pre_vote:
        # The leader is forgotten, else our own stickiness would refuse the others' pre-votes (B13).
        raft.become(PRE_CANDIDATE, leader=None)
        _ask(raft, now, raft.term + 1, pre=True)
    else:
        stand(raft, now)


def stand(raft: Raft, now: float, *, force: bool = False) -> None:
    """Ask for votes in a new term; with `force`, at the wish of the leader, whom the others may still hear."""
    raft.set_hard(raft.term + 1, raft.id)
    raft.become(CANDIDATE, leader=None)
    rest(raft, now)
    _ask(raft, now, raft.term, pre=False, force=force)


def _ask(raft: Raft, now: float, term: int, *, pre: bool, force: bool = False) -> None:
    # A real vote for oneself counts when it is durable (own_vote_durable); a pre-vote promises nothing.
    raft.votes, raft.refusals = {}, {}
    if pre:
        _own_vote(raft)
    raft.last_election = (term, pre)
    log = raft.log
    for voter in sorted({*raft.config.voters, *raft.config.outgoing} - {raft.id}):
        # After the sync: a request claims a term and a log end that a crash could still take back (B72).
        raft.promise(Vote(term, raft.id, voter, log.last_index, log.last_term, pre, force))
    _count(raft, now)


def _own_vote(raft: Raft) -> None:
    if raft.config.has_vote(raft.id, raft.founding.incarnation):
        raft.votes[raft.id] = True


def own_vote_durable(raft: Raft, now: float) -> None:
    _own_vote(raft)
    _count(raft, now)


def _count(raft: Raft, now: float) -> None:
    result = vote_result(raft.config.voters, raft.config.outgoing, raft.votes)
    if result == "won":
        if raft.role == PRE_CANDIDATE:
            stand(raft, now)
        else:
            raft.lead(now)
    elif result == "lost":
        # The vote stays cast in this term: stepping down must never clear it (B05).
        raft.become(FOLLOWER, leader=None)


def on_vote(raft: Raft, message: Vote, now: float) -> None:
    refusal = _refusal(raft, message, now)
    granted = not refusal
    if granted and not message.pre:
        raft.set_hard(raft.term, message.src)
        rest(raft, now)
        if raft.role == PRE_CANDIDATE:
            raft.become(FOLLOWER, leader=None)  # it has found whom to elect
    term = message.term if granted else raft.term
    raft.promise(VoteReply(term, raft.id, message.src, granted, message.pre, refusal, raft.founding.incarnation))


def _refusal(raft: Raft, message: Vote, now: float) -> str:
    """Why not; empty if the vote is granted."""
    if _sticky(raft, now) and not message.force:
        return HEARS_LEADER  # and the higher term is not taken over: that alone would depose the leader
    if raft.settings.lease_reads and lease.promised(raft, now) and not message.force:
        return IS_BOUND
    if message.term > raft.term and not message.pre:
        raft.follow(message.term, None)
    if message.term < raft.term or (message.pre and message.term == raft.term):
        return KNOWS_LATER_TERM
    # Whether we are a voter ourselves is the candidate's to know: our configuration may be behind (B19).
    free = raft.vote == message.src or (raft.vote is None and raft.leader is None)
    if not message.pre and not free:
        return HAS_VOTED
    return "" if raft.log.is_up_to_date(message.last_index, message.last_term) else HAS_NEWER_LOG


def leader_unreachable(raft: Raft, now: float) -> None:
    """The leader's process is gone: its connection broke and a new one was refused.

    Forgetting it and standing soon is safe, elections are safe at any time; and pre-vote keeps a server that only lost
    its own link from disturbing those who still hear the leader.
    """
    raft.become(FOLLOWER, leader=None)
    soon = now + raft.rng.uniform(0, raft.settings.failover_delay_max_s)
    raft.election_deadline = min(raft.election_deadline, soon)


def _sticky(raft: Raft, now: float) -> bool:
    if not raft.settings.stickiness:
        return False
    if raft.role == LEADER:
        # A leader that checks its quorum resigns by itself; one that does not must stay deposable (B16).
        return raft.settings.check_quorum
    return raft.leader is not None and now < raft.leader_contact + raft.settings.election_timeout_min_s


def on_vote_reply(raft: Raft, message: VoteReply, now: float) -> None:
    if message.granted and not raft.config.has_vote(message.src, message.incarnation):
        message = replace(message, term=min(message.term, raft.term), granted=False, reason=LOST_ITS_MEMORY)
    if not message.granted and raft.config.is_voter(message.src):
        raft.refusals[message.src] = message.reason
    if message.pre:
        _on_pre_vote_reply(raft, message, now)
    elif raft.is_current(message) and raft.role == CANDIDATE:
        # A grant stands for the whole term, whatever refusals of older requests overtake it.
        raft.votes[message.src] = message.granted or raft.votes.get(message.src, False)
        _count(raft, now)


def _on_pre_vote_reply(raft: Raft, message: VoteReply, now: float) -> None:
    if not message.granted and message.term > raft.term:
        raft.follow(message.term, None)
    elif raft.role == PRE_CANDIDATE and (not message.granted or message.term == raft.term + 1):
        raft.votes.setdefault(message.src, message.granted)
        _count(raft, now)


def keeps_quorum(raft: Raft, now: float) -> bool:
    """False, and the leader has resigned: for an election timeout it could not prove a quorum (dissertation 6.2).

    Or its own disk did not finish a write: it could not commit anything either, while its heartbeats keep all others
    from taking over (B17).
    """
    limit_s = raft.settings.election_timeout_max_s
    contacts = {id: progress.contact for id, progress in counted(raft.progress)}
    contacts[raft.id] = now
    proven = committed_index(raft.config.voters, raft.config.outgoing, contacts)
    assert proven is not None, "a leader has voters"
    if not raft.settings.check_quorum or (now - proven <= limit_s and raft.durable.stalled(now) <= limit_s):
        return True
    rest(raft, now)
    raft.become(FOLLOWER, leader=None)
    return False
