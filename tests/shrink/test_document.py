"""Scenarios as data and back: the text that is written says the same, and simpler ones are scenarios or are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raftsim.scenario.fields import DURATION, SECONDS
from raftsim.scenario.load import parse
from raftsim.scenario.play import play_simulated
from raftsim.scenario.problems import BadScenario
from raftsim.shrink.document import duration, read, with_steps, write
from raftsim.shrink.simpler import fewer_servers, places

FILES = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_what_is_written_is_the_same_scenario(file: Path) -> None:
    text = file.read_text()
    again = write(read(text), ["a comment"])
    assert read(again) == {key: value for key, value in read(text).items() if key != "paper"}
    one, two = (play_simulated(parse(version, "x"), 3, lambda _: None) for version in (text, again))
    assert (one.verdict, one.digest) == (two.verdict, two.digest)


@given(st.integers(1, 3_600_000_000))
def test_a_time_is_written_to_the_microsecond(micros: int) -> None:
    match = DURATION.fullmatch(duration(micros / 1e6))
    assert match is not None
    assert round(float(match[1]) * SECONDS[match[2]] * 1e6) == micros


def test_times_are_written_as_people_do() -> None:
    assert [duration(time_s) for time_s in (0.15, 2.0, 1.5, 0.0005, 61.0, 1.234567, 1e-9)] == [
        "150ms", "2s", "1.5s", "500us", "61s", "1234.567ms", "1us",
    ]  # fmt: skip


@given(
    st.text(st.characters(exclude_categories=["C", "Z"]))
    | st.booleans()
    | st.integers(0, 1 << 60)
    | st.sampled_from(["5%", ">= 2", "true", "1e3", "n1", ""])
)
def test_any_scalar_is_read_back(value: object) -> None:
    text = write({"name": "x", "about": value, "steps": [{"run": "1s"}]})
    assert read(text)["about"] == value


def test_without_the_step_that_names_somebody_nothing_speaks_of_him() -> None:
    document = read(
        """
name: x
steps:
  - until: {leader: one}
    as: old
  - hold: {kind: append, from: old}
    as: late
  - crash: follower
    as: dead
  - until: {held: {late: 2}}
  - restart: dead
expect: [{leader: one, not: [old]}, {leader: one}]
"""
    )
    left = with_steps(document, document["steps"][1:])
    assert left["steps"] == [{"crash": "follower", "as": "dead"}, {"restart": "dead"}]
    assert left["expect"] == [{"leader": "one"}]


def test_servers_that_are_left_out_are_not_spoken_of_and_the_others_move_up() -> None:
    document = read(
        """
name: x
cluster: {nodes: 3}
steps:
  - put: 1
    via: n2
  - partition: [[n1, n2], [n3]]
  - crash: n2
  - restart: n3
  - change: {n2: remove, n3: voter}
"""
    )
    without_n2 = list(fewer_servers(document))[1]
    assert without_n2["cluster"] == {"nodes": 2}
    assert without_n2["steps"] == [
        {"put": 1},
        {"partition": [["n1"], ["n2"]]},
        {"restart": "n2"},
        {"change": {"n2": "voter"}},
    ]
    assert [other["cluster"]["nodes"] for other in fewer_servers(document)] == [2, 2, 2, 1, 1, 1]


@pytest.mark.parametrize("name", ["clock-drift", "leader-crash"])
def test_every_simpler_document_is_another_one_and_most_are_scenarios(name: str) -> None:
    document = read((FILES[0].parent / f"{name}.yaml").read_text())
    texts = [write(other) for other in [*places(document), *fewer_servers(document)]]
    assert write(document) not in texts
    assert len(texts) > 20
    assert sum(is_scenario(text) for text in texts) > len(texts) / 2


def is_scenario(text: str) -> bool:
    try:
        parse(text, "x")
    except BadScenario:
        return False
    return True
