"""Dissertation 6.4.1, leases: a leader that a quorum has heard just now answers reads without asking it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from raftsim.core.config import of, simple
from raftsim.core.messages import Append, AppendReply, InstallReply, TimeoutNow, Vote, VoteReply
from raftsim.core.output import FOLLOWER, LEADER
from raftsim.core.settings import Settings
from tests.core.harness import Cluster, Host, log_of
from tests.core.members import add, change, listen, remove, settled

LEASED = Settings(lease_reads=True, max_clock_drift=0.25, fast_failover=False, check_quorum=False)
LEASE_S = 0.4
PROMISE_S = LEASED.election_timeout_min_s


def is_answered_at_once(host: Host) -> bool:
    """A read, now; it costs no round if so, and asks for one if not."""
    round = host.raft.round
    host.reads.clear()
    host.read(7)
    assert (host.raft.round == round) is bool(host.reads)
    assert host.reads in ([], [(7, host.raft.commit)])
    return bool(host.reads)


def begin_round(host: Host) -> int:
    """Returns its number."""
    host.time_out()
    host.take()
    return host.raft.round


def leading(*ids: str) -> Host:
    """`a` leads in term 1, all hold what it holds, and its leases are over; what it sends from now on is lost."""
    cluster, host = settled(*ids, settings=LEASED)
    cluster.down = {*ids} - {"a"}
    cluster.time.now += 1.0
    host.wake()
    host.take()
    assert not is_answered_at_once(host)
    return host


def answer(src: str, round: int, *, ok: bool = True) -> AppendReply:
    return AppendReply(1, src, "a", ok=ok, index=2, round=round)


# who must have answered, and when


QUORUMS = [  # (servers, who answers) -> a lease
    ("a", "", True),
    ("ab", "", False),
    ("ab", "b", True),
    ("abc", "", False),
    ("abc", "c", True),
    ("abcd", "b", False),
    ("abcd", "bd", True),
    ("abcde", "c", False),
    ("abcde", "ce", True),
]


@pytest.mark.parametrize(("ids", "answering", "lease"), QUORUMS)
def test_a_quorum_that_answered_a_round_is_a_lease(ids: str, answering: str, lease: bool) -> None:
    if ids == "a":
        _, host = settled("a", settings=LEASED)
    else:
        host = leading(*ids)
    round = begin_round(host)
    host.receive(*[answer(src, round) for src in answering])
    assert is_answered_at_once(host) is lease


def test_who_has_lost_its_memory_gives_no_lease() -> None:
    """It may have promised its vote to nobody, whatever the incarnation before it had promised."""
    host = leading("a", "b", "c")
    lost = replace(answer("b", begin_round(host)), incarnation=7)
    host.receive(lost)
    assert not is_answered_at_once(host)
    host.receive(answer("c", begin_round(host)))
    assert is_answered_at_once(host)


@pytest.mark.parametrize("ok", [True, False])
def test_a_refused_append_is_an_answer(ok: bool) -> None:
    host = leading("a", "b", "c")
    host.receive(answer("b", begin_round(host), ok=ok))
    assert is_answered_at_once(host)


def test_so_is_the_answer_to_a_part_of_a_snapshot() -> None:
    host = leading("a", "b", "c")
    host.receive(InstallReply(1, "b", "a", 2, 0, done=False, round=begin_round(host)))
    assert is_answered_at_once(host)


AGES = [(0.0, True), (0.2, True), (0.399, True), (0.4, False), (0.6, False), (2.0, False)]  # of the round -> a lease


@pytest.mark.parametrize(("age_s", "lease"), AGES)
@pytest.mark.parametrize("answered_after_s", [0.0, 0.15])
def test_it_lasts_from_the_beginning_of_the_round(age_s: float, answered_after_s: float, lease: bool) -> None:
    """From the answer on, it outlived the promises of those who answered by a round trip."""
    host = leading("a", "b", "c")
    round = begin_round(host)
    began = host.time.now
    host.time.now = began + min(answered_after_s, age_s)
    host.receive(answer("b", round))
    host.time.now = began + age_s
    assert is_answered_at_once(host) is lease


def test_the_last_of_the_quorum_counts() -> None:
    host = leading("a", "b", "c", "d", "e")
    first = begin_round(host)
    began = host.time.now
    host.receive(answer("b", first), answer("c", first))
    second = begin_round(host)
    host.receive(answer("b", second))
    host.time.now = began + LEASE_S
    assert not is_answered_at_once(host)
    host.receive(answer("e", second))
    assert is_answered_at_once(host)


def test_an_answer_that_took_too_long_proves_nothing() -> None:
    host = leading("a", "b", "c")
    round = begin_round(host)
    host.time.now += 2.0
    host.wake()
    host.receive(answer("b", round))
    assert not is_answered_at_once(host)


DRIFTS = [(0.01, 0.5 / 1.01), (0.25, 0.4), (1.0, 0.25), (3.0, 0.125)]


@pytest.mark.parametrize(("drift", "lease_s"), DRIFTS)
def test_the_faster_the_clocks_of_the_others_may_be_the_shorter_it_is(drift: float, lease_s: float) -> None:
    assert replace(LEASED, max_clock_drift=drift).lease_s == pytest.approx(lease_s)
    assert replace(LEASED, max_clock_drift=drift).scaled(5).lease_s == pytest.approx(5 * lease_s)


def test_without_the_setting_every_read_costs_a_round() -> None:
    _, host = settled("a", "b", "c")
    assert not Settings().lease_reads
    assert not is_answered_at_once(host)


# what a lease is not


def test_the_votes_are_no_lease() -> None:
    """Nor is the benefit of the doubt that check-quorum gives a new leader's followers."""
    cluster = Cluster("a", "b", "c", settings=LEASED)
    host = cluster.elect("a")
    assert host.raft.ready
    assert not is_answered_at_once(host)


