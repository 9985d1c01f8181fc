"""A scenario of a trap falls into it when the matching bug is planted, and says which judge found it."""

from __future__ import annotations

from pathlib import Path

import pytest

from raftsim.mutants.planted import player
from raftsim.scenario.load import load
from raftsim.scenario.play import only_simulated
from raftsim.scenario.report import DURABILITY, LIVENESS, VIOLATED

FOLDER = Path(__file__).parents[2] / "scenarios"
SEEDS = 8

TRAPS = [
    ("figure-8", "commit-prior-term", "commit quorum"),
    ("delayed-append", "any-append-cuts", "committed is immutable"),
    ("stale-vote-reply", "late-grants-counted", "voters only"),
    ("disk-stall-leader", "leader-with-stuck-disk-stays", LIVENESS),
    ("power-cut", "promise-before-sync", "durable before send"),
    ("power-cut", "count-own-unsynced", "committed is durable"),
    ("power-cut", "torn-taken-for-damage", LIVENESS),
    ("bit-rot", "damage-taken-for-torn", "restored as written"),
    ("clock-drift", "lease-from-the-answer", "read index"),
    ("wiped-server", "wiped-server-votes", "leader completeness"),
    ("wiped-server", "wiped-server-founds", "leader completeness"),
    ("slow-follower-snapshot", "state-restored-in-part", DURABILITY),
    ("bridge", "leader-without-quorum-stays", LIVENESS),
]


@pytest.mark.parametrize(("name", "mutant", "judge"), TRAPS, ids=[f"{name}-{mutant}" for name, mutant, _ in TRAPS])
def test_a_scenario_finds_the_bug_it_is_about(name: str, mutant: str, judge: str) -> None:
    scenario = load(str(FOLDER / f"{name}.yaml"))
    reports = [player(mutant)(scenario, seed, lambda _: None) for seed in range(SEEDS)]
    found = [(report.judge, report.reason) for report in reports if report.verdict == VIOLATED]
    assert found
    assert found[0][0] == judge, found[0]


def test_every_scenario_of_a_trap_is_tried() -> None:
    """Those that no real cluster can be made to play are there for a bug."""
    needs = {path.stem for path in FOLDER.glob("*.yaml") if only_simulated(load(str(path)))}
    assert needs == {name for name, *_ in TRAPS}
