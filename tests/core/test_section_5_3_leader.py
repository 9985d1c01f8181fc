"""Section 5.3: what a leader knows of its followers, and how far it runs ahead of them."""

from __future__ import annotations

from raftsim.core.entry import NOOP
from raftsim.core.messages import Append, AppendReply
from raftsim.core.output import LEADER
from raftsim.core.progress import PROBE, REPLICATE, Progress
from raftsim.core.settings import Settings
from tests.core.harness import Cluster, Host, terms_of


def leader_of_three(**settings: int) -> tuple[Cluster, Host]:
    """`a` leads b and c, which hold everything; its followers' answers are from now on the test's to give."""
    cluster = Cluster("a", "b", "c", settings=Settings(**settings))  # type: ignore[arg-type]
    host = cluster.elect("a")
    cluster.beat("a")
    assert {progress.state for progress in host.raft.progress.values()} == {REPLICATE}
    cluster.down = {"b", "c"}
    return cluster, host


def to(dst: str, host: Host) -> list[tuple[int, int]]:
    """(prev_index, number of entries) of every Append for `dst` that left since the last call."""
    return [(message.prev_index, len(message.entries)) for message in host.took(Append) if message.dst == dst]


def ok(index: int, src: str = "b", round: int = 0) -> AppendReply:
    return AppendReply(1, src, "a", ok=True, index=index, round=round)


def no(index: int, hint: tuple[int, int], src: str = "b", round: int = 0) -> AppendReply:
    return AppendReply(1, src, "a", ok=False, index=index, hint_index=hint[0], hint_term=hint[1], round=round)


# the opening of a term


def test_a_term_opens_with_an_entry_of_its_own() -> None:
    """Without one, entries of earlier terms stayed uncommitted until a client happened to write."""
    cluster = Cluster("a", "b", "c", logs={"a": [1, 1], "b": [1, 1], "c": [1, 1]}, term=1)
    leader = cluster.elect("a")
    assert leader.raft.log.slice(3, 4)[0].kind == NOOP
    assert (terms_of(leader.raft), leader.raft.commit) == ([0, 1, 1, 2], 4)


def test_a_new_leader_takes_nothing_for_granted() -> None:
    """Followers taken to hold what the new leader holds made its whole log committed at once."""
    cluster = Cluster("a", "b", "c", logs={"a": [1, 1]}, term=1)
    cluster["a"].time_out()
    for _ in range(4):  # pre-votes and votes, there and back
        cluster.deliver()
    raft = cluster.raft("a")
    assert raft.role == LEADER
    assert [(progress.match, progress.next) for progress in raft.progress.values()] == [(0, 4), (0, 4)]
    assert raft.commit == 0


# what replies do to match and next


def test_match_never_falls() -> None:
    """Set to whatever an acknowledgement says, match went back when two of them overtook each other."""
    _, host = leader_of_three()
    host.propose(b"1", b"2", b"3")
    host.receive(ok(5))
    host.receive(ok(3))
    assert host.raft.progress["b"].match == 5
    host.receive(no(4, (4, 1)))
    progress = host.raft.progress["b"]
    assert (progress.match, progress.state) == (5, REPLICATE)


def test_an_old_refusal_in_probe_is_ignored() -> None:
    progress = Progress(10, 0.0)
    progress.sent(10, 1)
    progress.refused(7, 3, 0)
    assert (progress.next, progress.probing) == (10, True)
    progress.refused(9, 3, 0)
    assert (progress.next, progress.probing) == (4, False)
    progress.matched(3, 0)
    assert (progress.state, progress.match, progress.next) == (REPLICATE, 3, 4)


def test_next_stays_above_match_and_always_comes_down() -> None:
    """A refusal whose hint is no lower than what was asked left next where it was, for ever."""
    progress = Progress(10, 0.0)
    progress.refused(9, 9, 0)
    assert progress.next == 9
    progress.match = 5
    progress.refused(8, 0, 0)
    assert progress.next == 6


def test_back_tracking_goes_by_terms_not_by_entries() -> None:
    """600 conflicting entries of three terms cost a few messages, not 600."""
    ours, theirs = [1] + [5] * 300 + [7] * 300, [1] + [2] * 200 + [3] * 200 + [4] * 200
    refusals = 0
    cluster = Cluster("a", "b", "c", logs={"a": ours, "b": theirs, "c": ours}, term=8)
    cluster["a"].time_out()
    while cluster.collect():
        refusals += sum(1 for message in cluster.net if isinstance(message, AppendReply) and not message.ok)
        cluster.deliver()
    assert terms_of(cluster.raft("b")) == terms_of(cluster.raft("a")) == [0, *ours, 9]
    assert refusals <= 3


# pipelining


def test_all_proposals_of_a_turn_share_one_append() -> None:
    _, host = leader_of_three()
    host.propose(b"1", b"2", b"3")
    assert to("b", host) == [(2, 3)]


def test_appends_are_pipelined_up_to_the_window() -> None:
    _, host = leader_of_three(max_inflight_appends=2)
    for data in (b"1", b"2", b"3", b"4"):
        host.propose(data)
    assert to("b", host) == [(2, 1), (3, 1)]
    host.receive(ok(3))
    assert to("b", host) == [(4, 2)]
    host.receive(ok(6))
    assert not host.raft.progress["b"].inflight


