"""`raftsim mutants`, and `-mutant` of the commands that play."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from raftsim.cli.main import main
from raftsim.mutants.catalogue import CATALOGUE
from tests.cli.terminal import run

ID = "commit-prior-term"


def test_all_are_listed_without_being_run() -> None:
    done = run("mutants", "-list", "-json")
    assert [row["Mutant"] for row in json.loads(done.out)] == list(CATALOGUE)


def test_a_trap_is_run_and_its_story_told() -> None:
    done = run("mutants", ID)
    assert done.code == 0
    assert done.out.startswith(f"{ID} (B24): an entry of an older term committed by counting\n")
    assert "Source: Raft section 5.4.2" in done.out
    assert done.out.endswith("PASS  1 of 1\n")


def test_a_search_finds_it_and_nothing_else() -> None:
    done = run("mutants", "any-log-gets-the-vote", "-search", "-storm=5s", "-repetitions=3", "-correct=4", "-json")
    assert done.code == 0
    found, correct = json.loads(done.out)
    assert (found["Finds"], found["Judges"]) == (3, {"up-to-date votes": 3})
    assert found["From"] <= found["Mean"] < found["To"]
    assert (correct["Mutant"], correct["Seeds"], correct["Finds"], correct["Mean"]) == ("none", 4, 0, None)


def test_what_a_search_does_not_find_is_said() -> None:
    done = run("mutants", "any-log-gets-the-vote", "-search", "-storm=100ms", "-seeds=1..2", "-correct=0", "-markdown")
    assert done.code == 1
    assert done.out.splitlines()[2].startswith("| any-log-gets-the-vote | B07 | 2 | 0 | - | - | ")


def test_a_scenario_with_a_planted_bug_fails_and_so_does_its_replay(tmp_path: Path) -> None:
    trace = str(tmp_path / "trace.gz")
    done = run("run", "figure-8", "-seed=3", f"-mutant={ID}", f"-trace={trace}")
    assert done.code == 1
    assert "invariant commit quorum" in done.out
    assert done.out.endswith(f"Replay: raftsim run scenarios/figure-8.yaml -seed=3 -mutant={ID}\n")
    again = run("replay", trace)
    assert (again.code, again.out[:44]) == (0, f"SAME    figure-8 (seed 3, mutant {ID})"[:44])


def test_a_sweep_with_a_planted_bug_says_how_to_see_it_again(tmp_path: Path) -> None:
    swarm = ("sweep", "swarm", "-storm=5s", "-mutant=any-log-gets-the-vote")
    done = run(*swarm, "-seeds=0..7", "-j=1", f"-dir={tmp_path}")
    assert done.code == 1
    replay = next(line for line in done.out.splitlines() if "Replay: " in line).partition("Replay: raftsim ")[2]
    assert replay.endswith("-storm=5s -mutant=any-log-gets-the-vote")
    again = run(*replay.split(), f"-dir={tmp_path}")
    assert again.code == 1
    assert "up-to-date votes" in again.out


def test_a_search_that_is_interrupted_tells_what_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(futures: dict[Future[Any], str]) -> Iterator[Future[Any]]:
        yield next(future for future, id in futures.items() if id == ID)
        raise KeyboardInterrupt

    monkeypatch.setattr("concurrent.futures.as_completed", interrupted)
    assert main(["mutants", ID, "any-log-gets-the-vote", "-j=1"]) == 130
    assert capsys.readouterr().out.splitlines()[-3].startswith(ID)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("mutants no-such", "there is no mutant 'no-such'"),
        ("run figure-8 -mutant=comit-prior-term", "did you mean commit-prior-term?"),
        ("run leader-crash -live -mutant=commit-prior-term", "-mutant is of virtual time"),
        ("sweep swarm -mutant=x", "there is no mutant 'x'"),
        ("sweep swarm -storm=1", "-storm: not a duration"),
        ("sweep swarm -storm=2h", "-storm: must be more than 0s and at most 3600s"),
        ("sweep figure-8 -storm=1s", "-storm is of the swarm"),
        ("mutants -list -search", "leave out -search"),
        ("mutants -list -json -markdown", "one form at a time"),
    ],
)
def test_bad_options(line: str, message: str) -> None:
    done = run(*line.split())
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_a_trace_of_a_mutant_that_nobody_knows(tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    run("run", "figure-8", "-seed=3", f"-mutant={ID}", f"-trace={trace}")
    trace.write_text(trace.read_text().replace(f'"mutant":"{ID}"', '"mutant":"x\\u001b"'))
    done = run("replay", str(trace))
    assert (done.code, done.out) == (2, "")
    assert "is not known to this version" in done.err
    assert "\x1b" not in done.err
