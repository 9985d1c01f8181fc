"""The judges: of a run by its trace (`Judges` in judges.py), and of what clients saw (`linearizable`)."""

from raftsim.check.clients.linearizable import Budget, linearizable
from raftsim.check.clients.models import SOME, Map, Register
from raftsim.check.clients.operation import Operation
from raftsim.check.clients.verdict import OK, UNKNOWN, VIOLATED, Counterexample, Judgement

__all__ = [
    "OK",
    "SOME",
    "UNKNOWN",
    "VIOLATED",
    "Budget",
    "Counterexample",
    "Judgement",
    "Map",
    "Operation",
    "Register",
    "linearizable",
]
