"""Faults of virtual time in scenarios: each has a witness, and one that nobody felt makes the run vacuous."""

from __future__ import annotations

from pathlib import Path

import pytest

from raftsim.cli.main import main
from raftsim.scenario.load import parse
from raftsim.scenario.play import only_simulated, play_simulated
from raftsim.scenario.report import INVALID, PASS, VACUOUS, VIOLATED, Report
from raftsim.scenario.stage import Line

HEAD = "name: x\nsteps:\n  - until: {leader: one}\n    as: first\n"


def ends(steps: str, tell: list[Line] | None = None) -> Report:
    return play_simulated(parse(HEAD + steps, "x.yaml"), 7, lambda line: None if tell is None else tell.append(line))


HEARTBEATS = "  - hold: {kind: heartbeat, from: first, to: follower:1, limit: 2}\n    as: h\n"

FELT = {
    "hold": HEARTBEATS + "  - until: {held: {h: 2}}\n  - duplicate: h\n  - deliver: h\n    count: 1\n  - drop: h\n",
    "cut": "  - link: {from: first, to: follower:1, cut: true}\n  - run: 1s\n  - heal: all\n",
    "loss": "  - link: {from: first, to: follower:1, loss: 50%}\n  - run: 2s\n",
    "duplicate": "  - link: {from: first, to: follower:1, duplicate: 50%}\n  - run: 2s\n",
    "delay": "  - link: {from: first, to: {others: first}, delay: {long_tail: [5ms, 50ms]}}\n  - run: 1s\n",
    "bandwidth": "  - link: {from: first, to: all, bandwidth: 100kbit, queue_bytes: 900}\n  - put: 50\n",
    "clog": "  - link: {from: first, to: follower:1, clog: 300ms}\n  - run: 1s\n",
    "partition": "  - partition: [[first], [{others: first}]]\n  - run: 1s\n  - heal: all\n",
    "stall": "  - disk: {node: follower:1, stall: 200ms}\n  - put: 3\n",
    "slow disk": "  - disk: {node: follower:1, slow: 100}\n  - put: 3\n",
    "fail": "  - disk: {node: follower:1, fail: write}\n  - put: 3\n    via: first\n  - run: 1s\n",
    "fill": "  - disk: {node: follower:1, fill: 0}\n    as: full\n  - put: {count: 1000, clients: 8}\n    via: first\n",
    "power": "  - disk: {node: follower:1, cut_power: 300}\n    as: dark\n  - put: 9\n    via: first\n"
    "  - restart: dark\n",
    "read-only": "  - disk: {node: follower:1, read_only: true}\n  - put: 3\n",
    "misdirect": "  - disk: {node: follower:1, misdirect: 4096}\n  - put: 3\n",
    "lie": "  - disk: {node: follower:1, lie: true}\n  - put: 3\n",
    "rot": "  - put: 3\n  - crash: follower:1\n    as: bad\n  - disk: {node: bad, rot: 200}\n"
    "  - restart: bad\n    starts: false\n",
    "clock": "  - clock: {node: follower:1, rate: 1.5, jump: 100ms}\n  - run: 1s\n",
    "wipe": "  - put: 3\n  - wipe: follower:1\n    as: gone\n  - restart: gone\n  - until: {voters: 2}\n"
    "  - until: {voters: 3, converged: true}\n",
    "pause": "  - pause: first\n    as: cold\n  - until: {leader: one, not: [cold]}\n  - resume: cold\n"
    "  - until: {converged: true}\n",
    "slow apply": "  - slow: {node: follower:1, apply: 10ms}\n  - put: 20\n  - until: {converged: true}\n",
}


