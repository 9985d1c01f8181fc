"""How much is broken in a run, and how long nothing has been done to it: what keeps shrinking honest.

A file that demands something within a time can be made to fail by giving less time, by not mending what was broken, or
by not breaking what was to be replaced; then it fails with every Raft. So the same must be broken when it fails as at
first, requests must wait if they did, and calm must have lasted as long. What a demand with a number in it counts may
have come about by what was asked for, so no less may be asked for.

An invariant fails by itself, but no Raft keeps its promises when more disks are lost than a minority.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from raftsim.trace import events
from raftsim.trace.events import Event

_LOSING: Final = ("lying syncs", "rot")  # disks that forget what they called durable
_ROUNDING: Final = 0.99


@dataclass(frozen=True, slots=True)
class Condition:
    """Of a run at its end. `broken`: how many of what. `calm`: in election timeouts. `asked`: requests that servers
    took, of which some may be `waiting`. `forgetful`: servers whose disk has lost what was durable, of all `servers`;
    `rotten`: a bit of some disk has changed."""

    broken: Mapping[str, int]
    calm: float
    asked: int
    waiting: bool
    forgetful: int
    rotten: bool
    servers: int

    def is_as_able_as(self, other: Condition) -> bool:
        """Whether a cluster in this condition may be expected to do what one in `other` may. What is broken may be why
        that is expected, so it must be the same, and of as many servers."""
        as_many = self.servers == other.servers or not self.broken
        as_long = self.calm >= other.calm * _ROUNDING and self.waiting == other.waiting
        return self.broken == other.broken and as_many and as_long

    def remembers_as_much_as(self, other: Condition) -> bool:
        if other.rotten and self.asked < other.asked:
            return False  # at the end of a log the damage looks like a torn write
        return self.forgetful <= other.forgetful and (self._bears(self.forgetful) or not other._bears(other.forgetful))

    def _bears(self, losses: int) -> bool:
        """Whether the others are a majority."""
        return losses <= (self.servers - 1) // 2


class Wear:
    """Give it every event of a run."""

    def __init__(self) -> None:
        self._broken: dict[str, set[Any]] = {}
        self._forgetful: set[str] = set()
        self._rotten = False
        self._asked = 0
        self._open: dict[str, set[int]] = {}  # server -> the numbers of its requests
        self._last = 0.0

    def observe(self, event: Event) -> None:
        kind, name = event.kind, event.node
        if kind == events.CRASH:
            self._note(event, "down", name)
            self._mended("paused", name)
            self._open.pop(name, None)
        elif kind == events.REQUEST:
            self._asked += 1
            self._open.setdefault(name, set()).add(event.subject[0])
        elif kind == events.OUTCOME:
            self._open.get(name, set()).discard(event.subject[0])
        elif kind == events.PAUSE:
            self._note(event, "paused", name)
        elif kind == events.RESUME:
            self._last = event.time
            self._mended("paused", name)
        elif kind == events.WIPE:
            self._forgetful.add(name)
        elif kind == events.FAULT:
            self._fault(event, *event.subject)

    def condition(self, now: float, election_s: float, servers: int) -> Condition:
        broken = {what: len(places) for what, places in sorted(self._broken.items()) if places}
        calm, waiting = (now - self._last) / election_s, any(self._open.values())
        return Condition(broken, calm, self._asked, waiting, len(self._forgetful), self._rotten, servers)

    def _fault(self, event: Event, verb: str, *what: str) -> None:
        self._last = event.time
        if verb == "heal":
            self._broken.pop("cut", None)
        elif verb == "restart":  # whether it starts is its own business
            self._mended("down", what[0])
        elif verb == "disk":
            name, fault = what[:2]
            if fault == "mend":
                self._mended("disk", name)
            else:
                self._note(event, "disk", name)
            if fault in _LOSING:
                self._forgetful.add(name)
            self._rotten |= fault == "rot"
        elif verb == "link" and what[-1] == "None":
            self._mended("link", what[:2])
        elif verb in ("cut", "link", "clog"):
            self._note(event, verb, what[:2])
        elif verb in ("hold", "clock", "slow apply"):
            self._note(event, verb, what)

    def _note(self, event: Event, what: str, place: object) -> None:
        self._last = event.time
        self._broken.setdefault(what, set()).add(place)

    def _mended(self, what: str, place: object) -> None:
        self._broken.get(what, set()).discard(place)
