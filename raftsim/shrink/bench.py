"""Where candidates are run: in the package with a mutant, or in this one. What comes back is plain data."""

from __future__ import annotations

from collections.abc import Callable

from raftsim.mutants.planted import package
from raftsim.shrink.play import Play, Played
from raftsim.shrink.recording import Record
from raftsim.shrink.replay import Replay, Replayed

Run = Callable[["Bench"], Played | Replayed | None]


class Bench:
    """`record`, `play` and `replay` of the package with that mutant, or of this very one for an empty id."""

    def __init__(self, mutant: str = "") -> None:
        there = package(mutant)
        self.mutant = mutant
        self.record: Record = there.module("shrink.recording").record
        self.play: Play = there.module("shrink.play").play
        self.replay: Replay = there.module("shrink.replay").replay

    def is_to_blame(self, judge: str, run: Run) -> bool:
        """Whether `judge` finds nothing in the same `run` without the mutant. If none is planted nothing is run."""
        if not self.mutant:
            return True
        healthy = run(Bench())
        return healthy is None or healthy.judge != judge
