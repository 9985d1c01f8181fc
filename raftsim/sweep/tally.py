"""What many seeds have shown together. It does not depend on the order in which their results come in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from raftsim.sweep.result import FAILED, PASS, Result

MAX_GROUPS: Final = 1_000  # told apart; when there are more, they are not worth telling apart
OTHERS: Final = "others: too many different ones to be told apart"


@dataclass(slots=True)
class Group:
    """Runs that ended with the same signature. `judge` and `text` are those of the lowest seed."""

    verdict: str
    judge: str
    text: str
    seeds: list[int]

    def add(self, result: Result) -> None:
        if result.seed < min(self.seeds):
            self.judge, self.text = result.judge, result.text
        self.seeds.append(result.seed)


@dataclass(slots=True)
class Tally:
    """`seen`: for each fact in how many seeds it came about, and the lowest of them."""

    done: set[int] = field(default_factory=set)
    passed: int = 0
    groups: dict[str, Group] = field(default_factory=dict)
    seen: dict[str, tuple[int, int]] = field(default_factory=dict)
    events: int = 0
    virtual_s: float = 0.0
    work_s: float = 0.0  # of all processes together

    def add(self, result: Result) -> None:
        """Count a result. A seed that was counted before does not count again."""
        if result.seed in self.done:
            return
        self.done.add(result.seed)
        self.passed += result.verdict == PASS
        self.events += result.events
        self.virtual_s += result.virtual_s
        self.work_s += result.wall_s
        for fact, times in result.facts.items():
            if times:
                count, first = self.seen.get(fact, (0, result.seed))
                self.seen[fact] = count + 1, min(first, result.seed)
        if result.verdict != PASS:
            self._group(result)

    def _group(self, result: Result) -> None:
        name = result.signature
        if name not in self.groups and len(self.groups) >= MAX_GROUPS:
            name = OTHERS
        if name in self.groups:
            self.groups[name].add(result)
        else:
            self.groups[name] = Group(result.verdict, result.judge, result.text, [result.seed])

    def count(self, verdict: str) -> int:
        """How many runs ended with a verdict other than `pass`."""
        return sum(len(group.seeds) for group in self.groups.values() if group.verdict == verdict)

    def ordered(self) -> list[tuple[str, Group]]:
        """The groups: what was violated first, the frequent before the rare."""
        return sorted(
            self.groups.items(),
            key=lambda item: (item[1].verdict != FAILED, -len(item[1].seeds), min(item[1].seeds)),
        )

    def plain(self) -> dict[str, Any]:
        """All of it, as JSON can say it, for `from_plain`."""
        groups = {name: [group.verdict, group.judge, group.text, group.seeds] for name, group in self.groups.items()}
        numbers = {"passed": self.passed, "events": self.events, "virtual_s": self.virtual_s, "work_s": self.work_s}
        return {"done": ranges(self.done), **numbers, "groups": groups, "seen": self.seen}

    @staticmethod
    def from_plain(plain: dict[str, Any]) -> Tally:
        """Raises KeyError, TypeError or ValueError for what is none."""
        tally = Tally({seed for first, last in plain["done"] for seed in range(first, last + 1)})
        tally.passed, tally.events = int(plain["passed"]), int(plain["events"])
        tally.virtual_s, tally.work_s = float(plain["virtual_s"]), float(plain["work_s"])
        tally.groups = {
            name: Group(verdict, judge, text, list(seeds))
            for name, (verdict, judge, text, seeds) in plain["groups"].items()
        }
        tally.seen = {fact: (int(count), int(first)) for fact, (count, first) in plain["seen"].items()}
        return tally


def ranges(seeds: Iterable[int]) -> list[tuple[int, int]]:
    """The seeds as (first, last) of each row without a gap."""
    found: list[tuple[int, int]] = []
    for seed in sorted(seeds):
        if found and found[-1][1] == seed - 1:
            found[-1] = found[-1][0], seed
        else:
            found.append((seed, seed))
    return found
