"""A server that is slow to apply. It applies in its turn, so that everything else waits meanwhile, as it does live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raftsim.sim.timeline import Timeline
from raftsim.trace.events import APPLY

if TYPE_CHECKING:
    from raftsim.sim.host import Host


class Busy:
    """`apply_s` of work with every entry; `applied` counts them."""

    def __init__(self, host: Host, timeline: Timeline, apply_s: float) -> None:
        self.applied = 0
        self._host = host
        self._timeline = timeline
        self._apply_s = apply_s
        self._owed_s = 0.0

    def observe(self, kind: str, subject: object) -> None:
        """Stands between the server and its observer."""
        if kind == APPLY:
            self.applied += 1
            self._owed_s += self._apply_s
        self._host.emit(kind, subject)

    def work(self) -> None:
        """After a turn: take the time that it should have taken."""
        host = self._host
        if self._owed_s and host.node is not None and not host.paused:
            host.pause()
            self._timeline.at(self._timeline.now + self._owed_s, self._done, host.life)
            self._owed_s = 0.0

    def _done(self, life: int) -> None:
        if self._host.life == life and self._host.paused:
            self._host.resume()