def test_a_new_member_that_was_not_heard_yet_does_not_count() -> None:
    """It is given the benefit of the doubt, so that a leader is not deposed for having added it."""
    _, host = settled("a", "b", settings=LEASED)
    host.time.now += 1.0
    host.receive(AppendReply(1, "b", "a", ok=True, index=change(host, listen("c"))))
    host.raft.progress["c"].caught_up = True
    assert host.raft.progress["c"].contact == host.time.now
    change(host, add("c"))
    assert not is_answered_at_once(host)


HALVES = [("bc", False), ("de", False), ("b", False), ("bd", True)]  # of a, b, c and a, d, e, who have answered


@pytest.mark.parametrize(("answering", "lease"), HALVES)
def test_in_a_joint_configuration_both_halves_must_have_answered(answering: str, lease: bool) -> None:
    _, host = settled(*"abcde", config=simple(simple(of("a", "b", "c"), [listen("d")]), [listen("e")]), settings=LEASED)
    host.raft.progress["d"].caught_up = host.raft.progress["e"].caught_up = True
    change(host, remove("b"), remove("c"), add("d"), add("e"))
    assert host.raft.config.joint
    host.time.now += 1.0
    host.wake()
    host.take()
    host.receive(*[answer(src, host.raft.round) for src in answering])
    assert is_answered_at_once(host) is lease


def test_none_before_the_first_commit_of_the_term() -> None:
    """A lease of a leader that does not know yet what is committed would be a licence to read the past."""
    cluster = Cluster("a", "b", "c", settings=LEASED)
    cluster.blocked = {("b", "a"), ("c", "a")}
    host = cluster["a"]
    cluster.time.now += 1.0
    host.time_out()
    cluster.run()
    host.receive(VoteReply(1, "b", "a", granted=True, pre=True), VoteReply(1, "b", "a", granted=True))
    assert host.raft.role == LEADER
    round = begin_round(host)
    host.receive(AppendReply(1, "b", "a", ok=False, index=1, round=round))
    assert not is_answered_at_once(host)


def test_none_for_who_learns_in_the_same_turn_that_it_is_deposed() -> None:
    host = leading("a", "b", "c")
    host.receive(answer("b", begin_round(host)))
    host.reads.clear()
    host.raft.read(7)
    host.receive(AppendReply(2, "c", "a", ok=False, index=2))
    assert (host.raft.role, host.reads) == (FOLLOWER, [])


# leadership transfer


