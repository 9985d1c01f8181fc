"""How a run ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

PASS = "pass"
VIOLATED = "violated"  # an invariant, an expectation, a wait that ran out, an acknowledged write lost
INVALID = "invalid"  # a step could not be taken: its selector found nobody
VACUOUS = "vacuous"  # a fault never took effect, so that the run proves nothing
UNREACHABLE = "unreachable"  # the cluster could not be started or reached

LIVENESS = "liveness"  # a wait ran out
DURABILITY = "acknowledged writes"  # one of them cannot be read any more
EXPECTATION = "expectation"  # something else that the file demands


@dataclass(slots=True)
class Report:
    """`reason` says in one sentence why the verdict is not `pass`; `line` is the step's in the file, 0 for none.

    `judge` is what found it if something is violated: an invariant, LIVENESS, DURABILITY or EXPECTATION.
    """

    name: str
    file: str
    seed: int
    verdict: str = PASS
    reason: str = ""
    judge: str = ""
    line: int = 0
    expectations: int = 0  # conditions that were asked and held
    elections: int = 0  # leaders seen, each term counted once
    writes: Counter[str] = field(default_factory=Counter)
    digest: str | None = None
    events: int | None = None
    virtual_s: float | None = None  # simulated runs
    wall_s: float = 0.0

    def plain(self) -> dict[str, object]:
        """For `-json`."""
        return {
            "schema": "raftsim.run/1",
            "name": self.name,
            "file": self.file,
            "verdict": self.verdict,
            "reason": self.reason,
            "judge": self.judge,
            "line": self.line,
            "seed": self.seed,
            "digest": self.digest,
            "events": self.events,
            "virtual_s": None if self.virtual_s is None else round(self.virtual_s, 6),
            "wall_s": round(self.wall_s, 3),
        }
