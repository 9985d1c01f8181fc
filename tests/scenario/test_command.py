"""`raftsim run`: its exit codes, its output, its determinism, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from raftsim.cli.main import main

ROOT = Path(__file__).parents[2]
CRASH = str(ROOT / "scenarios" / "leader-crash.yaml")

PASSES = "name: passes\nsteps:\n  - until: {leader: one}\n"
VIOLATED = "name: violated\nsteps:\n  - until: {term: '> 90'}\n    within: 1s\n"
VACUOUS = "name: vacuous\nsteps:\n  - heal: all\n"
SIMULATED = "name: simulated\ncluster: {prevote: false}\nnetwork: {loss: 1%}\nsteps:\n  - run: 1s\n"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of scenarios, below the working directory."""
    folder = tmp_path / "scenarios"
    folder.mkdir()
    for text in (PASSES, VIOLATED, VACUOUS, SIMULATED):
        (folder / f"{text.split()[1]}.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    return folder


def run_json(*args: str, hash_seed: str) -> dict[str, Any]:
    env = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-m", "raftsim", "run", *args, "-json"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=60)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    "name", ["leader-crash", "leader-isolated", "remove-dead-peer", "remove-leader", "figure-8", "power-cut", "bridge"]
)
def test_a_seed_repeats_a_run_exactly_in_any_process(name: str) -> None:
    path = str(ROOT / "scenarios" / f"{name}.yaml")
    one, two = (run_json(path, "-seed=42", hash_seed=seed) for seed in ("1", "2"))
    other = run_json(path, "-seed=43", hash_seed="1")
    for report in (one, two, other):
        assert report.pop("wall_s") > 0
    assert one == two
    assert one["digest"] != other["digest"]
    assert one == {
        "schema": "raftsim.run/1",
        "name": name,
        "file": path,
        "verdict": "pass",
        "reason": "",
        "judge": "",
        "line": 0,
        "seed": 42,
        "digest": one["digest"],
        "events": one["events"],
        "virtual_s": one["virtual_s"],
    }
    assert len(one["digest"]) == 32
    assert one["events"] > 100
    assert one["virtual_s"] > 0.5


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["passes"], 0),
        (["violated"], 1),
        (["vacuous"], 3),
        (["passes", "vacuous"], 3),
        (["vacuous", "violated", "passes"], 1),
        (["passes", "nonexistent"], 2),
    ],
)
def test_the_exit_code_is_that_of_the_worst(
    names: list[str], code: int, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert files.is_dir()
    assert main(["run", *names]) == code
    out = capsys.readouterr().out
    assert out.count("Replay: ") == (0 if code == 2 else len(names))


def test_the_account_of_a_run(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "violated", "-seed=5"]) == 1
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].endswith("(seed 5, virtual time)")
    assert lines[1] == "    0.000s  3 servers started"
    assert any(line.endswith("LEADER term 1") for line in lines)
    assert lines[-3].startswith("FAIL  scenarios/violated.yaml:3: until {term: > 90} ran out after 1 s; there is: n1 ")
    assert lines[-2].startswith("      0 expectations, 1 election, no writes, ")
    assert lines[-1] == "Replay: raftsim run scenarios/violated.yaml -seed=5"
    assert not err

    assert main(["run", f"{files}/passes.yaml", "scenarios/vacuous.yaml"]) == 3
    summary = capsys.readouterr().out.splitlines()[-2:]
    assert summary == [f"PASS    {files}/passes.yaml", "VACUOUS scenarios/vacuous.yaml"]


def test_a_seed_is_drawn_and_told(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seeds = set()
    for _ in range(2):
        assert main(["run", f"{files}/passes.yaml", "-json"]) == 0
        seeds.add(json.loads(capsys.readouterr().out)["seed"])
    assert len(seeds) == 2


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "This command takes at least one argument"),
        (["passes", "-sed=1"], "flag provided but not defined: -sed (did you mean -seed?)"),
        (["passes", "-seed=x"], "'x' is not a valid integer range"),
        (["passes", "-seed=-1"], "-1 is not in the range"),
        (["passes", "-slack=2"], "-slack needs -live: virtual time is never slow"),
        (["passes", "-live", "-slack=0.5"], "0.5 is not in the range"),
        (
            ["passes", "simulated", "-live"],
            "scenarios/simulated.yaml: error: network.loss, cluster.prevote: false cannot be done with -live",
        ),
    ],
)
def test_what_is_refused_before_anything_runs(
    args: list[str], message: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert files.is_dir()
    assert main(["run", *args]) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert not out


@pytest.mark.live
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_live_run_that_is_stopped_leaves_nothing_behind(number: signal.Signals, code: int, tmp_path: Path) -> None:
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    scenario = tmp_path / "long.yaml"
    scenario.write_text("name: long\nsteps:\n  - until: {leader: one}\n    within: 30s\n  - run: 60m\n")
    command = [sys.executable, "-m", "raftsim", "run", str(scenario), "-live"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.endswith("run 3600 s\n"):
                    break
            (directory,) = tmp_path.glob("raftsim-run-*")
            servers = [int(path.read_text().split()[0]) for path in directory.glob("cluster/*/pid")]
            process.send_signal(number)
            assert process.wait(30) == code
        finally:
            process.kill()
    assert len(servers) == 3
    assert not list(tmp_path.glob("raftsim-run-*"))
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in servers) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not [pid for pid in servers if Path(f"/proc/{pid}").exists()]
