"""What can be made simpler at one place of a scenario, in many places: a server, a key, an item, a number, a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any, Final

from raftsim.scenario.fields import DURATION, SECONDS
from raftsim.scenario.model import Cluster
from raftsim.shrink.document import Document, Step, duration, verb_of, with_steps

WORLD: Final = ("cluster", "settings", "network", "disks")
COUNTS: Final = ("put", "count", "keys", "clients", "limit", "fill", "cut_power", "slow")
FEW: Final = 10
TIMES_S: Final = (0.01, 0.1, 1.0)
_GONE: Final = object()


def places(document: Document) -> Iterator[Document]:
    """The document with one thing less, or one that is smaller; of steps, whole ones are not left out here."""
    for key in WORLD:
        if key in document:
            rest = {name: value for name, value in document.items() if name != key}
            if not (key == "cluster" and "nodes" in document[key]):
                yield rest
            for value in _simpler(document[key], key, times=False):
                yield {**document, key: value} if value else rest
    expect = document.get("expect")
    if expect:
        rest = {name: value for name, value in document.items() if name != "expect"}
        yield rest
        yield from ({**document, "expect": value} for value in _simpler(expect, "expect", times=False) if value)
    for number, step in enumerate(document["steps"]):
        for other in _simpler_steps(step):
            yield {**document, "steps": [*document["steps"][:number], other, *document["steps"][number + 1 :]]}


def fewer_servers(document: Document) -> Iterator[Document]:
    """Without one server, or without two. Those behind it are renumbered, unless the file itself names the servers."""
    nodes = document.get("cluster", {}).get("nodes", Cluster().nodes)
    names = list(Cluster.numbered(nodes)) if isinstance(nodes, int) else [server["id"] for server in nodes]
    for count in (1, 2):
        for gone in combinations(reversed(names), count):
            if len(gone) < len(names):
                yield _without_servers(document, nodes, names, set(gone))


def _without_servers(document: Document, nodes: Any, names: list[str], gone: set[str]) -> Document:
    left = [name for name in names if name not in gone]
    renamed = dict(zip(left, Cluster.numbered(len(left)), strict=True)) if isinstance(nodes, int) else {}
    steps = [other for step in document["steps"] if (other := _without(step, gone)) is not _GONE]
    found = with_steps(document, steps)
    expect = _without(found.pop("expect", []), gone)
    found |= {} if expect is _GONE or not expect else {"expect": expect}
    found = _renamed(found, renamed)
    less = len(left) if isinstance(nodes, int) else [server for server in nodes if server["id"] in left]
    return {**found, "cluster": {**found.get("cluster", {}), "nodes": less}}


def _without(value: Any, gone: set[str]) -> Any:
    """What is left of a value when these servers are not there."""
    if isinstance(value, list):
        left = [item for item in (_without(item, gone) for item in value) if item is not _GONE]
        return left if left or not value else _GONE
    if isinstance(value, dict):
        items = {key: _without(item, gone) for key, item in value.items() if key not in gone}
        items = {key: item for key, item in items.items() if not (item is _GONE and key in ("via", "not"))}
        return items if items and _GONE not in items.values() else _GONE
    return _GONE if value in gone else value


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if isinstance(value, dict):
        return {names.get(key, key): _renamed(item, names) for key, item in value.items()}
    return names.get(value, value) if isinstance(value, str) else value


def _simpler_steps(step: Step) -> Iterator[Step]:
    verb = verb_of(step)
    for key in step:
        if key != verb:
            yield {name: value for name, value in step.items() if name != key}
        yield from ({**step, key: value} for value in _simpler(step[key], key, times=True))


def _simpler(value: Any, key: str, *, times: bool) -> Iterator[Any]:
    """Values that say less than the one at `key`. `times`: durations may become shorter, too."""
    if isinstance(value, dict):
        if key == "put" and value.keys() == {"count"}:
            yield value["count"]
        for name in value:
            if name != "nodes":
                yield {other: item for other, item in value.items() if other != name}
        for name, item in value.items():
            yield from ({**value, name: other} for other in _simpler(item, name, times=times))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            if len(value) > 1:
                yield value[:number] + value[number + 1 :]
            yield from ([*value[:number], other, *value[number + 1 :]] for other in _simpler(item, key, times=times))
    elif isinstance(value, int) and not isinstance(value, bool) and key in COUNTS:
        less = [1, int(_rounded(value / 2, 1)), value - 1 if value <= FEW else int(_rounded(value, 1))]
        yield from dict.fromkeys(number for number in less if 0 < number < value)
    elif times and isinstance(value, str) and (match := DURATION.fullmatch(value)):
        yield from _shorter(float(match[1]) * SECONDS[match[2]], value)


def _shorter(seconds: float, text: str) -> Iterator[str]:
    """Round times that are shorter, the shortest first; then the same time, rounded, if that is a shorter text."""
    for time in [time for time in TIMES_S if time < seconds] + [seconds / 2]:
        if (less := _rounded(time, 1)) < seconds:
            yield duration(less)
    for digits in (1, 2):
        if len(other := duration(_rounded(seconds, digits))) < len(text):
            yield other


def _rounded(seconds: float, digits: int) -> float:
    return float(f"{seconds:.{digits}g}")
