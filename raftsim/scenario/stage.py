"""What all steps share: looking at the cluster, waiting, finding who is meant, telling what happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from raftsim.scenario.model import Put
from raftsim.scenario.report import INVALID, VIOLATED, Report
from raftsim.scenario.selectors import Selector
from raftsim.scenario.target import Target, Ticket, WriteVariable
from raftsim.scenario.view import FOLLOWER, LEADER, Cast, Status, View
from raftsim.scenario.writes import Batch


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the account of a run."""

    time_s: float
    text: str


class Ended(Exception):
    """The run is over before its last step."""

    def __init__(self, verdict: str, reason: str) -> None:
        super().__init__(reason)
        self.verdict = verdict
        self.reason = reason


class Stage:
    def __init__(self, target: Target, report: Report, tell: Callable[[Line], None]) -> None:
        self.target = target
        self.report = report
        self.cast = Cast(target.names, Random(f"{report.seed}/scenario"))
        self.batches: list[Batch] = []
        self.vacuous: list[str] = []  # the faults that never took effect
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
        return View(statuses, self._names_by_id, self.cast)

    def wait(self, holds: Callable[[View], bool], within_s: float) -> bool:
        """Let time pass until `holds`, within a bound that a slow machine may stretch."""
        return self.spend(holds, within_s * self.target.slack)

    def spend(self, holds: Callable[[View], bool], limit_s: float) -> bool:
        """Let time pass, while the clients go on writing, until `holds`; False after `limit_s` seconds."""

        def predicate() -> bool:
            for batch in self.batches:
                batch.pump()
            return holds(self.view())

        return self.target.wait(predicate, limit_s)

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

    def violated(self, reason: str) -> Ended:
        return Ended(VIOLATED, f"{reason}; there is: {self.view().describe()}")

    def start_writes(self, put: Put) -> Batch:
        def send(write: WriteVariable) -> Ticket | None:
            servers = put.via.find(self.view())
            return self.target.submit(servers[0], write) if servers else None

        batch = Batch(len(self.batches) + 1, put, send)
        self.batches.append(batch)
        return batch

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
