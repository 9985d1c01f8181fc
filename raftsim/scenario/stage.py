"""What all steps share: looking at the cluster, waiting, finding who is meant, telling what happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from random import Random
from typing import TYPE_CHECKING

from raftsim.scenario.model import Get, Put
from raftsim.scenario.reads import Reads
from raftsim.scenario.report import EXPECTATION, INVALID, VIOLATED, Report
from raftsim.scenario.selectors import Selector
from raftsim.scenario.target import ReadVariable, Target, Ticket, WriteVariable
from raftsim.scenario.view import FOLLOWER, LEADER, Cast, Status, View
from raftsim.scenario.writes import Batch

if TYPE_CHECKING:
    from raftsim.sim.holds import Hold

HEAL = "heal"  # until when a cut or a bad link is watched


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the account of a run."""

    time_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Witness:
    """`felt` says whether a fault took effect, asked at the end or before `until`, which undoes it."""

    complaint: str
    felt: Callable[[], bool]
    until: str


class Ended(Exception):
    """The run is over before its last step."""

    def __init__(self, verdict: str, reason: str, judge: str = "") -> None:
        super().__init__(reason)
        self.verdict = verdict
        self.reason = reason
        self.judge = judge


class Stage:
    def __init__(self, target: Target, report: Report, tell: Callable[[Line], None]) -> None:
        self.target = target
        self.report = report
        self.cast = Cast(target.names, Random(f"{report.seed}/scenario"))
        self.batches: list[Batch] = []
        self.vacuous: list[str] = []  # the faults that never took effect
        self.witnesses: list[Witness] = []
        self.holds: dict[str, Hold] = {}
        self.reads: list[Reads] = []
        self.drops_before: dict[str, int] = {}  # isolated server -> messages lost to cuts before it was
        self._names_by_id = {id: name for name, id in target.ids.items()}
        self._tell = tell
        self._seen: dict[str, tuple[str, int] | None] = dict.fromkeys(target.names)
        self._told: dict[str, Status | None] = {}  # the documents looked at last

    def say(self, text: str) -> None:
        self._tell(Line(self.target.now(), text))

    def view(self) -> View:
        """Look at the cluster as it is now."""
        statuses = self.target.statuses()
        for name, status in statuses.items():
            if status is not None and status is not self._told.get(name):
                self._note_role(name, str(status["role"]), int(status["term"]))
            self._told[name] = status
        self.cast.held.update((name, len(hold.held)) for name, hold in self.holds.items())
        return View(statuses, self._names_by_id, self.cast)

    def wait(self, holds: Callable[[View], bool], within_s: float) -> bool:
        """Let time pass until `holds`, within a bound that a slow machine may stretch."""
        return self.spend(holds, within_s * self.target.slack)

    def spend(self, holds: Callable[[View], bool], limit_s: float) -> bool:
        """Let time pass, while the clients go on writing, until `holds`; False after `limit_s` seconds."""

        def predicate() -> bool:
            for batch in self.batches:
                batch.pump()
            for reads in self.reads:
                reads.pump(self.target.now())
            return holds(self.view())

        end = self.target.now() + limit_s
        while True:
            due = min((reads.next_at for reads in self.reads), default=inf)
            if self.target.wait(predicate, max(0.0, min(end, due) - self.target.now())):
                return True
            if due >= end:
                return False

    def watch(self, complaint: str, felt: Callable[[], bool], until: str = "") -> None:
        """A fault was set; `complaint` is what to say if nobody felt it."""
        self.witnesses.append(Witness(complaint, felt, until))

    def settle(self, what: str | None = None) -> None:
        """Ask the witnesses of what is undone now; None: all of them, at the end."""
        asked = [witness for witness in self.witnesses if what in (None, witness.until)]
        self.vacuous += [witness.complaint for witness in asked if not witness.felt()]
        self.witnesses = [witness for witness in self.witnesses if witness not in asked]

    def find(self, selector: Selector, *, of: Callable[[str], bool] = lambda _: True) -> tuple[str, ...]:
        """The servers a step means now. A selector that finds nobody ends the run: it would test nothing."""
        view = self.view()
        found = tuple(name for name in selector.find(view) if of(name))
        if not found:
            raise Ended(INVALID, f"'{selector.text}' finds no such server; there is: {view.describe()}")
        return found

    def bind(self, name: str | None, servers: tuple[str, ...]) -> str:
        """Give `servers` the name of an `as`; returns how that is told."""
        if name is None:
            return ""
        self.cast.bound[name] = servers
        return f" (as {name})"

    def violated(self, reason: str, judge: str = EXPECTATION) -> Ended:
        return Ended(VIOLATED, f"{reason}; there is: {self.view().describe()}", judge)

    def start_writes(self, put: Put) -> Batch:
        def send(write: WriteVariable) -> Ticket | None:
            servers = put.via.find(self.view())
            return self.target.submit(servers[0], write) if servers else None

        batch = Batch(len(self.batches) + 1, put, send)
        self.batches.append(batch)
        return batch

    def start_reads(self, get: Get) -> Reads:
        def send(read: ReadVariable) -> Ticket | None:
            servers = get.via.find(self.view())
            return self.target.submit(servers[0], read) if servers else None

        reads = Reads(get, self.target.now(), send)
        self.reads.append(reads)
        return reads

    def _note_role(self, name: str, role: str, term: int) -> None:
        before = self._seen[name]
        if before == (role, term):
            return
        self._seen[name] = role, term
        if role == LEADER:
            self.report.elections += 1
        # A follower that only learns of a new term is no news, and all begin as followers.
        if role != (before[0] if before else FOLLOWER):
            self.say(f"{name} {role.upper()} term {term}")
