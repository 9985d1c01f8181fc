"""Copies of the package with one mutant planted, and what the mutant's trap finds there."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol

from raftsim.check.violation import InvariantViolated
from raftsim.mutants.catalogue import CATALOGUE
from raftsim.mutants.copy import PACKAGE, Copy
from raftsim.mutants.mutant import Mutant
from raftsim.scenario.load import load
from raftsim.scenario.model import Scenario
from raftsim.scenario.play import Play, Tell, play_simulated
from raftsim.scenario.report import PASS, Report
from raftsim.sim.build import Observer

NOTHING: Final = ("", "")


class Package(Protocol):
    def module(self, name: str) -> Any:
        """The module of that name, such as "core.raft"."""

    def close(self) -> None:
        """It is no longer needed."""


class Real:
    """This very package."""

    def module(self, name: str) -> Any:
        return importlib.import_module(f"{PACKAGE}.{name}")

    def close(self) -> None:
        """Others go on using it."""


def planted(id: str) -> Copy:
    """A new copy with that mutant in it. Raises KeyError: there is none of that id."""
    copy = Copy()
    copy.module("mutants.catalogue").CATALOGUE[id].plant()
    return copy


@lru_cache(maxsize=4)
def package(mutant: str) -> Package:
    """The package with that mutant, or the real one for an empty id. The same copy for one who asks again."""
    return planted(mutant) if mutant else Real()


@lru_cache(maxsize=4)
def player(mutant: str) -> Play:
    """Plays scenarios in the package with that mutant. Scenario, observers and report are of this package."""
    if not mutant:
        return play_simulated
    copy = package(mutant)
    parse = lru_cache(maxsize=4)(copy.module("scenario.load").parse)

    def play(scenario: Scenario, seed: int, tell: Tell, observers: Iterable[Observer] = ()) -> Report:
        copied = parse(scenario.text, scenario.file)
        report = copy.module("scenario.play").play_simulated(copied, seed, tell, observers)
        return Report(**{field.name: getattr(report, field.name) for field in fields(Report)})

    return play


def spring(id: str, seed: int) -> tuple[str, str]:
    """Which judge the trap of that mutant calls, here, and what it says; NOTHING if all is well.

    The mutant is not there, unless this is called in a copy in which it is planted (`sprung`).
    """
    mutant = CATALOGUE[id]
    if mutant.trap is None:
        report = play_simulated(load(str(trap_file(mutant))), seed, lambda _: None)
        return NOTHING if report.verdict == PASS else (report.judge or report.verdict, report.reason)
    try:
        mutant.trap(seed)
    except InvariantViolated as violated:
        return violated.violation.invariant, str(violated.violation)
    return NOTHING


def sprung(id: str, seeds: Iterable[int]) -> list[tuple[str, str]]:
    """The same for each of the seeds, with the mutant planted."""
    copy = planted(id)
    try:
        there = copy.module("mutants.planted").spring
        return [there(id, seed) for seed in seeds]
    finally:
        copy.close()


def trap_fault(id: str, seeds: Sequence[int]) -> str:
    """What is wrong with the trap of that mutant, empty if nothing is: it calls the expected judge, and only then."""
    wanted = CATALOGUE[id].judge
    for seed, (judge, _) in zip(seeds, sprung(id, seeds), strict=True):
        if judge != wanted:
            return f"seed {seed}: calls {judge or 'nobody'}"
        if (called := spring(id, seed)) != NOTHING:
            return f"seed {seed}: calls {called[0]} without the bug"
    return ""


def trap_file(mutant: Mutant) -> Path:
    return Path(__file__).parent / "traps" / f"{mutant.id}.yaml"
