"""`raftsim run -trace`, and the commands that read what it leaves."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from raftsim.cli.main import main
from raftsim.mutants import planted
from raftsim.scenario import sim_target
from raftsim.scenario.play import play_simulated
from raftsim.sim.delays import Uniform
from raftsim.sim.network import NetworkModel
from raftsim.sim.world import World
from raftsim.trace.events import OUTCOME, REQUEST

ROOT = Path(__file__).parents[2]
CRASH = str(ROOT / "scenarios" / "leader-crash.yaml")
FORMATS = ("shiviz", "perfetto", "edn", "porcupine", "etcd-tla")


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("traces") / "crash.jsonl.gz")
    assert main(["run", CRASH, "-seed=5", "-trace", path, "-json"]) == 0
    return path


def test_a_trace_does_not_change_the_run(crash: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", CRASH, "-seed=5", "-json"]) == 0
    report = json.loads(capsys.readouterr().out)
    ending = json.loads(gzip.decompress(Path(crash).read_bytes()).splitlines()[-1])
    assert (ending["digest"], ending["verdict"]) == (report["digest"], report["verdict"])
    assert main(["run", CRASH, "-seed=5", f"-trace={tmp_path}/no/such"]) == 1
    assert f"raftsim: [Errno 2] No such file or directory: '{tmp_path}/no/such'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([CRASH, "-live"], "-trace is of virtual time: with -live nobody sees every event"),
        ([CRASH, CRASH], "-trace takes one scenario at a time"),
    ],
)
def test_no_trace_is_begun(args: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *args, f"-trace={tmp_path}/t"]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_trace_runs_again_without_its_scenario(crash: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", crash]) == 0
    assert re.fullmatch(r"SAME    leader-crash \(seed 5\): pass, digest [0-9a-f]{32}\n", capsys.readouterr().out)


def test_a_run_that_is_not_the_same_any_more(
    crash: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slower = NetworkModel(Uniform(0.001, 0.003))
    monkeypatch.setattr(sim_target, "World", lambda *args, **given: World(*args, **(given | {"network": slower})))
    assert main(["replay", crash]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "DIFFERS leader-crash (seed 5): the first event that is not the same"
    assert re.match(r"recorded +0\.5\d\ds +\d+  n\d ", lines[1])
    assert re.match(r"now +0\.5\d\ds +\d+  n\d ", lines[2])
    assert lines[3].startswith("The trace was made by raftsim ")


def test_a_run_that_ends_too_early_or_too_late(
    crash: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    *lines, end = gzip.decompress(Path(crash).read_bytes()).splitlines(keepends=True)
    shorter = tmp_path / "shorter.jsonl"
    ending = json.loads(end) | {"events": len(lines) - 2}
    shorter.write_bytes(b"".join(lines[:-1]) + json.dumps(ending).encode() + b"\n")
    assert main(["replay", str(shorter)]) == 1
    assert "recorded the run has ended" in capsys.readouterr().out
    monkeypatch.setattr(planted, "player", lambda _: lambda *args: play_simulated(*args[:3]))
    assert main(["replay", crash]) == 1
    assert "now      the run has ended" in capsys.readouterr().out


def test_the_story(crash: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", crash]) == 0
    first, *lines, last = capsys.readouterr().out.splitlines()
    assert first == f"{CRASH} (seed 5)"
    assert re.fullmatch(r"[\d,]+ events; pass", last)
    told = [line[19:] for line in lines]
    for text in ("is the leader in term 1", "is the leader in term 2", "a hand on the world: crash n"):
        assert sum(text in line for line in told) == 1
    assert [line for line in told if re.fullmatch(r"n\d has committed up to 100, as leader of term 2", line)]


def test_the_causes_of_an_event(crash: str, capsys: pytest.CaptureFixture[str]) -> None:
    records = [json.loads(line) for line in gzip.decompress(Path(crash).read_bytes()).splitlines()[1:-1]]
    first = next(record for record in records if record["kind"] == REQUEST)["fields"][0]
    answer = next(record for record in records if record["kind"] == OUTCOME and record["fields"][0] == first)
    assert main(["explain", crash, str(answer["seq"])]) == 0
    lines = capsys.readouterr().out.splitlines()
    words = [
        "answers ok",
        "applies entry 3",
        "has committed up to 3",
        "its answer",
        "its answer",
        "on its disk",
        "writes to its disk",
        "receives from",
        "sends",
        "is asked: a command",
    ]
    assert [word for word, line in zip(words, lines, strict=False) if word not in line] == []
    assert lines[-1].strip() == "a client, or an operator, wanted that"
    seqs = [int(line.split()[1]) for line in lines[:-1]]
    assert seqs == sorted(seqs, reverse=True)


def test_two_traces(crash: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same, other = tmp_path / "same.jsonl", tmp_path / "other.jsonl"
    assert main(["run", CRASH, "-seed=5", f"-trace={same}", "-json"]) == 0
    lines = same.read_text().splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines) if '"kind":"commit"' in line and '"role":"leader","term":2' in line)
    index = json.loads(lines[number])["fields"]["index"]
    lines[number] = lines[number].replace(f'"index":{index}', '"index":4999')
    other.write_text("".join(lines))
    capsys.readouterr()
    assert main(["diff", crash, str(same)]) == 0
    assert re.fullmatch(r"SAME    all [\d,]+ events are the same\n", capsys.readouterr().out)
    assert main(["diff", crash, str(other)]) == 1
    found = capsys.readouterr().out.splitlines()
    assert found[0] == f"DIFFERS in event {number}. Before it, in both:"
    assert [int(line.split()[1]) for line in found[1:4]] == [number - 3, number - 2, number - 1]
    half = found.index(f"In {other} (seed 5):")
    assert found[4] == f"In {crash} (seed 5):"
    assert f"has committed up to {index}" in found[5]
    assert "has committed up to 4999" in found[half + 1]
    assert found[6:half] == found[half + 2 :]
    assert half > 8


def test_one_trace_that_ends_before_the_other(crash: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    *lines, end = gzip.decompress(Path(crash).read_bytes()).splitlines(keepends=True)
    shorter = tmp_path / "shorter.jsonl"
    ending = json.loads(end) | {"events": len(lines) - 2}
    shorter.write_bytes(b"".join(lines[:-1]) + json.dumps(ending).encode() + b"\n")
    assert main(["diff", crash, str(shorter)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "the trace has ended"


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_goes_to_the_terminal_or_to_a_file(
    form: str, crash: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", form, crash]) == 0
    printed = capsys.readouterr().out
    assert printed.count("\n") > 100
    assert main(["export", form, crash, f"-out={tmp_path}/out"]) == 0
    assert (tmp_path / "out").read_text() == printed
    assert not capsys.readouterr().out


def test_a_format_there_is_not(crash: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "pdf", crash]) == 2
    assert f'There is no format "pdf". There are: {", ".join(FORMATS)}' in capsys.readouterr().err


@pytest.mark.parametrize("args", [["replay"], ["explain"], ["diff"], *(["export", form] for form in FORMATS)])
def test_a_bad_file_is_one_line(
    args: list[str], crash: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.jsonl.gz"
    bad.write_bytes(Path(crash).read_bytes()[:-20])
    files = [str(bad)] if args != ["diff"] else [crash, str(bad)]
    out = tmp_path / "out"
    more = [f"-out={out}"] if args[0] == "export" else []
    assert main([*args, *files, *more]) == 2
    printed, err = capsys.readouterr()
    assert not printed
    assert re.fullmatch(rf"{re.escape(str(bad))}:\d+: error: the file ends here, before the trace does\n", err)
    assert not out.exists()


def test_an_event_there_is_not(crash: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", crash, "9999999"]) == 2
    assert "there is no event 9999999" in capsys.readouterr().err
    assert main(["explain", crash, "0"]) == 2
    assert "0 is not in the range" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scenario": "name: x\nsteps: 3\n"}, "error: "),
        ({"servers": {"n1": "somewhere"}}, "error: these are not the servers of its scenario"),
    ],
)
def test_a_header_that_was_changed(
    change: dict[str, object], message: str, crash: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *rest = gzip.decompress(Path(crash).read_bytes()).splitlines(keepends=True)
    changed = tmp_path / "changed.jsonl"
    changed.write_bytes(json.dumps(json.loads(first) | change).encode() + b"\n" + b"".join(rest))
    assert main(["replay", str(changed)]) == 2
    assert message in capsys.readouterr().err
