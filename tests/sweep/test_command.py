"""`raftsim sweep` as it is typed."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from raftsim.cli.main import main
from raftsim.sweep.report import junit
from raftsim.sweep.result import FAILED, VACUOUS, Result
from raftsim.sweep.tally import Tally
from tests.sweep.test_spread import CRASH, SHORT

SCENARIO = str(Path(__file__).parents[2] / "scenarios" / "leader-crash.yaml")
VACUOUS_SCENARIO = """
name: nobody-there
steps:
  - crash: n1
  - crash: n1
"""
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RAFTSIM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_all_pass(home: Path, capsys: Capture) -> None:
    assert main(["sweep", SCENARIO, "-seeds=0..9", "-j=2"]) == 0
    out = capsys.readouterr().out
    assert "PASS  leader-crash: 10 of 10 seeds passed, 0 failed, 0 prove nothing" in out
    assert "never seen" in out
    assert [path.name for path in (home / "sweeps" / "leader-crash").iterdir()] == ["state.json"]


def test_json(capsys: Capture) -> None:
    assert main(["sweep", SCENARIO, "-seeds=3..4", "-j=1", "-json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["subject"], found["seeds"]) == ("raftsim.sweep/1", "leader-crash", [3, 4])
    assert (found["done"], found["passed"], found["failures"]) == (2, 2, [])
    assert found["seen"]
    assert set(found["seen"]).isdisjoint(found["never_seen"])


def test_one_seed_of_the_swarm_tells_what_was_drawn(capsys: Capture) -> None:
    assert main(["sweep", "swarm", "-seeds=9..9", "-j=1"]) == 0
    out = capsys.readouterr().out
    drawn = next(line for line in out.splitlines() if line.startswith("Drawn: "))
    assert json.loads(drawn.removeprefix("Drawn: "))["weather"]
    assert "Digest: " in out


def test_failures_have_a_line_to_see_them_again(tmp_path: Path, capsys: Capture) -> None:
    arguments = ["-executor=tests.sweep.planted:clumsy", f"-dir={tmp_path / 'x'}", f"-junit={tmp_path / 'j.xml'}"]
    assert main(["sweep", SCENARIO, "-seeds=4..6", *arguments]) == 1
    out = capsys.readouterr().out
    assert "FAIL  3 seeds: exception: RuntimeError: run # of # fell over" in out
    assert f"Replay: raftsim run {SCENARIO} -seed=4\n" in out
    assert sorted(path.name for path in (tmp_path / "x").glob("seed-*")) == [f"seed-{seed}.json" for seed in (4, 5, 6)]
    kept = json.loads((tmp_path / "x" / "seed-5.json").read_text())
    assert (kept["seed"], kept["verdict"], kept["judge"]) == (5, "failed", "exception")
    suite = ET.parse(tmp_path / "j.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), len(suite)) == ("3", "3", 3)


@pytest.mark.parametrize(("keep", "files"), [("all", 2), ("failures", 0), ("none", 0)])
def test_what_is_kept(keep: str, files: int, tmp_path: Path) -> None:
    assert main(["sweep", SCENARIO, "-seeds=0..1", "-j=1", f"-keep={keep}", f"-dir={tmp_path}"]) == 0
    assert len(list(tmp_path.glob("seed-*.json"))) == files


def test_an_interrupted_sweep_tells_what_it_found_and_goes_on(capsys: Capture) -> None:
    words = ["sweep", SCENARIO, "-seeds=0..11"]
    assert main([*words, "-executor=tests.sweep.planted:interrupted"]) == 130
    out = capsys.readouterr().out
    assert "STOPPED  leader-crash: 8 of 8 seeds passed" in out
    assert "4 not done; to go on, give the same command with -resume" in out
    assert main([*words, "-j=1", "-resume", "-json"]) == 0
    resumed = json.loads(capsys.readouterr().out)
    assert main([*words, "-j=1", "-json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    times = ("wall_s", "work_s")
    assert {key: resumed[key] for key in resumed if key not in times} == {
        key: whole[key] for key in whole if key not in times
    }


def test_nothing_to_resume(capsys: Capture) -> None:
    assert main(["sweep", SCENARIO, "-resume"]) == 2
    assert "nothing to resume" in capsys.readouterr().err
    assert main(["sweep", SCENARIO, "-seeds=1", "-j=1"]) == 0
    capsys.readouterr()
    assert main(["sweep", SCENARIO, "-seeds=2", "-resume"]) == 2
    assert "the state of another sweep, which differs in: seeds" in capsys.readouterr().err


def test_workers_that_die(capsys: Capture) -> None:
    assert main(["sweep", SCENARIO, "-seeds=0..3", "-executor=tests.sweep.planted:dying"]) == 4
    assert "the workers failed" in capsys.readouterr().err


def test_a_scenario_that_proves_nothing(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "nobody-there.yaml"
    file.write_text(VACUOUS_SCENARIO)
    assert main(["sweep", str(file), "-seeds=0..2", "-j=1"]) == 3
    assert "VACUOUS  3 seeds: vacuous: crash #: # was down already" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["swarm", "-seeds=5..4"], "the last must not be less than the first"),
        (["swarm", "-seeds=x"], "expected A..B"),
        (["swarm", "-seeds=0..1000000"], "at most 1,000,000 in one sweep"),
        (["swarm", "-seeds=0..99999999999999999999"], "expected A..B"),
        (["swarm", "-j=0"], "-j"),
        (["swarm", "-keep=some"], "-keep"),
        (["swarm", "-executor=none", "-seeds=1"], "-executor: none: neither"),
        (["no-such-scenario"], "cannot be read"),
        ([], "argument"),
    ],
)
def test_bad_input(words: list[str], error: str, capsys: Capture) -> None:
    assert main(["sweep", *words]) == 2
    assert error in capsys.readouterr().err


def test_junit_holds_whatever_a_text_holds() -> None:
    tally = Tally()
    tally.add(Result(0, "pass"))
    tally.add(Result(1, FAILED, "a <judge>", "b'\x00' & ]]> \x1b[31m \ud800"))
    tally.add(Result(2, VACUOUS, "linearizability", "unknown"))
    suite = ET.fromstring(junit(SHORT, tally, 1.5).encode())[0]
    assert [[child.tag for child in case] for case in suite] == [[], ["failure"], ["error"]]
    assert suite[1][0].get("type") == "a <judge>"
    assert "Replay: raftsim sweep swarm -seeds=1..1" in (suite[1][0].text or "")
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    assert CRASH.replay(7) == "raftsim run leader-crash.yaml -seed=7"
