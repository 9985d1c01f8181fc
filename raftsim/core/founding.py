"""The first servers of a cluster, and how one that lost its disk is told from them (B44).

A server whose disk was wiped may have voted and acknowledged under its name, and knows nothing of it. So a vote does
not belong to a name, but to one incarnation of it: every store draws a random number when it is begun, every reply
carries it, and the configuration says which incarnation was given the vote. What another one says counts in no
election, no commit and no read: to Raft it is another server, at the same address. It gets the vote as any other
server does, by two changes of the membership (`membership.tend`): the lost voter leaves, which needs a quorum without
it, and the new one is given the vote once it has caught up. With a majority wiped nobody can be elected, as it must
be; only an operator can decide to go on with what is left (peers.json).

That leaves the beginning: the first configuration is made before its servers have met, so it can name nobody's number.
There the vote is the founder's, whose incarnation is 0, and what is to be decided is who may call itself so. A server
that begins with an empty disk hails all others of the first configuration with its number, and is a founder when each
of them has answered that it met this very number. Whoever has begun, that is, has heard of a term, meets nobody new.

- A vote or an acknowledgement mattered only together with another server, and that one had a term on its disk before.
  When the first is wiped, its new number is one the other never met. So as long as one witness of the past is among
  the first servers, nobody who was wiped becomes a founder. And whoever is refused takes the witness's term: it is a
  witness from then on. If all first servers of a cluster that has grown are wiped at once, none is left, and they begin
  a cluster of their own; for a cluster that one server began, its id is drawn by lot, so that the two never mix.
- An answer names the number it is for, so a delayed one from before a wipe speaks for nobody.
- A fresh cluster begins when all its first servers have met, and not before: with one of them missing, nobody can tell
  a late first start from a wiped server. (Nomad's `bootstrap_expect` waits for all as well.)
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

from raftsim.core import election
from raftsim.core.config import Config
from raftsim.core.entry import Restored
from raftsim.core.messages import Hail
from raftsim.core.output import MemoryLost

if TYPE_CHECKING:
    from raftsim.core.raft import Raft


class Founding:
    """What is known of the others' beginnings. `asks`: whose answers are needed to be a founder."""

    __slots__ = ("asks", "deadline", "founder", "met", "own", "refused", "vouched")

    def __init__(self, restored: Restored, id: str, now: float) -> None:
        self.own = restored.incarnation
        self.founder = restored.hard.founder
        self.met: dict[str, int] = {}  # id -> incarnation
        self.vouched: set[str] = set()  # they have met this incarnation
        self.refused: set[str] = set()  # they had begun without it: it has a past that it does not know
        self.asks: tuple[str, ...] = ()
        self.deadline = inf  # when to hail the next time
        first = restored.entries[0].data if restored.entries and restored.base_index == 0 else None
        begins = self.own > 0 and not restored.hard.founder
        if begins and isinstance(first, Config) and first.is_voter(id):
            self.asks = tuple(other for other in first.voters if other != id)
            self.deadline = now

    @property
    def incarnation(self) -> int:
        """As which this server speaks."""
        return 0 if self.founder else self.own


def hail(raft: Raft, now: float) -> None:
    """Ask all others of the first configuration, time and again, until this server is a founder or was given a vote."""
    found = raft.founding
    if found.founder or raft.config.has_vote(raft.id, found.own):
        found.deadline = inf
    elif found.vouched.issuperset(found.asks):
        found.founder, found.deadline = True, inf
        raft.hard = replace(raft.hard, founder=True)
        election.rest(raft, now)
    else:
        settings = raft.settings
        found.deadline = now + (settings.election_timeout_max_s if found.refused else settings.heartbeat_interval_s)
        for other in found.asks:
            if other not in found.vouched:
                _say(raft, other, answer=False)


def on_hail(raft: Raft, message: Hail, now: float) -> None:
    found, other = raft.founding, message.src
    if raft.term == 0 and raft.config.is_voter(other):
        found.met[other] = message.incarnation
    if other in found.asks and not found.founder and not raft.config.has_vote(raft.id, found.own):
        _heed(raft, message, now)
    if not message.answer:
        _say(raft, other, answer=True)


def _heed(raft: Raft, message: Hail, now: float) -> None:
    """One of those whose answers count has met this incarnation, or has begun without it."""
    found, other = raft.founding, message.src
    if message.knows == found.own:
        found.vouched.add(other)
        found.refused.discard(other)
        if found.vouched.issuperset(found.asks):
            hail(raft, now)
    elif message.begun and other not in found.vouched:
        if not found.refused:
            raft.events.append(MemoryLost(other))
        found.refused.add(other)
        if message.term > raft.term:
            raft.follow(message.term, None)  # from here on this server is a witness itself


def _say(raft: Raft, other: str, *, answer: bool) -> None:
    # After the sync: that this server has met another, or has begun, must not be taken back by a crash.
    found = raft.founding
    raft.promise(Hail(raft.term, raft.id, other, found.own, found.met.get(other, 0), raft.term > 0, answer))
