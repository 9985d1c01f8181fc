"""Sections 5.1 and 5.2: timers that are drawn anew, and the rule of terms.

Votes are in test_section_5_2_votes.py; pre-vote, stickiness and check-quorum in test_section_5_2_disruption.py.
"""

from __future__ import annotations

import pytest

from raftsim.core.config import of
from raftsim.core.entry import HardState
from raftsim.core.messages import Append, AppendReply, Message, Vote, VoteReply
from raftsim.core.output import CANDIDATE, FOLLOWER, LEADER
from tests.core.harness import PLAIN, Cluster, Host, log_of

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


# timeouts


def test_every_timeout_is_drawn_anew() -> None:
    """A timeout drawn once per process let two servers tie in every election for ever."""
    host, settings = voter(), PLAIN
    drawn = []
    for _ in range(20):
        host.time_out()
        drawn.append(host.raft.deadline - host.time.now)
    assert len(set(drawn)) == 20
    assert all(settings.election_timeout_min_s <= timeout <= settings.election_timeout_max_s for timeout in drawn)


@pytest.mark.parametrize(("members", "waits"), [("a", False), ("ab", True), ("abc", True)])
def test_a_server_that_starts_waits_for_a_leader_if_there_can_be_another(members: str, *, waits: bool) -> None:
    host = Host("a", log_of(of(*members)), settings=PLAIN)
    assert (host.raft.deadline >= PLAIN.election_timeout_min_s) is waits
    host.wake()
    assert (host.raft.role == FOLLOWER) is waits


def test_waking_early_does_nothing() -> None:
    host = voter()
    host.time.now = host.raft.deadline - 0.001
    host.wake()
    assert (host.raft.role, host.raft.term, host.take()) == (FOLLOWER, 0, [])


TIMER = [  # what a follower of b in term 2 hears, having voted for nobody -> does its election timer start again
    (Append(2, "b", "a", 1, 0), True),
    (Append(2, "b", "a", 7, 2), True),  # refused: the logs differ
    (Append(1, "c", "a", 1, 0), False),
    (ask("c", term=1), False),
    (ask("c", term=3, last_index=0), False),  # refused: its log is behind
    (ask("c", term=3), True),  # granted
    (Vote(3, "c", "a", 1, 0, pre=True), False),
    (VoteReply(1, "c", "a", granted=True), False),
    (AppendReply(1, "c", "a", ok=True, index=1), False),
]


@pytest.mark.parametrize(("message", "reset"), TIMER)
def test_what_resets_the_election_timer(message: Message, reset: bool) -> None:
    """Reset by refused votes, a chatty server nobody can elect kept all others quiet; not reset by a refused Append, a
    follower that was being repaired campaigned against a healthy leader; not reset by a grant, voters compete."""
    host = voter(hard=HardState(2))
    host.receive(Append(2, "b", "a", 1, 0))
    before = host.raft.deadline
    host.time.now += 0.3
    host.receive(message)
    assert (host.raft.deadline != before) is reset


def test_a_deposed_leader_waits_a_whole_timeout() -> None:
    """A leader that met a higher term had a timer from before its own election, so it campaigned in the same breath
    against the server that had just taken over."""
    cluster = Cluster("a", "b", "c", settings=PLAIN)
    leader = cluster.elect("a")
    for _ in range(20):
        cluster.beat("a")
    leader.receive(VoteReply(2, "b", "a", granted=False))
    assert leader.raft.role == FOLLOWER
    assert leader.raft.deadline >= leader.time.now + PLAIN.election_timeout_min_s


# the rule of terms

HIGHER: list[Message] = [
    VoteReply(9, "b", "a", granted=True),
    VoteReply(9, "b", "a", granted=False),
    VoteReply(9, "b", "a", granted=False, pre=True),
    AppendReply(9, "b", "a", ok=True, index=1),
    AppendReply(9, "b", "a", ok=False, index=1),
    Append(9, "b", "a", 1, 0),
    ask("b", term=9),
]


@pytest.mark.parametrize("message", HIGHER)
@pytest.mark.parametrize("role", [CANDIDATE, LEADER])
def test_a_higher_term_in_any_message_ends_a_candidacy_or_a_leadership(role: str, message: Message) -> None:
    host = candidate()
    if role == LEADER:
        host.receive(VoteReply(1, "b", "a", granted=True))
    assert host.raft.role == role
    host.receive(message)
    assert (host.raft.role, host.raft.term) == (FOLLOWER, 9)
    assert host.disk.hard.term == 9


def test_a_candidate_follows_the_leader_of_its_own_term() -> None:
    host = candidate()
    host.receive(Append(1, "c", "a", 1, 0))
    assert (host.raft.role, host.raft.term, host.raft.leader) == (FOLLOWER, 1, "c")


def test_a_requests_lower_term_is_answered_with_ours() -> None:
    host = voter(hard=HardState(5))
    host.receive(ask("b", term=3))
    reply = host.only(VoteReply)
    assert (reply.term, reply.granted) == (5, False)
