"""Traces that somebody made up: what they hold is refused with its line, or told, and never a traceback."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from raftsim.cli.main import main

VALUES: list[Any] = [None, True, -1, 10**30, 1.5, "", "n1", "\x1b[31m", "\udc80", [], {}, [[]], {"type": "Vote"}, "0"]
FORMATS = ("shiviz", "perfetto", "edn", "porcupine", "etcd-tla")


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to all that is in `value`."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in below for found in places(item, (*path, key)))]


def spoil(record: dict[str, Any], rng: Random) -> None:
    """Put something else in one place, or take it away."""
    *way, last = rng.choice([place for place in places(record) if place and place != ("seq",)])
    at: Any = record
    for key in way:
        at = at[key]
    if isinstance(at, dict) and rng.random() < 0.2:
        del at[last]
    else:
        at[last] = rng.choice(VALUES)


@pytest.fixture(scope="module")
def lines(eventful_path: Path) -> list[str]:
    return gzip.decompress(eventful_path.read_bytes()).decode().splitlines()


@pytest.mark.parametrize("seed", range(100))
def test_made_up_fields(seed: int, lines: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = Random(seed)
    kinds: dict[str, str] = {}
    for line in rng.sample(lines[1:-1], 400):
        kinds.setdefault(json.loads(line)["kind"], line)
    records = [json.loads(line) for line in kinds.values()]
    for number, record in enumerate(records, 1):
        record |= {"time": 0, "seq": number, "cause": None}
    spoil(rng.choice(records), rng)
    end = json.loads(lines[-1]) | {"events": len(records), "verdict": "\x1b[31m", "reason": "\x1b"}
    path = tmp_path / "t"
    path.write_text("\n".join([lines[0], *map(json.dumps, records), json.dumps(end), ""]))
    for args in (["explain", str(path)], ["explain", str(path), "3"], ["diff", str(path), str(path)]):
        assert main(args) in (0, 2)
    for form in FORMATS:
        assert main(["export", form, str(path)]) in (0, 1, 2)
    assert "\x1b" not in capsys.readouterr().out
