"""What operators do in scenarios: leadership handed over and memberships changed, waited for or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from raftsim.cli.main import main
from raftsim.scenario.load import parse
from raftsim.scenario.play import only_simulated, play_simulated
from raftsim.scenario.report import EXPECTATION, INVALID, LIVENESS, PASS, VIOLATED, Report

HEAD = "name: x\nsteps:\n  - until: {converged: true}\n"
CHANGES = """\
  - transfer: n1
  - until: {leader: n1}
  - change: {n2: non-voter, n3: remove}
  - until: {voters: 1}
  - change: {n2: voter}
  - until: {voters: 2}
  - change: {n3: non-voter}
    via: n2
  - until: {converged: true}
  - change: {n3: voter}
  - until: {voters: 3, converged: true}
"""


def ends(steps: str) -> Report:
    return play_simulated(parse(HEAD + steps, "x.yaml"), 7, lambda _: None)


@pytest.mark.parametrize("protocol", [2, 3])
def test_leadership_is_handed_over_and_members_change(protocol: int) -> None:
    text = f"cluster: {{raft_protocol: {protocol}}}\n{HEAD}{CHANGES}"
    report = play_simulated(parse(text, "x.yaml"), 7, lambda _: None)
    assert report.verdict == PASS, report.reason


def test_a_server_that_was_removed_is_asked_nothing_by_lot() -> None:
    report = ends("  - change: {n1: remove, n2: remove}\n  - put: 20\n  - until: {voters: 1}\n")
    assert report.verdict == PASS, report.reason


@pytest.mark.parametrize(
    ("step", "verdict", "judge", "reason"),
    [
        (
            "change: {n1: remove, n2: remove, n3: remove}",
            VIOLATED,
            EXPECTATION,
            "was not done: invalid no voter would remain",
        ),
        ("transfer: dead", VIOLATED, EXPECTATION, "transfer dead via n1 was not done: not taken "),
        ("transfer: n1\n    via: dead", VIOLATED, EXPECTATION, "was not done: unreachable"),
        ("change: {dead: voter}\n    via: dead\n    wait: false", PASS, "", ""),
        ("transfer: dead\n    within: 1ms", VIOLATED, LIVENESS, "transfer dead via n1 was not answered within 0.001 s"),
        ("resume: n1", INVALID, "", "'n1' finds no such server"),
    ],
)
def test_what_is_not_done(step: str, verdict: str, judge: str, reason: str) -> None:
    report = ends(f"  - crash: follower:1\n    as: dead\n  - until: {{leader: one}}\n  - {step}\n")
    assert (report.verdict, report.judge) == (verdict, judge), report.reason
    assert reason in report.reason


def test_what_disks_are_like() -> None:
    slow = play_simulated(parse(f"disks: {{sync: [90ms, 90ms]}}\n{HEAD}  - put: 10\n", "x"), 7, lambda _: None)
    fast = ends("  - put: 10\n")
    assert slow.verdict == fast.verdict == PASS
    assert (slow.virtual_s or 0) > (fast.virtual_s or 0) + 10 * 0.09
    in_bytes = parse(f"disks: {{form: bytes, save: [1s, 2s]}}\n{HEAD}  - run: 1s\n", "x")
    assert (in_bytes.disks.model.form, in_bytes.disks.model.save_max_s) == ("bytes", 2.0)
    assert only_simulated(in_bytes) == ["disks.form", "disks.save"]


@pytest.mark.live
def test_the_same_against_real_processes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "changes.yaml"
    file.write_text(HEAD + CHANGES)
    assert main(["run", str(file), "-live"]) == 0, capsys.readouterr().out
