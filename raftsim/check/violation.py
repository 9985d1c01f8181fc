"""What a judge finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """`invariant` was broken at `time` by what `node` did; `sentence` says how, with names, terms and indexes."""

    invariant: str
    time: float
    node: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.invariant}, at {self.time:.6f} s: {self.sentence}"


class InvariantViolated(AssertionError):
    """A run was stopped because of `violation`."""

    def __init__(self, violation: Violation) -> None:
        super().__init__(str(violation))
        self.violation = violation
