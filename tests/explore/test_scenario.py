"""The way to a violation as a scenario: with the mistake it leads there, without it it passes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from raftsim.check.commit_quorum import CommitQuorum
from raftsim.check.durability import Durability
from raftsim.check.election_safety import ElectionSafety
from raftsim.check.judges import Judges
from raftsim.check.leader_completeness import LeaderCompleteness
from raftsim.cli.main import main
from raftsim.core.messages import Vote
from raftsim.core.raft import Raft
from raftsim.explore.bounds import Bounds
from raftsim.explore.properties import Violation
from raftsim.explore.reach import Mapper
from raftsim.explore.scenario import CannotBeTold, as_scenario
from raftsim.explore.search import Explorer
from raftsim.explore.servers import TIMEOUT
from raftsim.explore.world import DELIVER, Action, World, Worlds
from raftsim.scenario.load import load, parse
from raftsim.scenario.play import play_simulated
from raftsim.scenario.report import PASS, VIOLATED, Report
from tests.explore.planted import (
    PLANTED,
    Plant,
    any_log_will_do,
    figure_8,
    refusals_ignored,
    vote_forgotten,
    vote_kept_into_later_terms,
    vote_not_durable,
    votes_counted_not_voters,
)

JUDGES: dict[str, type[Any]] = {  # what the explorer calls it -> who judges the same of a trace
    "commit of the own term": CommitQuorum,
    "election safety": ElectionSafety,
    "leader completeness": LeaderCompleteness,
}
FIRST: dict[Plant, str] = {  # of all judges together: many see the cause before the effect
    figure_8: "commit quorum",
    vote_not_durable: "durable before send",
    vote_forgotten: "one vote per term",
    any_log_will_do: "up-to-date votes",
    votes_counted_not_voters: "voters only",
}


def told(bounds: dict[str, Any]) -> str:
    explorer = Explorer(Bounds(**bounds))
    result = explorer.run()
    assert result.violation is not None
    return as_scenario(explorer.worlds, result.story, result.violation)


def play(text: str, seed: int = 7) -> Report:
    return play_simulated(parse(text, "x.yaml"), seed, lambda _: None)


@pytest.mark.parametrize(("plant", "bounds", "invariant"), PLANTED)
def test_it_leads_to_the_same_violation_and_passes_without_the_mistake(
    plant: Plant, bounds: dict[str, Any], invariant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        plant(patch)
        text = told(bounds)
        found = play(text)
        assert (found.verdict, found.reason.split(",")[0]) == (VIOLATED, f"invariant {FIRST[plant]}")
        patch.setattr("raftsim.sim.world.Judges", partial(Judges, invariants=(JUDGES[invariant], Durability)))
        found = play(text)
        assert (found.verdict, found.reason.split(",")[0]) == (VIOLATED, f"invariant {JUDGES[invariant].name}")
    for seed in range(3):
        assert play(text, seed).verdict == PASS


@pytest.mark.parametrize(
    ("plant", "bounds", "condition"),
    [
        (vote_kept_into_later_terms, {"terms": 2, "entries": 0, "crashes": 0}, "{leader: one}"),
        (refusals_ignored, {"terms": 2, "entries": 0, "crashes": 1, "nodes": 2}, "{converged: true}"),
    ],
)
def test_a_dead_end_is_one_in_the_simulator_too(
    plant: Plant, bounds: dict[str, Any], condition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        plant(patch)
        mapper = Mapper(Bounds(**bounds))
        result = mapper.run()
        assert result.violation is not None
        assert mapper.goal is not None
        text = as_scenario(mapper.worlds, result.story, result.violation, mapper.goal.condition)
        found = play(text)
        assert (found.verdict, found.reason.split(" ran out")[0]) == (VIOLATED, f"until {condition}")
    assert play(text).verdict == PASS


@pytest.mark.parametrize(("plant", "bounds", "invariant"), PLANTED[:1])
def test_the_command_writes_plays_and_says_where_it_leads(
    plant: Plant,
    bounds: dict[str, Any],
    invariant: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plant(monkeypatch)
    file = tmp_path / "found.yaml"
    options = [f"-{name}={value}" for name, value in bounds.items()]
    assert main(["explore", *options, f"-scenario={file}"]) == 1
    printed, err = capsys.readouterr()
    assert f"VIOLATED  {invariant}: " in printed
    assert err.startswith(f"{file} was written. Played: invariant commit quorum, ")
    assert load(str(file)).violates == invariant
    assert main(["run", str(file), "-seed=3"]) == 1
    assert "FAIL" in capsys.readouterr().out


def test_without_a_violation_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "found.yaml"
    assert main(["explore", "-terms=1", "-entries=0", "-reachable", f"-scenario={file}"]) == 0
    assert "always          a leader can still be elected" in capsys.readouterr().out
    assert not file.exists()


def test_a_file_that_cannot_be_written_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vote_forgotten(monkeypatch)
    assert main(["explore", "-terms=1", "-entries=0", f"-scenario={tmp_path}"]) == 1
    assert capsys.readouterr().err == f"{tmp_path}: error: cannot be written: Is a directory\n"


def test_what_cannot_be_told_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Raft, "lead", lambda *_: 1 // 0)
    assert main(["explore", "-nodes=1", "-terms=1", "-entries=0", f"-scenario={tmp_path}/x.yaml"]) == 1
    message = "a cluster of one server elects itself at once: its timers cannot be told in a scenario"
    assert capsys.readouterr().err == f"No scenario was written: {message}.\n"
    assert not list(tmp_path.iterdir())


def hand_made(*actions: Callable[[Worlds, World], Action], **bounds: Any) -> str:
    """The scenario of a way that is chosen by hand."""
    worlds = Worlds(Bounds(**bounds))
    story, world = [], worlds.first()
    for choose in actions:
        action = choose(worlds, world)
        story.append((world, action))
        after = worlds.after(world, action)
        assert isinstance(after, World)
        world = after
    return as_scenario(worlds, story, Violation("election safety", ""))


def times_out(place: int) -> Callable[[Worlds, World], Action]:
    return lambda worlds, world: next(
        action for action in worlds.actions(world) if (action.kind, action.place) == (TIMEOUT, place)
    )


def receives(kind: type[Any], term: int) -> Callable[[Worlds, World], Action]:
    def choose(worlds: Worlds, world: World) -> Action:
        for action in worlds.actions(world):
            message = worlds.table.messages[action.message] if action.kind == DELIVER else None
            if isinstance(message, kind) and message.term == term:
                return action
        raise AssertionError("there is no such message")

    return choose


def test_a_link_of_two_messages_gives_the_oldest_or_the_newest() -> None:
    newest = hand_made(times_out(0), times_out(0), receives(Vote, 2), receives(Vote, 1), nodes=2, terms=2, inflight=2)
    assert newest.count("which: newest") == 1
    assert play(newest).verdict == PASS


def test_one_in_the_middle_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Worlds, "_is_spent", lambda *_: False)
    way = [times_out(0)] * 3 + [receives(Vote, 2), receives(Vote, 1), receives(Vote, 3)]
    with pytest.raises(CannotBeTold, match="of the messages that wait from n1 to n2, one in the middle is next"):
        hand_made(*way, nodes=2, terms=3, inflight=3)
