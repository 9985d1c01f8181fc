"""Section 5.2, who may stand and who may vote: non-voters never campaign, and everybody votes who is asked."""

from __future__ import annotations

import pytest

from raftsim.core.config import LEARNER, Change, of, simple
from raftsim.core.messages import Vote, VoteReply
from raftsim.core.output import FOLLOWER
from raftsim.core.settings import Settings
from tests.core.harness import PLAIN, Host, log_of

THREE = of("a", "b", "c")
SETTINGS = Settings()
PRE_VOTE = Settings(stickiness=False, check_quorum=False)


LISTENING = simple(THREE, [Change(LEARNER, "d", "d")])


@pytest.mark.parametrize("settings", [PLAIN, SETTINGS])
@pytest.mark.parametrize("id", ["d", "stranger"])
def test_only_a_voter_campaigns(id: str, settings: Settings) -> None:
    """A non-voter that campaigned could win in a configuration that never gave it a vote."""
    host = Host(id, log_of(LISTENING), settings=settings)
    for _ in range(5):
        host.time_out()
    assert (host.raft.role, host.raft.term, host.take()) == (FOLLOWER, 0, [])


def test_a_server_without_a_log_waits_to_be_invited() -> None:
    host = Host("a", [])
    host.time_out()
    assert (host.raft.role, host.raft.term, host.take()) == (FOLLOWER, 0, [])


@pytest.mark.parametrize("pre", [True, False])
def test_who_believes_itself_no_voter_votes_all_the_same(pre: bool) -> None:
    """A server that was promoted while it was behind refused its vote, and the cluster that needed it stood still."""
    host = Host("d", log_of(LISTENING), settings=PRE_VOTE)
    host.receive(Vote(3, "a", "d", 5, 2, pre=pre))
    assert host.only(VoteReply).granted
