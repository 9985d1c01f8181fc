"""`raftsim advise`: what it prints, whom it asks, and that it refuses nonsense. The advice itself: tests/advice."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from raftsim.agent.schema import check_value
from raftsim.cli.main import main
from tests.advice.test_inputs import NEVER, status, times
from tests.cli.stub import Stub

PATH = "/v1/raftsim/status"
FEW = ("-trials=50", "-j=1")


def measured(**changes: Any) -> dict[str, Any]:
    return status(times(30, 1, 2, 3, 4, 5), times(30, 1, 2, 3, 4, 250), times(30, 1, 2, 4, 8, 9)) | changes


def test_the_table_has_one_recommended_row_and_its_keys_can_be_copied(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advise", "-latency=10ms..20ms", "-pause=0s", *FEW]) == 0
    printed = capsys.readouterr().out
    (best,) = re.findall(r"^\* +([\d,]+) ms to ([\d,]+) ms +([\d.]+) ms", printed, re.MULTILINE)
    keys = json.loads("{" + printed[printed.index('"raftsim"') :] + "}")["raftsim"]
    found = [check_value("test", f"raftsim.{key}", value) for key, value in keys.items()]
    assert found == pytest.approx([float(number) / 1000 for number in best])
    assert f"Recommended: {best[0]} ms to {best[1]} ms, heartbeats every {best[2]} ms: the shortest" in printed
    assert "3 servers, 1 failed; one way 10 ms to 20 ms, on average 15 ms; a write 0 ms" in printed


def test_json_is_the_same_however_many_processes_work(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["advise", "-latency=10ms", "-write=1ms..3ms", "-servers=5", "-failed=2", "-trials=60", "-json"]
    assert main([*words, "-j=1"]) == 0
    first = capsys.readouterr().out
    assert main([*words, "-j=2"]) == 0
    assert capsys.readouterr().out == first
    found = json.loads(first)
    assert (found["Servers"], found["Failed"], found["MeasuredBy"], found["Trials"]) == (5, 2, None, 60)
    assert found["Write"] == {"Min": 0.001, "Max": 0.003}
    (best,) = (row for row in found["Rows"] if row["Recommended"])
    told = found["Configuration"]["raftsim"]["election_timeout_min"]
    assert check_value("test", "raftsim.election_timeout_min", told) == pytest.approx(best["TimeoutMin"])


def test_the_leader_is_asked_and_what_it_measured_is_used(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    stub.on("GET", f"{PATH}?leader=true", measured())
    assert main(["advise", f"-address={stub.address}", "-json", *FEW]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["MeasuredBy"], found["Servers"]) == ("n1.global", 3)
    assert found["Latency"]["Fast"] == 0.0005
    assert found["Latency"]["Slow"] == 0.004
    assert found["Write"] == {"Min": 0.001, "Max": 0.003}
    assert found["Pause"] == 0.25, "nothing took longer, and it must not cost a leader its role"


def test_what_is_said_comes_before_what_was_measured(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    stub.on("GET", f"{PATH}?leader=true", measured())
    words = ["-servers=5", "-write=7ms", "-pause=10ms"]
    assert main(["advise", f"-address={stub.address}", "-json", *words, *FEW]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["Servers"], found["Write"], found["Pause"]) == (5, {"Min": 0.007, "Max": 0.007}, 0.01)


def test_with_a_latency_nobody_is_asked(stub: Stub) -> None:
    assert main(["advise", f"-address={stub.address}", "-latency=1ms", *FEW]) == 0
    assert stub.requests == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (measured(configuration={"servers": [{"voter": True}]}), "the only server with a vote"),
        (status(NEVER, times(3, 1, 2, 3, 4, 5), NEVER), "has measured 3 round trips; 20 to one follower are needed"),
        ({}, "not the status of a raftsim server"),
        ([], "not what Nomad's API says"),
    ],
)
def test_what_cannot_be_measured(
    stub: Stub, answer: object, told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("raftsim.cli.advise.PATIENCE_S", -1.0)
    stub.on("GET", f"{PATH}?leader=true", answer)
    assert main(["advise", f"-address={stub.address}"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("Error measuring the cluster: ")
    assert told in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-latency=0ms"], "No advice: a latency must be more than nothing"),
        (["-latency=fast"], "No advice: the latency is not a duration such as 500ms or 1m30s: 'fast'"),
        (["-latency=1ms", "-write=2s"], "No advice: a write of more than 1 s is no write to plan for"),
        (["-latency=1ms", "-pause=soon"], "No advice: the pause is not a duration such as 500ms or 1m30s: 'soon'"),
        (["-latency=1ms", "-servers=1"], "No advice: advice is for 2 to 25 servers, not for 1"),
        (["-latency=1ms", "-failed=2"], "No advice: with 2 of 3 servers failed, nobody can be elected"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advise", *words]) == 2
    assert capsys.readouterr() == ("", f"{told}\n")


@pytest.mark.parametrize("words", [["-trials=1"], ["-servers=many"], ["-j=0"], ["now"]])
def test_bad_options_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advise", "-latency=1ms", *words]) == 2
    assert capsys.readouterr().err
