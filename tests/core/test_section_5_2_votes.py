"""Section 5.2: one vote per term, durable before anyone hears of it, counted by voter."""

from __future__ import annotations

from raftsim.core.config import of
from raftsim.core.entry import HardState
from raftsim.core.messages import Append, Vote, VoteReply
from raftsim.core.output import CANDIDATE, FOLLOWER, LEADER, RoleChanged
from raftsim.core.settings import Settings
from tests.core.harness import PLAIN, Host, log_of

THREE, FIVE = of("a", "b", "c"), of("a", "b", "c", "d", "e")


def voter(id: str = "a", *, slow_disk: bool = False, hard: HardState | None = None) -> Host:
    return Host(id, log_of(THREE), settings=PLAIN, slow_disk=slow_disk, hard=hard)


def ask(src: str, dst: str = "a", *, term: int = 1, last_index: int = 1, last_term: int = 0) -> Vote:
    return Vote(term, src, dst, last_index, last_term)


def candidate(config: object = THREE, *, slow_disk: bool = False) -> Host:
    """`a`, which has just stood in term 1."""
    host = Host("a", log_of(THREE if config is THREE else FIVE), settings=PLAIN, slow_disk=slow_disk)
    host.time_out()
    return host


# votes


def test_one_vote_per_term() -> None:
    host = voter()
    host.receive(ask("b"))
    host.receive(ask("c"))
    assert [(reply.dst, reply.granted) for reply in host.took(VoteReply)] == [("b", True), ("c", False)]
    host.receive(ask("c", term=2))
    assert host.only(VoteReply).granted


def test_a_vote_is_durable_before_the_candidate_hears_of_it() -> None:
    """Sent at once, a grant outlived the memory of having given it: the server voted again after a crash."""
    host = voter(slow_disk=True)
    host.receive(ask("b", term=4))
    assert host.take() == []
    assert host.unsynced[0].hard == HardState(4, "b")
    host.sync()
    assert host.only(VoteReply).granted
    host.restart()
    host.receive(ask("c", term=4))
    host.sync()
    assert not host.only(VoteReply).granted


def test_term_and_vote_are_one_record() -> None:
    """Written one after the other, a crash between them left the vote of an old term standing in the new one."""
    host = voter(slow_disk=True, hard=HardState(3, "c"))
    host.receive(ask("b", term=4))
    assert [write.hard for write in host.unsynced] == [HardState(4, "b")]


def test_the_same_candidate_is_granted_again() -> None:
    """Refusing whoever had been granted already cost a whole election when the first answer was lost."""
    host = voter()
    host.receive(ask("b"), ask("b"))
    assert [reply.granted for reply in host.took(VoteReply)] == [True, True]


def test_a_voter_that_knows_the_leader_of_the_term_votes_for_nobody_else() -> None:
    host = voter()
    host.receive(Append(1, "b", "a", 1, 0))
    host.take()
    host.receive(ask("c"))
    assert not host.only(VoteReply).granted


def test_a_step_down_in_the_same_term_keeps_the_vote() -> None:
    """A vote cleared by every step-down could be given twice in a term, to two leaders."""
    host = candidate()
    host.receive(Append(1, "b", "a", 1, 0))
    assert (host.raft.role, host.raft.vote) == (FOLLOWER, "a")
    host.take()
    host.receive(ask("c"))
    assert not host.only(VoteReply).granted


def test_a_lost_election_keeps_the_vote() -> None:
    host = candidate()
    host.receive(VoteReply(1, "b", "a", granted=False), VoteReply(1, "c", "a", granted=False))
    assert (host.raft.role, host.raft.vote) == (FOLLOWER, "a")
    host.take()
    host.receive(ask("c"))
    assert not host.only(VoteReply).granted


# counting


