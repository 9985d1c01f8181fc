"""What can be swept: the swarm, or a scenario. A subject is sent to other processes, so it is plain data."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from time import perf_counter
from typing import Any, ClassVar, Final, Protocol

from raftsim.mutants.mutant import flag
from raftsim.mutants.planted import package, player
from raftsim.scenario import report as reports
from raftsim.scenario.load import parse
from raftsim.scenario.model import Scenario
from raftsim.swarm.run import STORM_S
from raftsim.swarm.sightings import FACTS, Sightings
from raftsim.sweep.result import FAILED, PASS, VACUOUS, Result

SWARM: Final = "swarm"
EXCEPTION: Final = "exception"
_VERDICTS: Final = {reports.PASS: PASS, reports.VIOLATED: FAILED}  # all others prove nothing
_INVARIANT: Final = "invariant "


class Subject(Protocol):
    """`name` is for people; `facts` are the rare things that its runs may bring about."""

    @property
    def name(self) -> str: ...

    @property
    def facts(self) -> Sequence[str]: ...

    def identity(self) -> dict[str, Any]:
        """What must be equal for two sweeps to be of the same thing."""
        ...

    def run(self, seed: int) -> Result:
        """The run of `seed`."""
        ...

    def replay(self, seed: int) -> str:
        """The command line that shows it again."""
        ...

    def shrink(self, seed: int) -> str:
        """The command line that makes it small."""
        ...


@dataclass(frozen=True, slots=True)
class Swarm:
    storm_s: float = STORM_S
    mutant: str = ""  # the planted bug
    name: ClassVar[str] = SWARM
    facts: ClassVar[Sequence[str]] = FACTS

    def identity(self) -> dict[str, Any]:
        return {"subject": SWARM, "storm_s": self.storm_s, "mutant": self.mutant}

    def run(self, seed: int) -> Result:
        ending = package(self.mutant).module("swarm.run").play(seed, self.storm_s)
        verdict = {"pass": PASS, "violated": FAILED, "undecided": VACUOUS}[ending.verdict]
        return Result(
            seed, verdict, ending.judge, ending.text, ending.facts, ending.drawn, ending.events, ending.virtual_s,
            ending.digest,
        )  # fmt: skip

    def replay(self, seed: int) -> str:
        return f"raftsim sweep {SWARM} -seeds={seed}..{seed}{self._flags}"

    def shrink(self, seed: int) -> str:
        return f"raftsim shrink {SWARM} -seed={seed}{self._flags}"

    @property
    def _flags(self) -> str:
        storm = "" if self.storm_s == STORM_S else f" -storm={self.storm_s:g}s"
        return storm + flag(self.mutant)


@dataclass(frozen=True, slots=True)
class Story:
    """A scenario: the text of the file, because the file itself may not be where the work is done."""

    file: str
    text: str
    mutant: str = ""
    facts: ClassVar[Sequence[str]] = FACTS

    @property
    def name(self) -> str:
        return _parsed(self.text, self.file).name

    def identity(self) -> dict[str, Any]:
        return {"subject": self.file, "text": self.text, "mutant": self.mutant}

    def run(self, seed: int) -> Result:
        sightings = Sightings()
        scenario = _parsed(self.text, self.file)
        report = player(self.mutant)(scenario, seed, lambda _: None, [sightings.observe])
        invariant = report.reason.startswith(_INVARIANT)
        judge = (report.judge or report.verdict) if report.reason else ""
        if report.line and not invariant:
            judge += f", line {report.line}"
        text = report.reason.removeprefix(f"{_INVARIANT}{report.judge}, ")
        return Result(
            seed, _VERDICTS.get(report.verdict, VACUOUS), judge, text, dict(sorted(sightings.seen.items())), {},
            report.events or 0, report.virtual_s or 0.0, report.digest or "",
        )  # fmt: skip

    def replay(self, seed: int) -> str:
        return f"raftsim run {self.file} -seed={seed}{flag(self.mutant)}"

    def shrink(self, seed: int) -> str:
        return f"raftsim shrink {self.file} -seed={seed}{flag(self.mutant)}"


def run_seeds(subject: Subject, seeds: Sequence[int]) -> list[Result]:
    """The results of some seeds, in this process. A run that raises is a finding like any other."""
    return [_run(subject, seed) for seed in seeds]


def _run(subject: Subject, seed: int) -> Result:
    began = perf_counter()
    try:
        result = subject.run(seed)
    except Exception as error:  # noqa: BLE001 - whatever escapes a run is a finding
        frame = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{type(error).__name__}: {error} ({frame.name}, line {frame.lineno})"
        result = Result(seed, FAILED, EXCEPTION, text)
    return replace(result, wall_s=perf_counter() - began)


@lru_cache(maxsize=4)
def _parsed(text: str, file: str) -> Scenario:
    return parse(text, file)
