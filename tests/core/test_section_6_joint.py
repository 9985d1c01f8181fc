"""Section 6, joint consensus (dissertation 4.3): joint configurations are made elsewhere, and honoured here."""

from __future__ import annotations

import pytest

from raftsim.core.config import enter_joint, of
from raftsim.core.entry import CONFIG, Entry, HardState
from raftsim.core.errors import CHANGE_IN_FLIGHT
from raftsim.core.messages import AppendReply, Vote, VoteReply
from raftsim.core.output import CANDIDATE, LEADER
from raftsim.core.settings import Settings
from tests.core.harness import PLAIN, Host, log_of
from tests.core.members import add, listen, rejection, remove

THREE = of("a", "b", "c")


JOINT = enter_joint(THREE, [remove("b"), remove("c"), add("d"), add("e")])  # (a d e) and (a b c)


def in_joint(settings: Settings = PLAIN) -> Host:
    return Host("a", [*log_of(THREE), Entry(1, CONFIG, JOINT)], hard=HardState(1), settings=settings)


@pytest.mark.parametrize(
    ("voters", "role"), [("de", CANDIDATE), ("bc", CANDIDATE), ("b", CANDIDATE), ("bd", LEADER), ("ce", LEADER)]
)
def test_an_election_in_a_joint_configuration_is_won_in_both_halves(voters: str, role: str) -> None:
    """With one half counted alone, the old and the new voters could each elect a leader of the same term."""
    host = in_joint()
    host.time_out()
    assert sorted(vote.dst for vote in host.took(Vote)) == ["b", "c", "d", "e"]
    for voter in voters:
        host.receive(VoteReply(2, voter, "a", granted=True))
    assert host.raft.role == role


@pytest.mark.parametrize(("holders", "commit"), [("de", 0), ("bc", 0), ("bd", 3), ("ce", 3)])
def test_an_entry_in_a_joint_configuration_is_committed_by_both_halves(holders: str, commit: int) -> None:
    host = in_joint()
    host.time_out()
    for voter in "bd":
        host.receive(VoteReply(2, voter, "a", granted=True))
    for holder in holders:
        host.receive(AppendReply(2, holder, "a", ok=True, index=3))
    assert host.raft.commit == commit


def test_nothing_else_is_changed_before_a_joint_configuration_is_left() -> None:
    host = in_joint()
    host.time_out()
    for voter in "bd":
        host.receive(VoteReply(2, voter, "a", granted=True))
    assert rejection(host, listen("f")) == CHANGE_IN_FLIGHT
    host.receive(AppendReply(2, "d", "a", ok=True, index=3), AppendReply(2, "b", "a", ok=True, index=3))
    assert (host.raft.commit, host.raft.config.joint) == (3, False)  # left as soon as it was committed
    assert rejection(host, listen("f")) == CHANGE_IN_FLIGHT
    host.receive(AppendReply(2, "d", "a", ok=True, index=4))
    assert rejection(host, add("a")) != CHANGE_IN_FLIGHT
