"""`raftsim shrink`: what it prints and writes, its exit codes, and Ctrl-C."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from raftsim.cli.main import main
from raftsim.scenario.load import load, parse
from raftsim.scenario.play import play_simulated
from raftsim.shrink import play as playing
from raftsim.shrink.document import read
from raftsim.shrink.play import Played
from tests.cli.terminal import run

Patch = pytest.MonkeyPatch
MUTANT = "count-own-unsynced"
TOO_MUCH = """
name: too-much
about: A new leader is there at once, or so we hope.
steps:
  - until: {leader: one}
    within: 5s
  - put: {count: 20, clients: 3}
  - isolate: follower
  - run: 500ms
  - heal: all
  - crash: leader
  - run: 1ms
expect:
  - {leader: one}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: Patch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "too-much.yaml"
    path.write_text(TOO_MUCH)
    return path


def test_the_file_that_is_written_fails_by_the_same_judge(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shrink", file.name, "-seed=3", "-o", "small.yaml"]) == 0
    out, err = capsys.readouterr()
    assert not err
    lines = out.splitlines()
    assert lines[0].startswith("SHRUNK  7 steps to 3, in ")
    assert lines[1].startswith("        expectation: expect {leader: one} does not hold; there is: ")
    assert lines[2] == "        20 of 20 seeds fail so"
    assert lines[3] == "Replay: raftsim run small.yaml -seed=3"
    small = load("small.yaml")
    assert small.name == "too-much-shrunk"
    assert [next(iter(step)) for step in read(small.text)["steps"]] == ["until", "crash", "run"]
    comment = [line for line in small.text.splitlines() if line.startswith("#")]
    assert comment[0].startswith("# Fails by the judge 'expectation': expect {leader: one} does not hold; there is: ")
    assert any("s  crash leader = n" in line for line in comment)
    assert comment[-2:] == ["# 20 of the seeds 0 to 19 fail so.", "# Replay: raftsim run small.yaml -seed=3"]
    assert main(["run", "small.yaml", "-seed=3"]) == 1
    assert main(["shrink", "small.yaml", "-seed=3"]) == 0
    again, summary = capsys.readouterr()
    assert "name: too-much-shrunk\n" in again
    assert summary.startswith("SHRUNK  3 steps to 3, in ")


def test_as_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shrink", file.name, "-seed=3", "-json"]) == 0
    found = json.loads(capsys.readouterr().out)
    text = found.pop("scenario")
    assert play_simulated(parse(text, "x"), 3, lambda _: None).judge == "expectation"
    assert found.pop("reason").startswith("expect {leader: one} does not hold")
    assert found.pop("runs") > 10
    assert found == {
        "schema": "raftsim.shrink/1",
        "file": "too-much-shrunk.yaml",
        "judge": "expectation",
        "seed": 3,
        "mutant": "",
        "steps": 3,
        "complete": True,
        "seeds": 20,
        "seeds_failing": 20,
    }


def test_the_same_input_gives_the_same_file_in_any_process(file: Path) -> None:
    texts = []
    for hash_seed in ("1", "2"):
        command = [sys.executable, "-m", "raftsim", "shrink", file.name, "-seed=3"]
        env = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=60)
        texts.append(done.stdout)
    assert texts[0] == texts[1]


def test_what_is_left_when_the_budget_is_spent_or_at_ctrl_c(
    file: Path, monkeypatch: Patch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shrink", file.name, "-seed=3", "-budget=2", "-o", "some.yaml"]) == 0
    assert capsys.readouterr().out.startswith("SPENT  7 steps to ")

    left, play = 4, playing.play

    def interrupted(text: str, seed: int) -> Played | None:
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt
        return play(text, seed)

    monkeypatch.setattr(playing, "play", interrupted)
    assert main(["shrink", file.name, "-seed=3", "-o", "some.yaml"]) == 130
    out = capsys.readouterr().out
    assert out.startswith("STOPPED  7 steps to ")
    assert "seeds fail so" not in out + Path("some.yaml").read_text()
    assert main(["run", "some.yaml", "-seed=3"]) == 1


def test_what_a_sweep_with_a_planted_bug_finds_is_shrunk_as_it_says(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.chdir(tmp_path)
    swept = run("sweep", "swarm", "-seeds=5..5", "-storm=4s", f"-mutant={MUTANT}", "-j=1", f"-dir={tmp_path}")
    line = next(line for line in swept.out.splitlines() if "Shrink: " in line).partition("Shrink: raftsim ")[2]
    assert line == f"shrink swarm -seed=5 -storm=4s -mutant={MUTANT}"
    assert run(*line.split(), "-budget=60", "-o", "small.yaml").code == 0
    text = Path("small.yaml").read_text()
    assert text.startswith(f"# Fails with the planted bug {MUTANT} by the judge 'commit quorum': ")
    replay = next(line for line in text.splitlines() if "Replay: " in line).partition("Replay: raftsim ")[2]
    assert replay.endswith(f" -mutant={MUTANT}")
    again = run(*replay.split())
    assert again.code == 1
    assert "invariant commit quorum" in again.out


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["too-much.yaml"], 2, "Missing option -seed"),
        (["none.yaml", "-seed=1"], 2, "none.yaml:1:1: error: cannot be read"),
        (["too-much.yaml", "-seed=1", "-budget=0"], 2, "0 is not in the range"),
        (
            ["too-much.yaml", "-seed=1", "-budget=1", "-o", "no/such/folder"],
            2,
            "-o: no/such/folder cannot be written: ",
        ),
        (["too-much.yaml", "-seed=1", "-storm=5s"], 2, "-storm is of the swarm"),
        (["swarm", "-seed=1", "-mutant=no-such"], 2, "there is no mutant 'no-such'"),
        (
            ["too-much.yaml", "-seed=3", "-mutant=commit-prior-term"],
            3,
            "too-much.yaml: 'expectation' is violated with seed 3 without commit-prior-term too",
        ),
        (["well.yaml", "-seed=5"], 3, "well.yaml: nothing is violated with seed 5"),
        (["swarm", "-seed=0", "-storm=1s"], 3, "swarm: nothing is violated in the swarm's run of seed 0"),
    ],
)
def test_what_cannot_be_shrunk(
    args: list[str], code: int, message: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.with_name("well.yaml").write_text("name: well\nsteps:\n  - until: {leader: one}\n")
    assert main(["shrink", *args]) == code
    out, err = capsys.readouterr()
    assert message in err
    assert not out
