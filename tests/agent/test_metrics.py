"""What is counted of a server: by interval, and in all."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from raftsim.agent.intervals import INTERVAL_S, Aggregate, Intervals
from raftsim.agent.metrics import COUNTERS, MAX_ON_THEIR_WAY, Metrics
from raftsim.agent.observers import together
from raftsim.core.entry import COMMAND, NOOP, Entry
from raftsim.core.output import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE, Committed, RoleChanged, Write
from raftsim.trace.events import APPLY, COMMIT, ROLE, SYNCED, WRITE
from tests.http.fakes import ADDRESSES, status_of


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


class Told:
    """A server's metrics, told by hand what happens to it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.metrics = Metrics(clock=self.clock, wall=self.clock)
        self.observe = together(self.metrics.acts)

    def after(self, seconds: float, kind: str, subject: object) -> None:
        self.clock.time += seconds
        self.observe(kind, subject)

    def view(self, **status: Any) -> dict[str, Any]:
        return self.metrics.view(status_of(**status), connections=2)


@pytest.fixture
def leader() -> Told:
    told = Told()
    told.observe(ROLE, RoleChanged(LEADER, 3, "a"))
    return told


def entries(*kinds: int) -> list[Entry]:
    return [Entry(3, kind, b"") if kind == COMMAND else Entry(3, kind) for kind in kinds]


def test_values_are_summed_up() -> None:
    values = Aggregate()
    for value in (1.0, 2.0, 6.0):
        values.add(value)
    told = values.view()
    assert told.pop("Stddev") == pytest.approx(2.6457513)
    assert told == {"Count": 3, "Max": 6.0, "Mean": 3.0, "Min": 1.0, "Rate": 0.9, "Sum": 9.0}


def test_one_value_deviates_from_nothing() -> None:
    values = Aggregate()
    values.add(0.1)
    assert values.view()["Stddev"] == 0.0


def test_the_last_finished_interval_is_told_or_the_first_while_it_is_the_only_one() -> None:
    intervals = Intervals(1003.0)
    intervals.add("x", 1, 1004.0)
    began_s, values = intervals.latest(1009.0)
    assert (began_s, values["x"].sum) == (1000, 1)
    intervals.add("x", 5, 1010.0)
    began_s, values = intervals.latest(1019.0)
    assert (began_s, values["x"].sum) == (1000, 1)
    began_s, values = intervals.latest(1020.0)
    assert (began_s, values["x"].sum) == (1010, 5)


def test_an_interval_in_which_nothing_happened_is_empty_and_totals_stay() -> None:
    intervals = Intervals(1003.0)
    intervals.add("x", 1, 1004.0)
    began_s, values = intervals.latest(1004.0 + 2 * INTERVAL_S)
    assert (began_s, dict(values)) == (1010, {})
    intervals.add("x", 2.5, 1025.0)
    assert intervals.totals() == {"x": (2, 3.5)}


def test_a_leader_counts_commands_and_times_its_disk_and_its_commits(leader: Told) -> None:
    leader.after(0, WRITE, Write(1, None, 8, entries(NOOP, COMMAND, COMMAND)))
    leader.after(0.002, SYNCED, 1)
    leader.after(0.003, COMMIT, Committed(10, LEADER, 3))
    view = leader.view()
    assert view["counters"]["raft.apply"]["Sum"] == view["counted"]["raft.apply"] == 2
    assert view["samples"]["raft.leader.dispatchLog"]["Mean"] == pytest.approx(2)
    assert view["samples"]["raft.commitTime"]["Mean"] == pytest.approx(5)
    assert view["gauges"]["raft.leader.dispatchNumLogs"] == 3.0


def test_one_sync_and_one_commit_may_end_several_writes(leader: Told) -> None:
    for seq, index in ((1, 8), (2, 9), (3, 10)):
        leader.after(0.001, WRITE, Write(seq, None, index, entries(COMMAND)))
    leader.after(0.001, SYNCED, 2)
    leader.after(0.001, COMMIT, Committed(9, LEADER, 3))
    samples = leader.view()["samples"]
    assert samples["raft.leader.dispatchLog"]["Count"] == samples["raft.commitTime"]["Count"] == 2
    assert samples["raft.commitTime"]["Max"] == pytest.approx(4)


def test_a_follower_times_its_disk_under_another_name_and_counts_no_commands() -> None:
    told = Told()
    told.observe(ROLE, RoleChanged(FOLLOWER, 3, "b"))
    told.after(0, WRITE, Write(1, None, 8, entries(COMMAND)))
    told.after(0.002, SYNCED, 1)
    told.after(0, COMMIT, Committed(8, FOLLOWER, 3))
    view = told.view()
    assert view["counted"]["raft.apply"] == 0
    assert list(view["samples"]) == ["raft.rpc.appendEntries.storeLogs"]


def test_roles_are_counted_when_they_change() -> None:
    told = Told()
    for role in (FOLLOWER, FOLLOWER, PRE_CANDIDATE, CANDIDATE, LEADER, FOLLOWER):
        told.observe(ROLE, RoleChanged(role, 3, None))
    assert told.view()["counted"] == {
        "raft.apply": 0,
        "raft.state.candidate": 1,
        "raft.state.follower": 2,
        "raft.state.leader": 1,
        "raft.transition.heartbeat_timeout": 1,
    }


def test_a_leader_tells_how_long_ago_its_voters_were_heard(leader: Told) -> None:
    followers = [{"id": ADDRESSES[0], "last_contact_s": 0.05}, {"id": ADDRESSES[1], "last_contact_s": 9.0}]
    leader.metrics.collect(status_of(followers=followers))  # the second one has no vote
    assert leader.view()["samples"]["raft.leader.lastContact"]["Max"] == 50.0


def test_gauges_are_read_when_they_are_asked_for() -> None:
    gauges = Told().view(last_log_index=21, snapshot_index=4)["gauges"]
    assert (gauges["raft.lastIndex"], gauges["raft.appliedIndex"], gauges["state.snapshotIndex"]) == (21.0, 16.0, 4.0)
    assert (gauges["raft.peers"], gauges["nomad.agent.http.connections"]) == (2.0, 2.0)
    assert gauges["runtime.sys_bytes"] > 1 << 20
    gc.collect()
    assert Told().view()["gauges"]["runtime.total_gc_runs"] > gauges["runtime.total_gc_runs"]


def test_what_is_not_answered_is_bounded(leader: Told) -> None:
    for seq in range(2 * MAX_ON_THEIR_WAY):
        leader.after(0, WRITE, Write(seq, None, seq + 1, entries(COMMAND)))
    leader.after(0, SYNCED, 2 * MAX_ON_THEIR_WAY)
    view = leader.view()
    assert view["samples"]["raft.leader.dispatchLog"]["Count"] == MAX_ON_THEIR_WAY
    assert view["counted"]["raft.apply"] == 2 * MAX_ON_THEIR_WAY


def test_what_nobody_counts_is_let_go(leader: Told) -> None:
    before = leader.view()["counted"]
    leader.observe(APPLY, (1, entries(COMMAND)[0]))
    assert leader.view()["counted"] == before
    assert set(before) == set(COUNTERS)
