"""Section 5.4: who may be elected, what may be committed, and that nothing committed is ever lost."""

from __future__ import annotations

import pytest

from raftsim.core.config import of
from raftsim.core.messages import Append, Vote, VoteReply
from raftsim.core.output import LEADER
from raftsim.core.settings import Settings
from tests.core.harness import PLAIN, Cluster, Host, log_of, terms_of

UP_TO_DATE = [  # the voter's log after the configuration at 1, the candidate's (last index, last term), granted
    ([1, 1, 1], (4, 1), True),
    ([1, 1, 1], (5, 1), True),
    ([1, 1, 1], (3, 1), False),
    ([1, 1, 1], (2, 2), True),  # 5.4.1: the later term wins, however short the log
    ([1, 2], (9, 1), False),  # and the longer log with the earlier term loses
    ([1, 2], (3, 2), True),
    ([1, 2], (2, 3), True),
    ([], (1, 0), True),
    ([], (0, 0), False),
]


@pytest.mark.parametrize(("terms", "last", "granted"), UP_TO_DATE)
@pytest.mark.parametrize("pre", [False, True])
def test_a_vote_goes_only_to_a_log_that_is_up_to_date(
    terms: list[int], last: tuple[int, int], granted: bool, pre: bool
) -> None:
    """Compared by length alone, a stale server won and cut off committed entries; part by part, nobody won."""
    host = Host("a", log_of(of("a", "b", "c"), *terms), settings=PLAIN)
    host.receive(Vote(7, "b", "a", *last, pre=pre))
    assert host.only(VoteReply).granted is granted


# Figure 8. The paper's index 2 is index 2 here too: the configuration stands at 1, and the entry that a leader writes
# first is the one that opens its term.


def figure_8() -> Cluster:
    """Up to (c): S1 leads term 4, its entry of term 2 is on S1, S2 and S3, which is a majority."""
    one_at_a_time = Settings(pre_vote=False, stickiness=False, check_quorum=False, max_append_entries=1)
    cluster = Cluster("s1", "s2", "s3", "s4", "s5", settings=one_at_a_time, term=1)

    def elect(id: str, term: int, *voters: str) -> None:
        while cluster.raft(id).term < term:
            cluster.net.clear()
            cluster[id].time_out()
        cluster.deliver(lambda message: isinstance(message, Vote) and message.dst in voters)
        cluster.deliver(lambda message: isinstance(message, VoteReply))
        assert (cluster.raft(id).role, cluster.raft(id).term) == (LEADER, term)
        cluster.net = [message for message in cluster.collect() if isinstance(message, Append)]

    elect("s1", 2, "s2", "s3")  # (a) the entry of term 2 reaches s2 only
    cluster.deliver(lambda message: message.dst == "s2")
    elect("s5", 3, "s3", "s4")  # (b) s1 is down; s5 has an entry of its own, which reaches nobody
    cluster["s1"].restart()
    cluster.down = {"s5"}  # (c) s1 is back and goes on replicating
    elect("s1", 4, "s2", "s3")
    while terms_of(cluster.raft("s3")) != [0, 2]:
        assert cluster.deliver(lambda message: message.dst in ("s1", "s3"))
    cluster["s1"].time_out()  # a heartbeat, to hear that s2 still has the entry of term 2
    cluster.deliver(lambda message: message.dst == "s2" and isinstance(message, Append) and not message.entries)
    return cluster


def test_figure_8_c_an_entry_of_an_older_term_is_not_committed_by_counting() -> None:
    """Three of five hold the entry of term 2 and the leader knows it; counted, it was committed, and then, as in (d),
    overwritten."""
    cluster = figure_8()
    cluster.deliver(lambda message: message.dst == "s1")
    progress = cluster.raft("s1").progress
    assert [progress[id].match for id in ("s2", "s3")] == [2, 2]
    assert cluster.raft("s1").commit == 0


def test_figure_8_d_it_may_still_be_overwritten() -> None:
    cluster = figure_8()
    cluster.net.clear()
    cluster.down = {"s1"}
    s5 = cluster["s5"]
    s5.restart()
    while s5.raft.role != LEADER:
        s5.time_out()
        cluster.run()
    cluster.down.clear()
    for _ in range(3):
        cluster.beat("s5")
    for id in cluster.hosts:
        assert terms_of(cluster.raft(id)) == [0, 3, s5.raft.term], id
        assert [entry.term for entry in cluster[id].applied[:2]] == [0, 3], id


def test_figure_8_e_an_entry_of_the_own_term_commits_all_before_it() -> None:
    cluster = figure_8()
    while cluster.deliver(lambda message: {message.src, message.dst} <= {"s1", "s2", "s3"}):
        pass
    assert terms_of(cluster.raft("s1")) == [0, 2, 4]
    assert cluster.raft("s1").commit == 3
    cluster.down = {"s1"}
    s5 = cluster["s5"]
    s5.restart()
    for _ in range(6):
        s5.time_out()
        cluster.run()
    assert s5.raft.role != LEADER
