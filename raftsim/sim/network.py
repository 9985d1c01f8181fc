"""The network of the simulated world: delay, loss, doubles, order, bandwidth, clogs and cuts, each way of each link.

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
from typing import TYPE_CHECKING, Any, Final

from raftsim.node.requests import Relay, RelayReply
from raftsim.sim.delays import Delay, Uniform
from raftsim.sim.pipes import Pipes, size_of
from raftsim.sim.timeline import Timeline
from raftsim.trace.events import DROP, DUPLICATE

if TYPE_CHECKING:
    from raftsim.node.ports import PeerMessage
    from raftsim.sim.holds import Hold
    from raftsim.sim.host import Host

Link = tuple[str, str]  # (src id, dst id): one direction

CUT: Final = "cut"
LOSS: Final = "loss"
DOWN: Final = "down"  # nobody there, or no longer the process it was sent to
DROPPED: Final = "dropped by hand"
QUEUE: Final = "queue"  # more was waiting for its bandwidth than a link keeps
# felt besides
THIN: Final = "thin"  # waited for what was sent before it
CLOG: Final = "clog"
SENT: Final = "sent"  # over a link that differs from the network


DELAY: Final = Uniform(0.0005, 0.002)  # of a good network
RELAYED: Final = (Relay, RelayReply)


@dataclass(frozen=True, slots=True)
class NetworkModel:
    """One direction of one link. `loss` and `duplicate` are probabilities; `fifo`: nothing overtakes.

    Raft messages share `bytes_per_s`: each waits for those before it, and is lost if more than `queue_bytes` wait.
    """

    delay: Delay = DELAY
    loss: float = 0.0
    duplicate: float = 0.0
    fifo: bool = False
    bytes_per_s: float = inf
    queue_bytes: int = 1 << 20

    def __post_init__(self) -> None:
        for name in ("loss", "duplicate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be a probability between 0 and 1, got {getattr(self, name)}")
        if self.bytes_per_s <= 0 or self.queue_bytes <= 0:
            raise ValueError(f"bandwidth and queue must be positive, got {self.bytes_per_s} and {self.queue_bytes}")


class Network:
    """All links. Counters are witnesses that a fault was felt: `dropped` by reason, `cut_drops` by link, and `felt` by
    link and what happened there."""

    def __init__(self, timeline: Timeline, model: NetworkModel, rng: Random, hosts: dict[str, Host]) -> None:
        self.model = model
        self.usual: dict[Link, NetworkModel] = {}  # links that differ from `model`, though nothing was done to them
        self.models: dict[Link, NetworkModel] = {}  # links that differ from `model`
        self.cuts: set[Link] = set()
        self.clogs: dict[Link, float] = {}  # nothing arrives before this time
        self.holds: list[Hold] = []
        self.delivered = 0
        self.duplicated = 0
        self.dropped: Counter[str] = Counter()
        self.cut_drops: Counter[Link] = Counter()
        self.felt: Counter[tuple[Link, str]] = Counter()
        self._timeline = timeline
        self._rng = rng
        self._hosts = hosts  # by id
        self._last_arrival: dict[Link, float] = {}
        self._pipes = Pipes()

    def send(self, src: Host, message: PeerMessage) -> None:
        dst = self._hosts.get(message.dst)
        if dst is None:
            self.drop(src, message, DOWN)
            return
        if isinstance(message, RELAYED):
            self._send_in_order(src, dst, dst.deliver_to_life, (message, dst.life))
            return
        model, link = self.model, (src.id, dst.id)
        if self.models and link in self.models:
            model = self.models[link]
            self.felt[link, SENT] += 1
        rng = self._rng
        if model.loss and rng.random() < model.loss:
            self.drop(src, message, LOSS)
            return
        if model.duplicate and rng.random() < model.duplicate:
            self.duplicated += 1
            self.felt[link, DUPLICATE] += 1
            src.emit(DUPLICATE, message)
            self._travel(src, dst, model, message)
        self._travel(src, dst, model, message)

    def _travel(self, src: Host, dst: Host, model: NetworkModel, message: PeerMessage) -> None:
        """One copy of `message` sets out."""
        time = self._timeline.now
        if model.bytes_per_s < inf:
            link = (src.id, dst.id)
            sent = self._pipes.send(link, time, size_of(message), model.bytes_per_s, model.queue_bytes)
            if sent is None:
                self.drop(src, message, QUEUE)
                return
            self.felt[link, THIN] += 1
            time = sent
        time += model.delay.draw(self._rng)
        if model.fifo:
            time = self._after_earlier((src.id, dst.id), time)
        self._timeline.at(time, dst.deliver, message)

    def keeps(self, dst: Host, message: PeerMessage) -> bool:
        """Whether a message that arrives now has to wait, held by hand or clogged."""
        if any(hold.takes(dst, message) for hold in self.holds):
            return True
        return self._clogged((message.src, dst.id), dst.deliver, message)

    def hand_in(self, dst: Host, message: PeerMessage) -> None:
        """Have a message that was held back delivered before anything else happens."""
        self._timeline.at(self._timeline.now, dst.hand_in, message)

    def _arrive(self, arrival: tuple[Link, Callable[[Any], None], Any]) -> None:
        link, act, arg = arrival
        if not self._clogged(link, act, arg):
            act(arg)

    def _clogged(self, link: Link, act: Callable[[Any], None], arg: Any) -> bool:
        """Whether the link is clogged; then `act(arg)` waits until it is not, behind all that waits already."""
        until = self.clogs.get(link)
        if until is None:
            return False
        if until <= self._timeline.now:
            del self.clogs[link]
            return False
        self.felt[link, CLOG] += 1
        self._timeline.at(until, act, arg)
        return True

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
        self.felt[(message.src, message.dst), why] += 1
        if why == CUT:
            self.cut_drops[message.src, message.dst] += 1
        host.emit(DROP, (message, why))

    def _send_in_order(self, src: Host, dst: Host, act: Callable[[Any], None], arg: Any) -> None:
        """Have `act(arg)` called when what leaves `src` now reaches `dst`, after all that was sent so before."""
        link = (src.id, dst.id)
        delay = self.models.get(link, self.model).delay.draw(self._rng)
        self._timeline.at(self._after_earlier(link, self._timeline.now + delay), self._arrive, (link, act, arg))

    def _after_earlier(self, link: Link, time: float) -> float:
        time = max(time, self._last_arrival.get(link, -inf))
        self._last_arrival[link] = time
        return time