def test_who_told_another_to_stand_has_no_lease_for_the_rest_of_the_term() -> None:
    """Not when the transfer has failed either: the word may come late, and the votes by force with it."""
    cluster, host = settled("a", "b", "c", settings=LEASED)
    assert is_answered_at_once(host)
    cluster.blocked = {("a", "c")}
    host.raft.transfer("c", host.time.now)
    assert not is_answered_at_once(host)
    for _ in range(20):
        cluster.beat("a")
    assert host.raft.transfer_target is None
    assert not is_answered_at_once(host)


def test_the_next_term_has_leases_again() -> None:
    cluster, host = settled("a", "b", "c", settings=LEASED)
    host.raft.transfer("c", host.time.now)
    host.turn()
    cluster.run()
    assert cluster.raft("c").role == LEADER
    cluster.beat("c")
    assert is_answered_at_once(cluster["c"])
    cluster.elect("a")
    cluster.beat("a")
    assert is_answered_at_once(host)


def test_a_target_that_lags_was_not_told_yet() -> None:
    cluster, host = settled("a", "b", "c", settings=LEASED)
    cluster.down = {"c"}
    host.propose(b"x")
    cluster.beat("a")
    host.raft.transfer("c", host.time.now)
    host.turn()
    assert host.took(TimeoutNow) == []
    assert is_answered_at_once(host)


# what the voters promise


def hearing(settings: Settings = LEASED) -> Host:
    """`b` has heard `a` lead in term 1, just now."""
    host = Host("b", log_of(of("a", "b", "c")), settings=settings)
    host.time.now = 10.0
    host.receive(Append(1, "a", "b", 1, 0))
    host.take()
    return host


def votes_for_c(host: Host, *, force: bool = False) -> bool:
    host.receive(Vote(host.raft.term + 1, "c", "b", 9, 1, force=force))
    return host.only(VoteReply).granted


def forget_by_a_refusal(host: Host) -> None:
    host.receive(VoteReply(2, "c", "b", granted=False, pre=True))


def forget_by_an_old_leader(host: Host) -> None:
    host.receive(AppendReply(2, "c", "b", ok=False, index=0))


def forget_by_a_restart(host: Host) -> None:
    host.restart()


def forget_nothing(_: Host) -> None:
    pass


WAYS = [forget_nothing, forget_by_a_refusal, forget_by_an_old_leader, forget_by_a_restart]


@pytest.mark.parametrize("forget", WAYS)
def test_the_vote_is_bound_for_an_election_timeout_whatever_is_forgotten(forget: Callable[[Host], None]) -> None:
    """A voter that restarted, or had taken over a higher term, elected another leader in the middle of a lease."""
    host = hearing()
    forget(host)
    host.take()
    host.time.now = 10.0 + PROMISE_S - 0.001
    assert host.raft.role == FOLLOWER
    assert not votes_for_c(host)
    host.time.now = 10.0 + PROMISE_S
    assert votes_for_c(host)


@pytest.mark.parametrize("forget", WAYS)
def test_nor_does_it_stand_sooner(forget: Callable[[Host], None]) -> None:
    host = hearing()
    forget(host)
    host.take()
    assert host.raft.deadline >= 10.0 + PROMISE_S


@pytest.mark.parametrize("forget", WAYS[1:])
def test_without_leases_it_is_free_at_once(forget: Callable[[Host], None]) -> None:
    host = hearing(Settings(check_quorum=False))
    forget(host)
    host.take()
    assert votes_for_c(host)


def test_who_says_that_the_leader_told_it_to_stand_is_believed() -> None:
    assert votes_for_c(hearing(), force=True)


# settings that contradict each other

CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    ({"stickiness": False}, "lease_reads needs stickiness"),
    ({"fast_failover": True}, "lease_reads and fast_failover exclude each other"),
    ({"max_clock_drift": 4.0}, "with max_clock_drift 4 a lease is 0.1 s, which must be more than heartbeat_interval_s"),
    ({"max_clock_drift": 0.0}, "max_clock_drift must be positive, got 0"),
]


@pytest.mark.parametrize(("settings", "why"), CONTRADICTIONS)
def test_settings_under_which_a_lease_would_be_a_lie_are_refused(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Settings(**{"lease_reads": True, "fast_failover": False, **settings})
