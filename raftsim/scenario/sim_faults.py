"""What a simulated world can do to itself, for scenarios. Every fault gives its witness: whether it was felt since."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from itertools import permutations
from math import inf
from typing import Any, Final

from raftsim.sim.holds import Hold, Match
from raftsim.sim.network import CLOG, CUT, LOSS, SENT, THIN, Link
from raftsim.sim.world import World
from raftsim.trace.events import DUPLICATE

Felt = Callable[[], bool]
Pairs = Collection[tuple[str, str]]  # (src, dst), by names
SIGNS: Final = {"loss": LOSS, "duplicate": DUPLICATE, "bytes_per_s": THIN}  # field of a model -> what tells it


class SimFaults:
    def __init__(self, world: World) -> None:
        self._world = world
        self._changed: set[tuple[str, str]] = set()  # links with a model of their own

    def hold(self, kinds: Any, src: Any, dst: Any, term: Any, index: Any, limit: int | None) -> Hold:
        """`src` and `dst` are names; the rest is that of a Match. None: whatever it is."""
        return self._world.hold(Match(kinds, self._ids(src), self._ids(dst), term, index), limit)

    def cut(self, pairs: Pairs) -> Felt:
        for src, dst in sorted(pairs):
            self._world.cut(src, dst)
        return self._felt(pairs, CUT)

    def partition(self, groups: Iterable[Collection[str]]) -> Felt:
        """Two servers hear each other only if one group has both."""
        together = {pair for group in groups for pair in permutations(group, 2)}
        return self.cut(set(permutations(self._world.names, 2)) - together)

    def clog(self, pairs: Pairs, for_s: float) -> Felt:
        for src, dst in sorted(pairs):
            self._world.clog(src, dst, for_s)
        return self._felt(pairs, CLOG)

    def link(self, pairs: Pairs, changes: Mapping[str, Any]) -> Felt:
        """Change what these links are like. What was changed before stays so."""
        network = self._world.network
        for src, dst in sorted(pairs):
            model = network.models.get(self._link(src, dst), network.model)
            self._world.link(src, dst, replace(model, **changes))
        self._changed.update(pairs)
        harm = {name for name, value in changes.items() if value not in (0, inf)}
        return self._felt(pairs, *sorted({SIGNS.get(name, SENT) for name in harm}))

    def heal(self) -> None:
        """Mend every cut; every link is again what it was at first."""
        self._world.heal()
        for src, dst in sorted(self._changed):
            self._world.link(src, dst, None)
        self._changed.clear()

    def disk(self, name: str, fault: str, value: Any) -> Felt:
        """`fault` is a key of the step `disk`. Raises ValueError: this disk has no such byte."""
        disk, host = self._world.disk(name), self._world.hosts[name]
        if fault == "rot":
            disk.rot_log(value)
            life = host.life, host.halted  # it is felt by the server that is started from it
            return lambda: (host.life, host.halted) != life
        before = disk.felt(fault)
        act = getattr(disk, fault)
        act() if value is True else act(value)
        return lambda: fault == "mend" or disk.felt(fault) > before

    def clock(self, name: str, rate: float, jump_s: float) -> Felt:
        self._world.set_clock(name, rate=rate, jump_s=jump_s)
        host, since = self._world.hosts[name], self._world.now
        return lambda: host.node is not None and self._world.now > since

    def wipe(self, name: str) -> Felt:
        """Felt if there was anything to lose but the beginning that all have."""
        held = self._world.hosts[name].disk.restored()
        lost = held.hard.term > 0 or held.snapshot is not None or len(held.entries) > 1
        self._world.wipe(name)
        return lambda: lost

    def slow(self, name: str, apply_s: float) -> Felt:
        self._world.slow_apply(name, apply_s)
        busy = self._world.hosts[name].busy
        return lambda: busy is not None and busy.applied > 0

    def pause(self, name: str) -> Felt:
        """Felt by the time that passes meanwhile."""
        since = self._world.now
        self._world.pause(name)
        return lambda: self._world.now > since

    def resume(self, name: str) -> None:
        """Unless something else has ended the pause."""
        if self._world.hosts[name].paused:
            self._world.resume(name)

    def _felt(self, pairs: Pairs, *signs: str) -> Felt:
        """Whether each of these was felt since on one of the links."""
        felt, links = self._world.network.felt, [self._link(src, dst) for src, dst in pairs]
        before = {sign: sum(felt[link, sign] for link in links) for sign in signs}
        return lambda: all(sum(felt[link, sign] for link in links) > count for sign, count in before.items())

    def _link(self, src: str, dst: str) -> Link:
        return self._world.ids[src], self._world.ids[dst]

    def _ids(self, names: Collection[str] | None) -> set[str] | None:
        return None if names is None else {self._world.ids[name] for name in names}
