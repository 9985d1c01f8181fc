"""What a run of the swarm did, written down, done again, and told as a scenario."""

from __future__ import annotations

from dataclasses import replace

import pytest

from raftsim.scenario.load import parse
from raftsim.scenario.report import DURABILITY, LIVENESS
from raftsim.shrink.bench import Bench
from raftsim.shrink.document import verb_of, write
from raftsim.shrink.play import play
from raftsim.shrink.recording import Act, Recording, record
from raftsim.shrink.replay import replay
from raftsim.shrink.shrinker import Budget, DoesNotFail, Shrinker
from raftsim.shrink.steps import scenario_of
from raftsim.shrink.storm import NotTold, Storm
from raftsim.swarm import run as swarm

STORM_S = 4.0
HEAD = {"name": "x", "cluster": {"nodes": 3, "raft_protocol": 3}}
WELL = Recording(HEAD, (), 1.0, "", "")


def told(seed: int, bench: Bench, runs: int) -> Shrinker:
    """The scenario that a failing run of the swarm ends as."""
    budget = Budget(runs)
    storm = Storm(bench.record(seed, STORM_S), seed, bench, budget, lambda _: None)
    storm.run()
    shrinker = Shrinker(*storm.scenario(), bench, budget, lambda _: None)
    shrinker.run()
    return shrinker


@pytest.mark.parametrize(
    ("seed", "mutant", "judge", "steps"),
    [
        (5, "count-own-unsynced", "commit quorum", 2),
        (0, "any-log-gets-the-vote", "up-to-date votes", 4),
        (9, "no-opening-entry", LIVENESS, 2),
    ],
)
def test_a_planted_mistake_that_the_swarm_finds_is_told_in_a_few_steps(
    seed: int, mutant: str, judge: str, steps: int
) -> None:
    bench = Bench(mutant)
    best = told(seed, bench, 60).best
    assert len(best.document["steps"]) <= steps, best.text
    again = bench.play(best.text, best.played.seed)
    assert again is not None
    assert again.judge == judge
    healthy = play(best.text, best.played.seed)
    assert healthy is not None
    assert healthy.judge != judge


def test_a_recording_has_all_that_a_run_is_made_of_and_changes_nothing() -> None:
    recordings = [record(seed, 4.0) for seed in range(9)]
    verbs = {act.verb for recording in recordings for act in recording.acts}
    assert verbs >= {"crash", "restart", "heal", "cut", "disk", "mend", "pause", "resume", "put", "get", "change"}
    assert {recording.judge for recording in recordings} == {""}
    assert [recording.end_s for recording in recordings[:3]] == [swarm.play(seed, 4.0).virtual_s for seed in range(3)]
    for recording in recordings:
        assert list(recording.acts) == sorted(recording.acts, key=lambda act: act.time_s)
        done = replay(recording.head, recording.acts[:50], 1, "").acts
        assert parse(write(scenario_of(recording.head, done, "")), "x")


def test_what_comes_to_nothing_is_not_done() -> None:
    acts = [
        Act(1.0, "restart", ("n1",)),
        Act(1.0, "resume", ("n1",)),
        Act(1.0, "heal"),
        Act(1.0, "cut", (("n1", "n4"),)),
        Act(1.0, "crash", ("n4",)),
        Act(1.0, "add", ("n4",)),
        Act(1.0, "transfer", ("n1", "")),
        Act(1.0, "change", ("n1", (("voter", "n4"),))),
        Act(1.5, "crash", ("n1",)),
        Act(1.5, "crash", ("n1",)),
        Act(1.5, "pause", ("n1",)),
        Act(1.5, "put", ("n1",)),
        Act(2.0, "wipe", ("n2",)),
    ]
    found = replay(HEAD, acts, 1, "commit quorum")
    assert (found.judge, found.acts) == ("", (acts[8],))


def test_every_act_has_its_steps() -> None:
    acts = [
        Act(0.5, "cut", (("n1", "n2"), ("n1", "n3"), ("n2", "n1"), ("n3", "n1"))),
        Act(0.5, "cut", (("n2", "n3"),)),
        Act(0.75, "disk", ("n2", "stall", float("inf"))),
        Act(0.75, "disk", ("n3", "cut_power", 30)),
        Act(0.75, "mend", ("n1", "n3", "n4")),
        Act(0.75, "mend", ("n1", "n2", "n3", "n4")),
        Act(0.75, "put", ("n2",)),
        Act(0.75, "put", ("n2",)),
        Act(0.75, "get", ("n2",)),
        Act(0.75, "clock", ("n1", 1.125)),
        Act(1.0, "transfer", ("n1", "n2")),
        Act(1.0, "change", ("n1", (("learner", "n2"),))),
        Act(1.0, "pause", ("n1",)),
    ]
    document = scenario_of(HEAD, acts, LIVENESS)
    assert document["steps"] == [
        {"run": "500ms"},
        {"partition": [["n1"], ["n2", "n3"]]},
        {"link": {"from": "n2", "to": "n3", "cut": True}},
        {"run": "250ms"},
        {"disk": {"node": "n2", "stall": "forever"}},
        {"disk": {"node": "n3", "cut_power": 30}},
        {"disk": {"node": "n1", "mend": True}},
        {"disk": {"node": "n3", "mend": True}},
        {"disk": {"node": "all", "mend": True}},
        {"put": {"count": 2, "clients": 2}, "via": "n2", "wait": False},
        {"get": {"count": 1, "every": "1s"}, "via": "n2", "wait": False},
        {"clock": {"node": "n1", "rate": 1.125}},
        {"run": "250ms"},
        {"transfer": "n2", "via": "n1", "wait": False},
        {"change": {"n2": "non-voter"}, "via": "n1", "wait": False},
        {"pause": "n1"},
        {"until": {"converged": True}, "within": "60s"},
    ]
    assert "expect" not in document
    assert scenario_of(HEAD, [], DURABILITY)["expect"] == [{"acked": "present"}]
    assert [verb_of(step) for step in scenario_of(HEAD, [], "log matching")["steps"]] == ["run"]
    assert parse(write(document), "x")


def test_before_it_is_asked_how_a_cluster_is_in_the_end_all_is_mended() -> None:
    acts = [Act(1.0, "crash", ("n1",)), Act(1.0, "pause", ("n2",))]
    found = replay(HEAD, acts, 1, LIVENESS)
    assert found.judge == ""
    assert [act.verb for act in found.acts[2:]] == ["mend", "restart", "resume"]


@pytest.mark.parametrize(
    ("recording", "text"),
    [
        (replace(WELL, judge="fresh reads"), "needs the judge 'fresh reads', which scenarios do not have"),
        (
            replace(WELL, judge="log matching", acts=(Act(0.1, "add", ("n4",)),)),
            "needs servers that are added while it runs",
        ),
        (
            replace(WELL, judge="log matching"),
            "'log matching' finds nothing when the same is done again, with 50 seeds",
        ),
    ],
)
def test_why_a_run_cannot_be_told(recording: Recording, text: str) -> None:
    with pytest.raises(NotTold, match=text):
        Storm(recording, 1, Bench(), Budget(100), lambda _: None)


def test_a_run_that_ends_well_is_not_shrunk() -> None:
    with pytest.raises(DoesNotFail, match=r"nothing is violated in the swarm's run of seed 1"):
        Storm(WELL, 1, Bench(), Budget(1), lambda _: None)
