"""What was done in a run of the swarm, as the steps of a scenario."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, permutations
from math import isinf
from typing import Any, Final

from raftsim.scenario.read_steps import CHANGES
from raftsim.scenario.report import DURABILITY, LIVENESS
from raftsim.shrink.document import Document, Step, duration
from raftsim.shrink.recording import MERGED, Act
from raftsim.shrink.replay import CONVERGE_S, TAIL_S

_WORDS: Final = {op: word for word, op in CHANGES.items()}


def scenario_of(head: Document, acts: Sequence[Act], judge: str) -> Document:
    """The scenario in which the same is done at the same times, and then looked for what `judge` finds."""
    names = [f"n{number + 1}" for number in range(head["cluster"]["nodes"])]
    steps: list[Step] = []
    now_s = 0.0
    for act in acts:
        if act.time_s > now_s:
            steps.append({"run": duration(act.time_s - now_s)})
            now_s = act.time_s
        found = list(_OF_SEVERAL[act.verb](names, act.what) if act.verb in MERGED else _STEPS[act.verb](*act.what))
        if act.verb == "put" and steps and "put" in steps[-1] and steps[-1]["via"] == act.what[0]:
            count = _count(steps.pop()["put"]) + 1
            found = [{**found[0], "put": {"count": count, "clients": count}}]
        steps += found
    document = {**head, "steps": steps}
    if judge not in (LIVENESS, DURABILITY):
        return {**document, "steps": [*steps, {"run": duration(TAIL_S)}]}
    end: Step = {"until": {"converged": True}, "within": duration(CONVERGE_S)}
    return {**document, "steps": [*steps, end], **({"expect": [{"acked": "present"}]} if judge == DURABILITY else {})}


def _count(put: Any) -> int:
    return int(put["count"] if isinstance(put, dict) else put)


def _cut(names: Sequence[str], pairs: Sequence[tuple[str, str]]) -> Iterator[Step]:
    """One or two servers parted from all others, or links by themselves."""
    for few in [*combinations(names, 1), *combinations(names, 2)]:
        rest = [name for name in names if name not in few]
        apart = {pair for pair in permutations(names, 2) if (pair[0] in few) != (pair[1] in few)}
        if rest and apart == set(pairs):
            yield {"partition": [list(few), rest]}
            return
    for src, dst in pairs:
        if {src, dst} <= set(names):
            yield {"link": {"from": src, "to": dst, "cut": True}}


def _mend(names: Sequence[str], mended: Sequence[str]) -> Iterator[Step]:
    known = [name for name in names if name in mended]
    yield from ({"disk": {"node": name, "mend": True}} for name in (["all"] if known == names else known))


def _disk(name: str, fault: str, value: Any) -> list[Step]:
    if fault == "stall":
        value = "forever" if isinf(value) else duration(value)
    return [{"disk": {"node": name, fault: value}}]


def _asked(verb: str, value: Any, via: str) -> list[Step]:
    return [{verb: value, "via": via, "wait": False}]


_OF_SEVERAL: Final[Mapping[str, Callable[[Sequence[str], Any], Iterator[Step]]]] = {"cut": _cut, "mend": _mend}
_STEPS: Final[Mapping[str, Callable[..., list[Step]]]] = {
    **{verb: lambda name, verb=verb: [{verb: name}] for verb in ("crash", "restart", "wipe", "pause", "resume")},
    "heal": lambda: [{"heal": "all"}],
    "disk": _disk,
    "clock": lambda name, rate: [{"clock": {"node": name, "rate": rate}}],
    "put": lambda via: _asked("put", 1, via),
    "get": lambda via: _asked("get", {"count": 1, "every": "1s"}, via),
    "transfer": lambda via, name: _asked("transfer", name, via),
    "change": lambda via, changes: _asked("change", {name: _WORDS[op] for op, name in changes}, via),
}
