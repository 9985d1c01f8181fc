"""Section 5.3: when a leader commits, when it tells, and how much it lets wait."""

from __future__ import annotations

import pytest

from raftsim.core.config import of
from raftsim.core.entry import NOOP
from raftsim.core.errors import Busy, NotLeader
from raftsim.core.messages import Append, AppendReply
from raftsim.core.output import LEADER
from raftsim.core.progress import REPLICATE
from raftsim.core.settings import Settings
from tests.core.harness import Cluster, Host, log_of


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


def test_a_leader_counts_its_own_copy_only_when_it_is_durable() -> None:
    """Counted when it was appended, an entry held by one follower and by nobody else's disk was committed."""
    _, host = leader_of_three()
    host.slow_disk = True
    host.propose(b"x")
    host.receive(ok(3))
    assert host.raft.commit == 2
    host.sync()
    assert host.raft.commit == 3


def test_a_leader_commits_no_further_than_its_own_disk() -> None:
    _, host = leader_of_three()
    host.slow_disk = True
    host.propose(b"x")
    host.receive(ok(3, "b"), ok(3, "c"))
    assert (host.raft.commit, host.applied[-1].kind) == (2, NOOP)
    host.sync()
    assert (host.raft.commit, host.applied[-1].data) == (3, b"x")


def test_a_single_voter_applies_after_its_disk_only() -> None:
    """One server, its disk and a power cut: applied and answered in the turn of the write, a value was lost."""
    host = Host("a", log_of(of("a")))
    host.time_out()
    host.slow_disk = True
    host.propose(b"x")
    assert (host.raft.commit, len(host.applied)) == (2, 2)
    host.sync()
    assert [entry.data for entry in host.applied[2:]] == [b"x"]


def test_appends_leave_while_the_own_disk_is_still_working() -> None:
    _, host = leader_of_three()
    host.slow_disk = True
    host.propose(b"x")
    assert to("b", host) == [(2, 1)]


def test_a_commit_is_told_soon_when_no_entry_carries_the_news() -> None:
    cluster, host = leader_of_three()
    host.propose(b"x")
    before = host.raft.deadline
    host.receive(ok(3))
    assert host.raft.deadline == min(before, cluster.time.now + host.settings.commit_delay_s)
    host.take()
    host.time_out()
    assert {message.commit for message in host.took(Append)} == {3}


def test_too_much_uncommitted_is_refused_until_it_is_committed() -> None:
    """A leader that was cut off while its clients went on writing grew without a limit."""
    _, host = leader_of_three(max_uncommitted_bytes=10)
    host.propose(b"12345", b"12345")
    with pytest.raises(Busy) as busy:
        host.raft.propose(b"1")
    assert busy.value.limit == "max_uncommitted_bytes"
    assert host.raft.log.last_index == 4
    host.receive(ok(3))
    assert host.propose(b"12345") == [5]
    with pytest.raises(Busy):
        host.raft.propose(b"1")


def test_what_a_leader_inherits_counts_as_uncommitted() -> None:
    cluster = Cluster("a", "b", "c", logs={"a": [1, 1]}, term=1, settings=Settings(max_uncommitted_bytes=2000))
    cluster["a"].time_out()
    while cluster.raft("a").role != LEADER:
        cluster.deliver()
    assert cluster.raft("a").uncommitted_bytes == 1024 + 3 + 3
    cluster.run()
    assert (cluster.raft("a").commit, cluster.raft("a").uncommitted_bytes) == (4, 0)


def test_only_a_leader_proposes_and_the_others_name_it() -> None:
    cluster, _ = leader_of_three()
    with pytest.raises(NotLeader) as refusal:
        cluster.raft("b").propose(b"x")
    assert refusal.value.leader == "a"
