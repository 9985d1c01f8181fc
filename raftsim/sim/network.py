"""The network of the simulated world: delay, loss, duplication, order and cuts, for each direction of each link.

Raft messages travel as datagrams: they may be lost, doubled or overtake each other (unless `fifo`), and may reach the
next life of a restarted server. Requests that servers relay for clients, and the news that a link was made or broke,
travel as over a connection: in order, once, and only to the life they were sent to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

from raftsim.node.requests import Relay, RelayReply
from raftsim.sim.timeline import Timeline
from raftsim.trace.events import DROP, DUPLICATE

if TYPE_CHECKING:
    from raftsim.node.ports import PeerMessage
    from raftsim.sim.host import Host

Link = tuple[str, str]  # (src id, dst id): one direction

CUT = "cut"
LOSS = "loss"
DOWN = "down"  # nobody there, or no longer the process it was sent to


class Delay(Protocol):
    def draw(self, rng: Random) -> float:
        """Seconds from sending to delivery."""


@dataclass(frozen=True, slots=True)
class Uniform:
    min_s: float
    max_s: float

    def draw(self, rng: Random) -> float:
        return self.min_s + (self.max_s - self.min_s) * rng.random()


@dataclass(frozen=True, slots=True)
class Normal:
    mean_s: float
    stddev_s: float
    min_s: float = 0.0

    def draw(self, rng: Random) -> float:
        return max(self.min_s, rng.gauss(self.mean_s, self.stddev_s))


@dataclass(frozen=True, slots=True)
class Exponential:
    mean_s: float
    min_s: float = 0.0

    def draw(self, rng: Random) -> float:
        return self.min_s + rng.expovariate(1.0) * (self.mean_s - self.min_s)


@dataclass(frozen=True, slots=True)
class NetworkModel:
    """One direction of one link. `loss` and `duplicate` are probabilities; `fifo`: nothing overtakes."""

    delay: Delay = Uniform(0.0005, 0.002)
    loss: float = 0.0
    duplicate: float = 0.0
    fifo: bool = False

    def __post_init__(self) -> None:
        for name in ("loss", "duplicate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be a probability between 0 and 1, got {getattr(self, name)}")


class Network:
    """All links. Counters are witnesses that a fault was felt: `dropped` by reason, `cut_drops` by link."""

    def __init__(self, timeline: Timeline, model: NetworkModel, rng: Random, hosts: dict[str, Host]) -> None:
        self.model = model
        self.models: dict[Link, NetworkModel] = {}  # links that differ from `model`
        self.cuts: set[Link] = set()
        self.delivered = 0
        self.duplicated = 0
        self.dropped: Counter[str] = Counter()
        self.cut_drops: Counter[Link] = Counter()
        self._timeline = timeline
        self._rng = rng
        self._hosts = hosts  # by id
        self._last_arrival: dict[Link, float] = {}

    def send(self, src: Host, message: PeerMessage) -> None:
        dst = self._hosts.get(message.dst)
        if dst is None:
            self.drop(src, message, DOWN)
            return
        if isinstance(message, Relay | RelayReply):
            self._send_in_order(src, dst, dst.deliver_to_life, (message, dst.life))
            return
        link = (src.id, dst.id)
        model = self.models.get(link, self.model) if self.models else self.model
        rng = self._rng
        if model.loss and rng.random() < model.loss:
            self.drop(src, message, LOSS)
            return
        copies = 1
        if model.duplicate and rng.random() < model.duplicate:
            copies = 2
            self.duplicated += 1
            src.emit(DUPLICATE, message)
        for _ in range(copies):
            time = self._timeline.now + model.delay.draw(rng)
            if model.fifo:
                time = self._after_earlier(link, time)
            self._timeline.at(time, dst.deliver, message)

    def connect(self, src: Host) -> None:
        """`src` makes links with every server that is up, both ways."""
        for dst in self._hosts.values():
            if dst is not src and dst.node is not None:
                self.introduce(src, dst)
                self.introduce(dst, src)

    def introduce(self, src: Host, dst: Host) -> None:
        self._send_in_order(src, dst, dst.met, (src.info, dst.life))

    def hung_up(self, src: Host) -> None:
        """`src` is gone: its peers see their connections break, and new ones refused."""
        for dst in self._hosts.values():
            if dst.node is not None:
                self._send_in_order(src, dst, dst.lost, (src.id, dst.life))
                self._send_in_order(src, dst, self._refuse, (src, dst, dst.life))

    def _refuse(self, knock: tuple[Host, Host, int]) -> None:
        """`dst` has tried to make a new link with `src`, which may be there again."""
        src, dst, life = knock
        if src.node is None and (dst.id, src.id) not in self.cuts:
            dst.refused((src.id, life))

    def shut_out(self, host: Host) -> None:
        """`host` finds its links broken and new ones refused, as if all others were gone."""
        for peer in self._hosts:
            if peer != host.id:
                host.lost((peer, host.life))
                host.refused((peer, host.life))

    def drop(self, host: Host, message: PeerMessage, why: str) -> None:
        """Count and tell that `message` was lost, as seen by `host`."""
        self.dropped[why] += 1
        if why == CUT:
            self.cut_drops[message.src, message.dst] += 1
        host.emit(DROP, (message, why))

    def _send_in_order(self, src: Host, dst: Host, act: Callable[[Any], None], arg: Any) -> None:
        """Have `act(arg)` called when what leaves `src` now reaches `dst`, after all that was sent so before."""
        link = (src.id, dst.id)
        delay = self.models.get(link, self.model).delay.draw(self._rng)
        self._timeline.at(self._after_earlier(link, self._timeline.now + delay), act, arg)

    def _after_earlier(self, link: Link, time: float) -> float:
        time = max(time, self._last_arrival.get(link, -inf))
        self._last_arrival[link] = time
        return time
