"""What the judge of linearizability says, as data and as a paragraph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from raftsim.check.clients.models import Value
from raftsim.check.clients.operation import Operation, shown

OK: Final = "ok"
VIOLATED: Final = "violated"
UNKNOWN: Final = "unknown"

_SHOWN: Final = 12  # operations, or states, in a paragraph


@dataclass(frozen=True, slots=True)
class Counterexample:
    """The shortest history, of these keys, that is not linearizable: it ends when `last` returns.

    `prefix` is that history; in it, what returned later than `last` is open. `states` are all states there could have
    been just before, by key, and None if they are too many to be found. `pending` had been called, and not returned.
    """

    keys: tuple[str, ...]
    prefix: tuple[Operation, ...]
    last: Operation
    states: tuple[Mapping[str, Value], ...] | None
    pending: tuple[Operation, ...]

    def __str__(self) -> str:
        keys = f"key {self.keys[0]!r}" if len(self.keys) == 1 else f"keys {', '.join(map(repr, self.keys))}"
        lines = [
            f"The history of {keys} is not linearizable as soon as its operation {len(self.prefix)} is there:",
            f"  {self.last}",
        ]
        if self.states is not None:
            lines.append("No order of what came before allows it. Just before, there could have been:")
            lines += _listed([self._state(state) for state in self.states])
        lines.append("Under way at that time:" if self.pending else "Nothing else was under way at that time.")
        lines += _listed([str(operation) for operation in self.pending])
        return "\n".join(lines)

    def _state(self, state: Mapping[str, Value]) -> str:
        return shown(state[self.keys[0]]) if len(self.keys) == 1 else shown(state)


@dataclass(frozen=True, slots=True)
class Judgement:
    """`verdict` is OK, VIOLATED (then there is a counterexample) or UNKNOWN, which is not a pass.

    `decided_by`: how many parts of the history each stage decided. `order`: why the order that the system claims is no
    witness, "" if it is one or none was given; a finding about the system even where clients could not have seen it.
    """

    verdict: Literal["ok", "violated", "unknown"]
    operations: int
    decided_by: Mapping[str, int] = field(default_factory=dict)
    counterexample: Counterexample | None = None
    undecided: tuple[tuple[str, ...], ...] = ()  # the keys of each part that was given up
    order: str = ""

    def __str__(self) -> str:
        if self.verdict == VIOLATED:
            return f"not linearizable. {self.counterexample}"
        if self.verdict == UNKNOWN:
            keys = "; ".join(", ".join(part) for part in self.undecided)
            return f"unknown: too much was under way at once to decide {self.operations} operations, on {keys}"
        stages = ", ".join(f"{count} by {stage}" for stage, count in self.decided_by.items())
        return f"linearizable: {self.operations} operations, parts decided: {stages or 'none'}"


def _listed(lines: list[str]) -> list[str]:
    rest = len(lines) - _SHOWN
    return [f"  {line}" for line in lines[:_SHOWN]] + ([f"  and {rest} more"] if rest > 0 else [])
