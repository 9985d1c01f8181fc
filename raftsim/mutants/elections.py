"""Planted bugs of votes: who gets one, when it is told, how they are counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from raftsim.core import election, quorum
from raftsim.core.log import Log
from raftsim.core.messages import Message, Vote, VoteReply
from raftsim.core.output import CANDIDATE, FOLLOWER, PRE_CANDIDATE
from raftsim.core.raft import Raft
from raftsim.mutants.mutant import mutant, replace


@mutant(
    "B03",
    "replies counted, not voters",
    source="Raft section 5.2; xnnyygn/xraft#27; akka-raft (raft-45), PySyncObj and raftos count alike",
    needs=("duplicate", "hold"),
    judge="election safety",
)
def replies_counted() -> None:
    """A candidate adds one for every grant that comes in. A reply that the network has doubled is then two votes, and
    two servers can be elected in one term.
    """
    on_vote_reply = election.on_vote_reply

    def count(raft: Raft, message: VoteReply, now: float) -> None:
        if message.pre or not message.granted or message.term != raft.term or raft.role != CANDIDATE:
            on_vote_reply(raft, message, now)
            return
        raft.votes[f"reply {len(raft.votes)}"] = True
        if len(raft.votes) > len(raft.config.voters) // 2:
            raft.lead(now)

    replace(election, "on_vote_reply", count)


@mutant(
    "B04",
    "grants of an earlier term counted",
    source="Raft sections 5.1 and 5.2; akka-raft#47",
    needs=("hold",),
    judge="election safety",
)
def late_grants_counted() -> None:
    """A candidate does not look at the term of a reply. Votes it was given in a term that is over make it leader in the
    present one, in which the same voters may have elected another.
    """
    on_vote_reply = election.on_vote_reply

    def count(raft: Raft, message: VoteReply, now: float) -> None:
        if not message.pre and message.term < raft.term:
            message = dataclasses.replace(message, term=raft.term)
        on_vote_reply(raft, message, now)

    replace(election, "on_vote_reply", count)


@mutant(
    "B05",
    "vote forgotten when stepping down",
    source="Raft section 5.2, Figure 2 (votedFor); CCF#8094; raftos",
    needs=("crash", "hold"),
    judge="one vote per term",
)
def vote_forgotten() -> None:
    """Whoever becomes a follower clears its vote, also when the term stays the same. A request of that term which comes
    late is then granted: a second vote in one term.
    """
    become = Raft.become

    def forgetful(raft: Raft, role: str, *, leader: str | None) -> None:
        become(raft, role, leader=leader)
        if role == FOLLOWER:
            _vote(raft, None)

    replace(Raft, "become", forgetful)


@mutant(
    "B06",
    "a second request of the same candidate refused",
    source="Raft Figure 2 (votedFor is null or candidateId); akka-raft#29; willemt/raft#116; PySyncObj; raftos",
    needs=("duplicate", "hold"),
    judge="liveness",
)
def repeated_request_refused() -> None:
    """A server that has voted refuses everybody, the one it has voted for included. When its first answer was lost its
    vote is lost for the whole term, however often it is asked.
    """
    refusal = election._refusal

    def once(raft: Raft, message: Vote, now: float) -> str:
        return refusal(raft, message, now) or (election.HAS_VOTED if raft.vote and not message.pre else "")

    replace(election, "_refusal", once)


@mutant(
    "B07",
    "votes given whatever the log of the candidate",
    source="Raft section 5.4.1; NuRaft#185",
    needs=("crash", "partition"),
    judge="up-to-date votes",
)
def any_log_gets_the_vote() -> None:
    """A voter does not compare logs. A server that lacks committed entries is elected and rolls them back."""
    replace(Log, "is_up_to_date", lambda *_: True)


@mutant(
    "B07",
    "logs compared by their length alone",
    source="Raft section 5.4.1 (the later term of the last entry decides, the length only if that is equal)",
    needs=("crash", "hold"),
    judge="up-to-date votes",
)
def longer_log_gets_the_vote() -> None:
    """A voter looks only at the index of the last entry. A former leader with many entries that came to nothing is
    elected by servers that hold committed ones, and overwrites them.
    """

    def longer(log: Log, last_index: int, _last_term: int) -> bool:
        return last_index >= log.last_index

    replace(Log, "is_up_to_date", longer)


@mutant(
    "B14",
    "a pre-vote takes the vote",
    source="Raft dissertation section 9.6 (a pre-vote promises nothing); canonical/raft#196",
    needs=("crash",),
    judge="one vote per term",
)
def pre_vote_binds() -> None:
    """A server that would vote for somebody writes that down as its vote. It has voted in this term already, for the
    leader as a rule, so that is a second vote.
    """
    refusal = election._refusal

    def bound(raft: Raft, message: Vote, now: float) -> str:
        refused = refusal(raft, message, now)
        if message.pre and not refused:
            _vote(raft, message.src)
        return refused

    replace(election, "_refusal", bound)


@mutant(
    "B14",
    "pre-votes counted as votes",
    source="Raft dissertation section 9.6; raft-rs#83",
    judge="voters only",
)
def pre_votes_counted() -> None:
    """A candidate begins with the tally of the election before, which was the pre-vote. It leads before it has asked
    anybody, and so does the next one that was told yes.
    """
    ask: Any = election._ask

    def keep(raft: Raft, now: float, term: int, *, pre: bool, force: bool = False) -> None:
        before = raft.votes
        ask(raft, now, term, pre=pre, force=force)
        if not pre:
            raft.votes = before
            election._count(raft, now)

    replace(election, "_ask", keep)


@mutant(
    "B18",
    "a server without a vote stands for election",
    source="Raft dissertation section 4.2.1 (only voters elect and are elected); consul#6979",
    needs=("membership",),
    judge="voters only",
)
def non_voter_stands() -> None:
    """A server that hears no leader does not look whether it is a voter. One that was added to learn only, or was
    removed and knows it, asks for votes and may become leader.
    """

    def on_timeout(raft: Raft, now: float) -> None:
        election.rest(raft, now)
        if raft.settings.pre_vote:
            raft.become(PRE_CANDIDATE, leader=None)
            election._ask(raft, now, raft.term + 1, pre=True)
        else:
            election.stand(raft, now)

    replace(election, "on_timeout", on_timeout)


@mutant(
    "B31",
    "half of the votes is enough",
    source="Raft section 5.2 (a majority); akka-raft (raft-42) and camunda#57387 counted wrong",
    needs=("partition",),
    judge="voters only",
)
def half_of_the_votes() -> None:
    """A majority is taken for the half, rounded up. That is right for three servers and for five; of four, two can
    elect one leader and the other two another one.
    """

    def result(voters: Collection[str], votes: Mapping[str, bool]) -> str:
        needed = (len(voters) + 1) // 2
        granted = sum(votes.get(voter) is True for voter in voters)
        refused = sum(votes.get(voter) is False for voter in voters)
        if granted >= needed:
            return "won"
        return "lost" if len(voters) - refused < needed else "pending"

    replace(quorum, "_majority_vote", result)


@mutant(
    "B72",
    "votes asked for before the term and the log are durable",
    source="Raft Figure 2 (updated on stable storage before responding), for what a candidate claims",
    needs=("disk stall",),
    judge="durable before send",
)
def vote_asked_before_sync() -> None:
    """A candidate asks while its disk is still writing its term, its vote and the end of its log. It can crash, come
    back with less, ask again in the same term, and win with the votes that its first claim earned.
    """
    promise = Raft.promise

    def hasty(raft: Raft, message: Message) -> None:
        if isinstance(message, Vote):
            raft.send(message)
        else:
            promise(raft, message)

    replace(Raft, "promise", hasty)


def _vote(raft: Raft, vote: str | None) -> None:
    """Without the assertion that a vote is cast once."""
    raft.vote, raft.hard = vote, dataclasses.replace(raft.hard, vote=vote)