@pytest.mark.parametrize("name", FELT)
def test_a_fault_that_is_felt(name: str) -> None:
    report = ends(FELT[name])
    assert report.verdict == PASS, report.reason


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ("  - hold: {kind: install}\n    as: h\n  - run: 1s\n", "hold h: no message was caught"),
        (HEARTBEATS + "  - deliver: h\n", "deliver h: nothing was held"),
        ("  - link: {from: n1, to: n2, cut: true}\n  - heal: all\n  - run: 1s\n", "no message felt it"),
        ("  - link: {from: n1, to: n1, delay: 5ms}\n  - run: 1s\n", "no message felt it"),
        ("  - partition: [[n1, n2, n3], [n3]]\n  - run: 1s\n", "no message was lost to it"),
        ("  - disk: {node: follower:1, stall: forever}\n  - run: 1s\n", "did not feel it"),
        ("  - disk: {node: n1, slow: 9}\n  - disk: {node: n1, mend: true}\n  - put: 9\n", "did not feel it"),
        ("  - disk: {node: all, fail: sync}\n", "did not feel it"),
        ("  - disk: {node: n1, read_only: true}\n", "did not feel it"),
        ("  - disk: {node: n1, misdirect: 512}\n", "did not feel it"),
        ("  - disk: {node: n1, cut_power: 999999}\n  - put: 1\n", "n1 did not feel it"),
        ("  - disk: {node: n1, rot: 100}\n  - run: 1s\n", "n1 did not feel it"),
        ("  - clock: {node: n1, jump: 5s}\n", "n1 did not look at it"),
        ("  - pause: n1\n  - resume: n1\n", "pause n1: n1 went on at once"),
        ("  - pause: n1\n  - pause: n1\n  - run: 1s\n", "pause n1: n1 was paused already"),
        ("  - slow: {node: n1, apply: 5ms}\n  - run: 1s\n", "n1 applied nothing"),
    ],
)
def test_a_fault_that_nobody_felt_makes_the_run_vacuous(steps: str, reason: str) -> None:
    report = ends(steps)
    assert report.verdict == VACUOUS
    assert reason in report.reason


def test_what_a_server_felt_before_it_crashed_counts() -> None:
    assert ends("  - clock: {node: n1, jump: 5s}\n  - run: 1s\n  - crash: n1\n").verdict == PASS


def test_a_disk_that_had_nothing_to_lose() -> None:
    report = play_simulated(parse("name: x\nsteps:\n  - wipe: n1\n", "x"), 1, lambda _: None)
    assert (report.verdict, report.reason) == (VACUOUS, "wipe n1: n1 had nothing to lose")


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        (HEARTBEATS + "  - until: {held: h}\n  - drop: h\n  - drop: h\n", "drop h: this hold has ended"),
        ("  - disk: {node: n1, rot: 99999999}\n", "no durable byte at 99999999 in n1/raft/wal/0000000001.wal"),
        ("  - clock: {node: follower:3, jump: 1s}\n", "finds no such server"),
    ],
)
def test_a_fault_that_can_not_be_set_makes_the_run_invalid(steps: str, reason: str) -> None:
    report = ends(steps)
    assert report.verdict == INVALID
    assert reason in report.reason


def test_a_server_that_must_not_start_and_one_that_can_not() -> None:
    healthy = ends("  - crash: follower:1\n    as: well\n  - restart: well\n    starts: false\n")
    assert healthy.verdict == VIOLATED
    assert "starts, and must not" in healthy.reason
    damaged = ends(FELT["rot"].replace("starts: false", "within: 1s"))
    assert (damaged.verdict, damaged.line) == (VIOLATED, 9)
    assert damaged.reason.startswith("restart bad: no answer within 1 s")


def test_reads_are_asked_at_their_times_and_counted() -> None:
    lines: list[Line] = []
    report = ends("  - put: 1\n  - get: {count: 100, every: 10ms}\n    via: first\n", lines)
    assert report.verdict == PASS, report.reason
    asked, told = lines[-2].time_s, lines[-1]
    assert told.text == "get 100 via first  100 answered"
    assert 0.99 < told.time_s - asked < 1.1
    alone = "  - put: 1\n  - isolate: first\n  - get: {count: 5, every: 1ms}\n    via: first\n    acked: 0\n"
    assert ends(alone).verdict == PASS
    wrong = ends(alone.replace("acked: 0", "within: 1s"))
    assert (wrong.verdict, wrong.line) == (VIOLATED, 7)
    assert wrong.reason.startswith("get 5: 0 answered, but acked must be == 5")


def test_healing_undoes_what_was_done_to_links() -> None:
    report = ends(
        "  - link: {from: first, to: all, loss: 100%}\n  - until: {leader: one, not: [first]}\n  - heal: all\n"
        "  - until: {converged: true}\n  - put: 5\n"
    )
    assert report.verdict == PASS, report.reason


def test_the_same_seed_is_the_same_run() -> None:
    steps = "".join(FELT[name] for name in ("hold", "loss", "clog", "bandwidth", "clock", "slow apply"))
    first, second = ends(steps), ends(steps)
    assert first.verdict == PASS, first.reason
    assert first.digest == second.digest


@pytest.mark.parametrize("name", FELT)
def test_none_of_them_is_begun_live(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenario = parse(HEAD + FELT[name], "x")
    needs = only_simulated(scenario)
    assert needs
    file = tmp_path / "x.yaml"
    file.write_text(HEAD + FELT[name])
    assert main(["run", str(file), "-live"]) == 2
    assert f"{', '.join(needs)} cannot be done with -live, only in virtual time" in capsys.readouterr().err
