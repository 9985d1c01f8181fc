"""How a run ends: pass, violated, invalid or vacuous, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

import pytest

from raftsim.node.requests import OK, Outcome
from raftsim.scenario import play, runner
from raftsim.scenario.load import parse
from raftsim.scenario.play import play_live, play_simulated
from raftsim.scenario.report import DURABILITY, INVALID, PASS, UNREACHABLE, VACUOUS, VIOLATED, Report
from raftsim.scenario.sim_target import SimTarget
from raftsim.scenario.stage import Line
from raftsim.scenario.target import Ask, InvariantBroken, ReadVariable, TargetError, Ticket
from raftsim.scenario.view import Status

HEAD = "name: x\nsteps:\n  - until: {leader: one}\n    as: first\n"


def ends(steps: str, seed: int = 7) -> Report:
    return play_simulated(parse(HEAD + steps, "x.yaml"), seed, lambda _: None)


@pytest.mark.parametrize(
    ("steps", "verdict", "line", "reason"),
    [
        ("  - put: 3\n", PASS, 0, ""),
        # violated
        (
            "  - until: {leader: none}\n    within: 2s\n",
            VIOLATED,
            5,
            "until {leader: none} ran out after 2 s; there is",
        ),
        ("  - check: {term: '> 90'}\n", VIOLATED, 5, "check {term: > 90} does not hold; there is: n1 "),
        ("  - put: 3\nexpect: {leader: none}\n", VIOLATED, 6, "expect {leader: none} does not hold"),
        (
            "  - put: 3\n    wait: false\n  - run: 2s\n    throughout: [{leader: one}, {committed: unchanged}]\n",
            VIOLATED,
            7,
            "throughout {committed: unchanged} does not hold any more",
        ),
        ("  - put: 3\n    acked: '< 3'\n", VIOLATED, 5, "put 3: 3 writes: 3 acknowledged, but acked must be < 3"),
        (
            "  - crash: {others: first}\n  - put: 3\n    via: first\n    within: 100ms\n",
            VIOLATED,
            6,
            "put 3: 3 writes: 1 unknown, 2 not sent (no answer in time), but acked must be == 3",
        ),
        (
            "  - crash: follower:1\n    as: dead\n  - remove: dead\n  - remove: dead\n",
            VIOLATED,
            8,
            "was refused: not found",
        ),
        (
            "  - crash: {others: first}\n  - remove: n1\n    via: first\n    within: 50ms\n",
            VIOLATED,
            6,
            "n1 was not removed within 0.05 s",
        ),
        # invalid
        ("  - crash: follower:3\n", INVALID, 5, "'follower:3' finds no such server; there is: n1"),
        ("  - restart: all\n", INVALID, 5, "'all' finds no such server"),
        ("  - restart: first\n", INVALID, 5, "'first' finds no such server"),
        ("  - crash: all\n  - put: 1\n", INVALID, 6, "'any' finds no such server; there is: n1 down; n2 down; n3 down"),
        (
            "  - crash: all\n  - run: 1s\n    throughout: {term: unchanged}\n",
            INVALID,
            6,
            "throughout {term: unchanged} has nothing to begin with",
        ),
        ("  - check: {acked: present}\n", INVALID, 5, "no write was acknowledged"),
        # vacuous
        ("  - crash: n2\n  - crash: n2\n", VACUOUS, 0, "crash n2: n2 was down already"),
        ("  - isolate: leader\n", VACUOUS, 0, "isolate n"),
        ("  - isolate: leader\n  - heal: all\n  - run: 1s\n", VACUOUS, 0, ": no message was lost to the cut"),
        ("  - heal: all\n", VACUOUS, 0, "heal all: no server was isolated"),
        # a violation outranks it
        ("  - heal: all\n  - check: {leader: none}\n", VIOLATED, 6, "check {leader: none} does not hold"),
    ],
)
def test_verdicts(steps: str, verdict: str, line: int, reason: str) -> None:
    report = ends(steps)
    assert (report.verdict, report.line) == (verdict, line)
    assert reason in report.reason


def test_a_cut_that_lost_a_message_is_a_witness() -> None:
    assert ends("  - isolate: leader\n  - run: 1s\n  - heal: all\n").verdict == PASS


def test_writes_in_the_background_are_read_back_whatever_became_of_them() -> None:
    report = ends(
        "  - put: {count: 40, clients: 4, keys: 8}\n    wait: false\n  - until: {committed: '>= 10'}\n"
        "  - crash: leader\n    as: old\n  - until: {leader: one, not: [old]}\n  - check: {acked: present}\n"
    )
    assert report.verdict == PASS
    assert report.writes.total() == 40
    assert 0 < report.writes["unknown"] < report.writes[OK]


class Forgetful(SimTarget):
    """A cluster that has lost one variable."""

    def submit(self, name: str, ask: Ask) -> Ticket:
        if isinstance(ask, ReadVariable) and ask.path.endswith("key-1"):
            return Done()
        return super().submit(name, ask)


class Done:
    outcome = Outcome(OK, {"variable": None})


def test_an_acknowledged_write_that_is_lost_is_a_violation() -> None:
    scenario = parse(HEAD + "  - put: 3\n  - check: {acked: present}\n", "x.yaml")
    report = runner.run(scenario, Forgetful(scenario, 1), 1, lambda _: None)
    assert report.verdict == VIOLATED
    assert "the acknowledged write scenario/put-1/key-1 = 1-1 is lost: it reads nothing" in report.reason
    assert report.judge == DURABILITY


class Broken(SimTarget):
    """A cluster whose judges object as soon as there is a leader."""

    def statuses(self) -> Mapping[str, Status | None]:
        if self.now() > 2:
            raise InvariantBroken("election safety", "election safety, at 2.0 s: two leaders in term 1")
        return super().statuses()


def test_a_broken_invariant_is_a_violation() -> None:
    scenario = parse(HEAD + "  - run: 5s\n", "x.yaml")
    report = runner.run(scenario, Broken(scenario, 1), 1, lambda _: None)
    assert (report.verdict, report.line, report.judge) == (VIOLATED, 5, "election safety")
    assert report.reason == "invariant election safety, at 2.0 s: two leaders in term 1"


def test_a_cluster_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> NoReturn:
        raise TargetError("n1 did not start: no space left on device")

    monkeypatch.setattr("raftsim.scenario.live_target.live_target", refuses)
    report = play_live(parse(HEAD, "x.yaml"), 1, 1.0, lambda _: None)
    assert (report.verdict, report.reason) == (UNREACHABLE, "n1 did not start: no space left on device")


def test_the_account_names_who_was_meant() -> None:
    lines: list[Line] = []
    text = HEAD + "  - isolate: leader\n    as: old\n  - until: {leader: one, not: [old]}\n    as: new\n  - heal: all\n"
    report = play_simulated(parse(text, "x.yaml"), 7, lines.append)
    told = [line.text for line in lines]
    (old,) = {text.split()[0] for text in told if text.endswith("LEADER term 1")}
    (new,) = {text.split()[0] for text in told if text.endswith("LEADER term 2")}
    assert old != new
    assert f"isolate leader = {old} (as old)" in told
    assert f"until {{leader: one, not: [old]}}  ok: {new} (as new)" in told
    assert f"heal all = {old}" in told
    assert [line.time_s for line in lines] == sorted(line.time_s for line in lines)
    assert report.elections == 2


def test_what_only_virtual_time_can_do() -> None:
    text = "name: x\ncluster: {prevote: false}\nnetwork: {delay: 1ms, loss: 0}\nsteps:\n  - crash: n1\n"
    assert play.only_simulated(parse(text, "x")) == ["network.delay", "network.loss", "cluster.prevote: false"]


LEFT = "name: x\nviolates: something\nsteps:\n  - until: {leader: one}\n    as: first\n"


def test_who_leaves_the_way_to_a_violation_passes() -> None:
    """Nothing was held, nobody is down: neither makes the run vacuous or invalid."""
    said: list[Line] = []
    steps = "  - hold: {kind: install}\n    as: some\n  - deliver: some\n    count: 1\n  - restart: first\n"
    report = play_simulated(parse(LEFT + steps, "x.yaml"), 7, said.append)
    assert (report.verdict, report.reason) == (PASS, "")
    assert [line.text for line in said if line.text.startswith("left out: 'first' finds no such server")]
    assert ends(steps).verdict == INVALID


def test_what_is_violated_on_the_way_is_violated() -> None:
    report = play_simulated(parse(LEFT + "  - check: {term: '> 90'}\n", "x.yaml"), 7, lambda _: None)
    assert report.verdict == VIOLATED
