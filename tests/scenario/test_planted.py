"""A scenario of a trap falls into it when the matching mistake is planted, and says which invariant was broken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from raftsim.core import election
from raftsim.core import raft as raft_module
from raftsim.core.election import _count
from raftsim.core.messages import VoteReply
from raftsim.core.output import CANDIDATE
from raftsim.core.raft import Raft
from raftsim.scenario.load import load
from raftsim.scenario.play import only_simulated, play_simulated
from raftsim.scenario.report import VIOLATED
from raftsim.storage.segment import Image
from tests.bugs.scenes_of_elections import a_write_never_hangs
from tests.bugs.scenes_of_reads import lease_from_the_answer_on_without_a_bound
from tests.bugs.scenes_of_replication import any_append_truncates
from tests.bugs.scenes_of_wiped import whoever_begins_is_a_founder, whoever_has_the_name_has_the_vote
from tests.sim.planted import Patch, Plant
from tests.sim.test_crash_points import torn_tail_refused
from tests.sim.test_planted_bugs import (
    b01_promises_leave_before_they_are_durable,
    b24_entries_of_older_terms_committed_by_counting,
    b38_leader_counts_what_is_not_on_its_disk,
)
from tests.sim.test_planted_changes import state_restored_in_part

FOLDER = Path(__file__).parents[2] / "scenarios"
SEEDS = 8


def b04_grants_of_an_older_term_counted(patch: Patch) -> None:
    def count(raft: Raft, message: VoteReply, now: float) -> None:
        if not message.pre and raft.role == CANDIDATE:
            raft.votes[message.src] = message.granted
            _count(raft, now)
        else:
            on_vote_reply(raft, message, now)

    on_vote_reply: Any = raft_module.HANDLERS[VoteReply]
    patch.setitem(raft_module.HANDLERS, VoteReply, count)


def b42_damage_taken_for_a_torn_tail(patch: Patch) -> None:
    patch.setattr(Image, "frame_begun_later", lambda _: False)


def b16_leader_without_a_quorum_stays(patch: Patch) -> None:
    patch.setattr(election, "committed_index", lambda *_: float("inf"))


TRAPS: list[tuple[str, Plant, str]] = [
    ("figure-8", b24_entries_of_older_terms_committed_by_counting, "invariant commit quorum"),
    ("delayed-append", any_append_truncates, "invariant "),
    ("stale-vote-reply", b04_grants_of_an_older_term_counted, "invariant voters only"),
    ("disk-stall-leader", a_write_never_hangs, "until {leader: one, not: [old]} ran out"),
    ("power-cut", b01_promises_leave_before_they_are_durable, "invariant durable before send"),
    ("power-cut", b38_leader_counts_what_is_not_on_its_disk, "invariant committed is durable"),
    ("power-cut", torn_tail_refused, "restart "),
    ("bit-rot", b42_damage_taken_for_a_torn_tail, "invariant restored as written"),
    ("clock-drift", lease_from_the_answer_on_without_a_bound, "invariant read index"),
    ("wiped-server", whoever_has_the_name_has_the_vote, "invariant leader completeness"),
    ("wiped-server", whoever_begins_is_a_founder, "invariant leader completeness"),
    ("slow-follower-snapshot", state_restored_in_part, "the acknowledged write "),
    ("bridge", b16_leader_without_a_quorum_stays, "until {leader: one, not: [n1]} ran out"),
]


@pytest.mark.parametrize(
    ("name", "plant", "reason"), TRAPS, ids=[f"{name}-{plant.__name__}" for name, plant, _ in TRAPS]
)
def test_a_scenario_finds_the_mistake_it_is_about(name: str, plant: Plant, reason: str, monkeypatch: Patch) -> None:
    scenario = load(str(FOLDER / f"{name}.yaml"))
    plant(monkeypatch)
    reports = [play_simulated(scenario, seed, lambda _: None) for seed in range(SEEDS)]
    found = [report.reason for report in reports if report.verdict == VIOLATED]
    assert found
    assert found[0].startswith(reason), found[0]


def test_every_scenario_of_a_trap_is_tried() -> None:
    """Those that no real cluster can be made to play are there for a mistake."""
    needs = {path.stem for path in FOLDER.glob("*.yaml") if only_simulated(load(str(path)))}
    assert needs == {name for name, *_ in TRAPS}
