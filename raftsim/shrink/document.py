"""The document of a scenario as plain data, and back to text that people like to read.

Documents are values: what makes another one of one leaves it as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from raftsim.scenario.fields import SECONDS
from raftsim.scenario.read_steps import VERBS

Document = dict[str, Any]
Step = dict[str, Any]

ORDER: Final = ("name", "about", "cluster", "settings", "network", "disks", "steps", "expect")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./%-]*(?: [A-Za-z0-9_./%()-]+)*")
_WORDS: Final = re.compile(r"(?i:true|false|null|yes|no|on|off|~)|[0-9.eE+-]+")  # would not be read as text
_UNITS: Final = tuple(sorted(SECONDS.items(), key=lambda unit: unit[1]))


def read(text: str) -> Document:
    """The document in `text`, which is a scenario."""
    from ruamel.yaml import YAML

    found: Document = YAML(typ="safe", pure=True).load(text)
    return found


def write(document: Document, comment: Iterable[str] = ()) -> str:
    """The text of a scenario file, the lines of `comment` above it."""
    lines = [f"# {line}".rstrip() for line in comment]
    for key in ORDER:
        value = document.get(key)
        if key == "steps":
            lines += ["steps:", *(line for step in document["steps"] for line in _step(step))]
        elif key == "expect" and isinstance(value, list):
            lines += ["expect:", *(f"  - {flow(condition)}" for condition in value)]
        elif value is not None:
            lines.append(f"{key}: {flow(value)}")
    return "\n".join(lines) + "\n"


def verb_of(step: Step) -> str:
    return next(key for key in step if key in VERBS)


def flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.9f}".rstrip("0").removesuffix(".")
    if isinstance(value, str) and (not _PLAIN.fullmatch(value) or _WORDS.fullmatch(value)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def duration(seconds: float) -> str:
    """The time as a file says it, to the microsecond, in the largest unit that needs no more than 3 decimals."""
    micros = max(1, round(seconds * 1e6))
    for unit, size in reversed(_UNITS):
        amount = micros / round(size * 1e6)
        if unit != "m" and amount >= 1 and amount == round(amount, 3):
            return f"{amount:.3f}".rstrip("0").removesuffix(".") + unit
    return f"{micros}us"


def scalars(value: Any) -> Iterator[Any]:
    """Every scalar in a value, keys too."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from scalars(item)
    elif isinstance(value, list):
        for item in value:
            yield from scalars(item)
    else:
        yield value


def with_steps(document: Document, steps: Iterable[Step]) -> Document:
    """With these steps only, and without what speaks of somebody that only a step that is gone has named."""
    named = {step["as"] for step in document["steps"] if "as" in step}
    bound: set[str] = set()
    kept = []
    for step in steps:
        used = {word for word in scalars({key: value for key, value in step.items() if key != "as"}) if word in named}
        if used <= bound:
            kept.append(step)
            bound |= {step["as"]} if "as" in step else set()
    lost = named - bound
    found = {**document, "steps": kept}
    expect = document.get("expect", [])
    conditions = [wish for wish in (expect if isinstance(expect, list) else [expect]) if not lost & set(scalars(wish))]
    return _set(found, "expect", conditions)


def _set(document: Document, key: str, value: Any) -> Document:
    """The document with that value, or without the key if it is empty."""
    rest = {name: item for name, item in document.items() if name != key}
    return {**rest, key: value} if value else rest


def _step(step: Step) -> Iterator[str]:
    verb = verb_of(step)
    yield f"  - {verb}: {flow(step[verb])}"
    yield from (f"    {key}: {flow(value)}" for key, value in step.items() if key != verb)
