"""The file that shrinking ends with: the scenario, and above it what happens in it."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import Any, Final

from raftsim.mutants.mutant import flag
from raftsim.shrink.document import write
from raftsim.shrink.shrinker import Shrinker

SEEDS: Final = 20  # with which the result is played
ACCOUNT: Final = 24  # lines of the run, at most
_WIDTH: Final = 118


@dataclass(frozen=True, slots=True)
class Result:
    """`text` is the whole file; `failing` of the first SEEDS seeds fail so, None: they were not asked."""

    file: str
    text: str
    judge: str
    reason: str
    seed: int
    steps: int
    failing: int | None
    mutant: str  # the planted bug

    @property
    def replay(self) -> str:
        return _replay(self.file, self.seed, self.mutant)

    def plain(self) -> dict[str, Any]:
        """For `-json`."""
        return {
            "schema": "raftsim.shrink/1",
            "file": self.file,
            "judge": self.judge,
            "reason": self.reason,
            "seed": self.seed,
            "mutant": self.mutant,
            "steps": self.steps,
            "seeds": SEEDS,
            "seeds_failing": self.failing,
            "scenario": self.text,
        }


def result_of(shrinker: Shrinker, file: str, failing: int | None) -> Result:
    """The best that was found, for a file of that name."""
    best, mutant = shrinker.best, shrinker.mutant
    played, document = best.played, best.document
    account = played.account
    planted = f" with the planted bug {mutant}" if mutant else ""
    if len(account) > ACCOUNT:
        account = (*account[: ACCOUNT // 2], f"{'…':>9}", *account[-ACCOUNT // 2 + 1 :])
    comment = [
        *wrap(f"Fails{planted} by the judge {played.judge!r}: {played.reason}", _WIDTH),
        "",
        *account,
        "",
        *([] if failing is None else [f"{failing} of the seeds 0 to {SEEDS - 1} fail so."]),
        f"Replay: {_replay(file, played.seed, mutant)}",
    ]
    text = write(document, comment)
    return Result(file, text, played.judge, played.reason, played.seed, len(document["steps"]), failing, mutant)


def _replay(file: str, seed: int, mutant: str) -> str:
    return f"raftsim run {file} -seed={seed}{flag(mutant)}"