def test_an_election_is_won_by_a_majority_and_told_at_once() -> None:
    host = candidate()
    assert [(vote.term, vote.dst, vote.last_index, vote.last_term) for vote in host.took(Vote)] == [
        (1, "b", 1, 0),
        (1, "c", 1, 0),
    ]
    host.receive(VoteReply(1, "b", "a", granted=True))
    assert host.raft.role == LEADER
    assert [message.dst for message in host.took(Append)] == ["b", "c"]
    assert host.events[-1] == RoleChanged(LEADER, 1, "a")


def test_votes_are_counted_by_voter() -> None:
    """Counted by reply, one grant that the network delivered twice made a leader with two votes of five."""
    host = candidate(FIVE)
    for _ in range(3):
        host.receive(VoteReply(1, "b", "a", granted=True))
    assert host.raft.role == CANDIDATE
    host.receive(VoteReply(1, "c", "a", granted=True))
    assert host.raft.role == LEADER


def test_votes_of_strangers_do_not_count() -> None:
    host = candidate(FIVE)
    for stranger in "xyz":
        host.receive(VoteReply(1, stranger, "a", granted=True))
    assert host.raft.role == CANDIDATE


def test_votes_of_an_older_term_do_not_count() -> None:
    """A late grant of the last election and the own vote of this one made two leaders of one term."""
    host = candidate()
    host.time_out()
    host.receive(VoteReply(1, "b", "a", granted=True))
    assert (host.raft.role, host.raft.term) == (CANDIDATE, 2)
    host.receive(VoteReply(2, "b", "a", granted=True))
    assert host.raft.role == LEADER


def test_a_grant_stands_whatever_refusals_arrive_before_it() -> None:
    """A voter that granted term 2 and then met the delayed request of term 1 refuses that one, in term 2; when the two
    answers overtake each other, the refusal must not hide the vote."""
    host, other = candidate(), voter("b")
    (old,) = [vote for vote in host.took(Vote) if vote.dst == "b"]
    host.time_out()
    (new,) = [vote for vote in host.took(Vote) if vote.dst == "b"]
    other.receive(new, old)
    grant, refusal = other.take()
    host.receive(refusal, grant)
    assert host.raft.role == LEADER


def test_the_own_vote_counts_only_when_it_is_durable() -> None:
    """Counted at once, a crash let a server forget it had voted for itself, and vote for another in the same term."""
    host = candidate(slow_disk=True)
    host.receive(VoteReply(1, "b", "a", granted=True))
    assert host.raft.role == CANDIDATE
    host.sync()
    assert host.raft.role == LEADER


def test_a_vote_of_a_lost_election_that_becomes_durable_late_does_not_count_for_the_next() -> None:
    host = candidate(slow_disk=True)
    host.time_out()
    host.receive(VoteReply(2, "b", "a", granted=True))
    host.sync_one()
    assert (host.raft.role, host.raft.term) == (CANDIDATE, 2)
    host.sync()
    assert host.raft.role == LEADER


def test_a_vote_is_asked_for_only_with_what_a_crash_cannot_take_back() -> None:
    """A request that left before its term and its log were durable could be repeated, after a crash, in the same term
    with a shorter log: the grants of the first then elected a server that had lost a committed entry."""
    host = Host("a", log_of(THREE), settings=PLAIN, slow_disk=True)
    host.receive(Append(1, "b", "a", 1, 0, log_of(THREE, 1)[1:]))
    host.time_out()
    assert host.raft.term == 2
    assert host.take() == []
    host.sync_one()  # the entry is durable, the candidate's term and vote are not
    assert host.took(Vote) == []
    host.sync()
    votes = host.took(Vote)
    assert host.disk.hard == HardState(2, "a")
    assert [vote.last_index for vote in votes] == [len(host.disk.entries)] * 2


def test_a_single_voter_elects_itself_but_not_before_its_vote_is_durable() -> None:
    host = Host("a", log_of(of("a")), slow_disk=True, settings=Settings())
    host.time_out()
    assert host.raft.role == CANDIDATE
    host.sync()
    assert (host.raft.role, host.raft.term, host.raft.leader) == (LEADER, 1, "a")
