"""Messages held back by hand: they arrive, and wait until somebody delivers, drops or doubles them.

A hold catches at delivery, as a cut does: what is on its way when it begins is caught too. What it hands over is
delivered whatever is cut by then; it has left the network long ago.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from raftsim.core.messages import (
    Append,
    AppendReply,
    Hail,
    Install,
    InstallReply,
    Message,
    TimeoutNow,
    Vote,
    VoteReply,
)
from raftsim.sim.network import DROPPED

if TYPE_CHECKING:
    from raftsim.node.ports import PeerMessage
    from raftsim.sim.host import Host
    from raftsim.sim.network import Network

HEARTBEAT: Final = "heartbeat"  # an Append without entries
NAMES: Final[dict[type[Message], str]] = {
    Vote: "vote",
    VoteReply: "vote-reply",
    Append: "append",
    AppendReply: "append-reply",
    Install: "install",
    InstallReply: "install-reply",
    TimeoutNow: "timeout-now",
    Hail: "hail",
}
PRE: Final = "pre-"  # before `vote` and `vote-reply` of a pre-vote
KINDS: Final = (*NAMES.values(), HEARTBEAT, "pre-vote", "pre-vote-reply")


def kind_of(message: Message) -> str:
    if isinstance(message, Append) and not message.entries:
        return HEARTBEAT
    pre = PRE if isinstance(message, Vote | VoteReply) and message.pre else ""
    return pre + NAMES[type(message)]


def index_of(message: Message) -> int | None:
    """The index a message speaks of: the last one it brings, asks with, acknowledges or refuses. None: of none."""
    match message:
        case Append():
            return message.prev_index + len(message.entries)
        case Vote():
            return message.last_index
        case Install():
            return message.meta.index
        case AppendReply() | InstallReply():
            return message.index
    return None


@dataclass(frozen=True, slots=True)
class Match:
    """Which messages: of these kinds, from and to these ids, whose term and index are so. None: whatever it is."""

    kinds: Collection[str] | None = None
    src: Collection[str] | None = None
    dst: Collection[str] | None = None
    term: Callable[[int], bool] | None = None
    index: Callable[[int], bool] | None = None

    def fits(self, message: Message) -> bool:
        if self.src is not None and message.src not in self.src:
            return False
        if self.dst is not None and message.dst not in self.dst:
            return False
        if self.kinds is not None and kind_of(message) not in self.kinds:
            return False
        if self.term is not None and not self.term(message.term):
            return False
        index = index_of(message)
        return self.index is None or (index is not None and self.index(index))


class Hold:
    """`caught` counts what it caught: a hold that never caught anything has tested nothing. `held`: what waits."""

    def __init__(self, match: Match, limit: int | None, network: Network, tell: Callable[..., None]) -> None:
        self.caught = 0
        self.held: list[tuple[Host, Message]] = []
        self._match = match
        self._limit = limit
        self._network = network
        self._tell = tell

    @property
    def over(self) -> bool:
        """Whether it has ended, and catches nothing any more."""
        return self not in self._network.holds

    def takes(self, dst: Host, message: PeerMessage) -> bool:
        """Whether this message, which arrives at `dst`, waits here from now on."""
        if not isinstance(message, Message) or self.caught == self._limit or not self._match.fits(message):
            return False
        self.caught += 1
        self.held.append((dst, message))
        return True

    def deliver(self, count: int | None = None, *, newest: bool = False) -> int:
        """Hand over the `count` oldest (or newest) messages; None: all, and the hold ends. Returns how many."""
        taken = self._take("deliver", count, newest=newest)
        for dst, message in taken:
            self._network.hand_in(dst, message)
        return len(taken)

    def drop(self, count: int | None = None, *, newest: bool = False) -> int:
        """As `deliver`, but they are lost."""
        taken = self._take("drop", count, newest=newest)
        for dst, message in taken:
            self._network.drop(dst, message, DROPPED)
        return len(taken)

    def duplicate(self, count: int | None = None, *, newest: bool = False) -> int:
        """Hand over a copy of the `count` oldest (or newest) messages, of all if None. They go on waiting."""
        taken = self._choose(count, newest=newest)
        self._tell("duplicate", str(len(taken)))
        for dst, message in taken:
            self._network.hand_in(dst, message)
        return len(taken)

    def _take(self, what: str, count: int | None, *, newest: bool) -> list[tuple[Host, Message]]:
        taken = self._choose(count, newest=newest)
        self._tell(what, str(len(taken)))
        chosen = set(map(id, taken))
        self.held = [each for each in self.held if id(each) not in chosen]
        if count is None:
            self._network.holds.remove(self)
        return taken

    def _choose(self, count: int | None, *, newest: bool) -> list[tuple[Host, Message]]:
        if count is None:
            return list(self.held)
        return self.held[-count:] if newest else self.held[:count]