def test_a_window_whose_appends_were_all_lost_is_freed_by_a_heartbeat() -> None:
    """With nothing sent while the window was full, a follower that had missed it all was never fed again."""
    cluster, host = leader_of_three(max_inflight_appends=2)
    for data in (b"1", b"2", b"3"):
        host.propose(data)
    host.take()
    host.time_out()
    assert to("b", host) == [(4, 0)]
    cluster.down.clear()
    cluster.beat("a")
    assert terms_of(cluster.raft("b")) == terms_of(host.raft)
    assert host.raft.progress["b"].match == 5


def test_one_lost_append_is_sent_again_from_the_last_match() -> None:
    _, host = leader_of_three()
    host.propose(b"1")
    host.propose(b"2")
    host.take()
    host.receive(no(3, (2, 1)))  # 3 was lost, the Append after it arrived
    assert host.raft.progress["b"].state == PROBE
    assert to("b", host) == [(2, 2)]
    host.receive(ok(4, round=host.raft.round))
    assert host.raft.progress["b"].state == REPLICATE


def gap(**settings: int) -> tuple[Cluster, Host, int]:
    """3 was overtaken by the Appends after it, 4 to 8, and the refusal of the first of these is here; their round."""
    cluster, host = leader_of_three(max_append_entries=1, **settings)
    for number in range(6):
        host.propose(b"%d" % number)
    round = host.raft.round
    assert to("b", host) == [(prev, 1) for prev in range(2, 8)]
    host.receive(no(3, (2, 1), round=round))
    assert to("b", host) == [(2, 1)]
    return cluster, host, round


def test_a_window_that_is_refused_is_sent_again_once() -> None:
    """Each refusal had the whole window sent again, each Append of which was refused: thousands for a hundred entries.

    What of the old Appends was taken in the end is believed, but an answer to the probe is what opens the window.
    """
    _, host, round = gap()
    for answer in (no(4, (2, 1), round=round), ok(3, round=round), no(5, (3, 1), round=round), ok(3, round=round)):
        host.receive(answer)
    assert to("b", host) == []
    progress = host.raft.progress["b"]
    assert (progress.state, progress.match, progress.next) == (PROBE, 3, 4)
    host.receive(ok(3, round=host.raft.round))
    assert to("b", host) == [(prev, 1) for prev in range(3, 8)]
    host.receive(no(6, (3, 1), round=round), no(7, (3, 1), round=round))
    assert (to("b", host), progress.state) == ([], REPLICATE)


def test_a_new_gap_is_no_old_refusal() -> None:
    _, host, _ = gap()
    host.receive(ok(3, round=host.raft.round))
    assert len(to("b", host)) == 5
    host.receive(no(5, (3, 1), round=host.raft.round))
    assert to("b", host) == [(3, 1)]


def test_a_probe_that_is_lost_after_a_gap_is_made_good_by_the_heartbeat() -> None:
    cluster, host, _ = gap()
    cluster.down.clear()
    cluster.beat("a")
    assert terms_of(cluster.raft("b")) == terms_of(host.raft)


def test_what_a_follower_holds_it_cannot_refuse() -> None:
    """A network that doubles messages doubled the Appends with every refusal of a place that is known to match."""
    _, host, _ = gap()
    host.receive(no(2, (1, 0), round=host.raft.round))
    assert to("b", host) == []


def test_a_read_that_comes_with_a_refusal_has_its_round() -> None:
    """The round that is begun for the refusal is sent to nobody else: a read in it waited for the next heartbeat."""
    _, host, _ = gap()
    host.receive(ok(3, round=host.raft.round))
    host.take()
    host.raft.read(7)
    host.receive(no(5, (3, 1), round=host.raft.round))
    assert {message.dst for message in host.took(Append) if message.round == host.raft.round} == {"b", "c"}
    host.receive(ok(3, src="c", round=host.raft.round))
    assert host.reads == [(7, host.raft.commit)]


def test_a_lost_probe_is_made_good_by_the_heartbeat() -> None:
    cluster = Cluster("a", "b", "c")
    cluster.blocked.add(("a", "b"))
    cluster.blocked.add(("b", "a"))
    host = cluster.elect("a")
    assert (host.raft.progress["b"].state, host.raft.progress["b"].probing) == (PROBE, True)
    host.propose(b"1", b"2")
    assert to("b", host) == []  # one probe is out, more would be guesses
    cluster.blocked.clear()
    cluster.beat("a")
    assert terms_of(cluster.raft("b")) == terms_of(host.raft)


def test_batches_keep_their_limits_and_a_big_entry_travels_alone() -> None:
    _, host = leader_of_three(max_append_entries=3)
    host.propose(*[b"x"] * 7)
    assert to("b", host) == [(2, 3), (5, 3), (8, 1)]
    _, host = leader_of_three(max_append_bytes=10)
    host.propose(b"12345", b"12345", b"123", b"12345678901234567890", b"1")
    assert to("b", host) == [(2, 2), (4, 1), (5, 1), (6, 1)]
