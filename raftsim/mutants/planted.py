"""Copies of the package with one mutant planted, and what the mutant's trap finds there."""

from __future__ import annotations

import importlib
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol

from raftsim.check.violation import InvariantViolated
from raftsim.mutants.catalogue import CATALOGUE
from raftsim.mutants.copy import PACKAGE, Copy
from raftsim.mutants.mutant import Mutant
from raftsim.scenario.load import load
from raftsim.scenario.play import play_simulated
from raftsim.scenario.report import PASS

NOTHING: Final = ("", "")


class Package(Protocol):
    def module(self, name: str) -> Any:
        """The module of that name, such as "core.raft"."""


class Real:
    """This very package."""

    def module(self, name: str) -> Any:
        return importlib.import_module(f"{PACKAGE}.{name}")


def planted(id: str) -> Copy:
    """A new copy with that mutant in it. Raises KeyError: there is none of that id."""
    copy = Copy()
    copy.module("mutants.catalogue").CATALOGUE[id].plant()
    return copy


@lru_cache(maxsize=1)
def package(mutant: str) -> Package:
    """The package with that mutant, or the real one for an empty id. For a worker that plays many runs of the same."""
    return planted(mutant) if mutant else Real()


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


def sprung(id: str, seed: int) -> tuple[str, str]:
    """The same with the mutant planted."""
    copy = planted(id)
    try:
        found: tuple[str, str] = copy.module("mutants.planted").spring(id, seed)
        return found
    finally:
        copy.close()


def trap_file(mutant: Mutant) -> Path:
    return Path(__file__).parent / "traps" / f"{mutant.id}.yaml"
