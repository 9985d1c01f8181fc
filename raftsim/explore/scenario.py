"""The way to a violation as a scenario: the same steps, told to a simulated cluster in which nothing else happens.

Every message between two servers is held on its arrival, and handed over when the way says so. A clock that jumps by
more than any timeout has one timer fire. A crash before a write is durable is a power cut at the disk's next operation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from textwrap import fill

from raftsim.explore.properties import Violation
from raftsim.explore.servers import CRASH, HEARTBEAT, PROPOSE, TIMEOUT
from raftsim.explore.story import sentence
from raftsim.explore.world import DELIVER, DROP, Action, World, Worlds

WIDTH = 110
HEAD = """\
name: counterexample
about: >
  Found by exploring every run of a small cluster. Timeouts are so long that nothing happens but what is told here.
violates: "{invariant}"

cluster: {{nodes: {nodes}, heartbeat: 10m, election: [20m, 30m], prevote: false, check_quorum: false}}
settings: {{stickiness: false, fast_failover: false, max_inflight_appends: 1, commit_delay: 10m}}
network: {{delay: 1ms, reorder: false}}

steps:
  # The servers find each other.
  - run: 11m
"""
HOLD = """\
  - hold: {{kind: [vote, vote-reply, append, heartbeat, append-reply], from: {src}, to: {dst}}}
    as: {src}-{dst}
"""
ENDING = """\
  - run: 60m
  - run: 60m
  - until: {condition}
    within: 60m"""
A_MOMENT = "  - run: 100ms"


class CannotBeTold(Exception):
    """The scenario language has no words for this way. The message is one sentence."""


@dataclass(slots=True)
class _Sent:
    """A message that waits in the hold of its link. `wanted`: the way speaks of it again."""

    message: int
    wanted: bool = False


@dataclass(slots=True)
class _Queues:
    """What waits on each link of a simulated cluster, the oldest first."""

    waiting: dict[int, list[_Sent]] = field(default_factory=dict)

    def send(self, link: int, sent: _Sent) -> None:
        self.waiting.setdefault(link, []).append(sent)

    def find(self, link: int, message: int) -> _Sent:
        """The oldest such message."""
        return next(sent for sent in self.waiting[link] if sent.message == message)


def as_scenario(
    worlds: Worlds, story: Sequence[tuple[World, Action]], violation: Violation, condition: str = ""
) -> str:
    """The text of a file for `raftsim run`. Of a dead end, `condition` is what must still come about. Raises
    CannotBeTold."""
    if worlds.bounds.nodes == 1:
        raise CannotBeTold("a cluster of one server elects itself at once: its timers cannot be told in a scenario")
    teller = _Teller(worlds, story)
    steps = list(teller.steps())
    ways = teller.ways()
    holds = [HOLD.format(src=src, dst=dst) for src, dst in ways]
    end = [ENDING.format(condition=condition)] if condition else []
    end[:0] = [f"  - deliver: {src}-{dst}" for src, dst in ways] if condition else []
    head = HEAD.format(invariant=violation.invariant, nodes=worlds.bounds.nodes)
    return head + "".join(holds) + "\n".join([*steps, *end]) + "\n"


class _Teller:
    def __init__(self, worlds: Worlds, story: Sequence[tuple[World, Action]]) -> None:
        self._worlds = worlds
        self._story = story
        self._sent = [[_Sent(message) for message in action.step.sent] if action.step else [] for _, action in story]
        self._met = self._match()
        self._queues = _Queues()

    def ways(self) -> list[tuple[str, str]]:
        """Over which something is sent: from whom, to whom."""
        return [self._way(link) for link in sorted(self._queues.waiting)]

    def _way(self, link: int) -> tuple[str, str]:
        names = self._worlds.names
        return names[link // len(names)], names[link % len(names)]

    def _match(self) -> list[_Sent | None]:
        """Which of the messages that were sent each action hands over or loses."""
        table, queues = self._worlds.table, _Queues()
        met: list[_Sent | None] = []
        for (_, action), sent in zip(self._story, self._sent, strict=True):
            found = None
            if action.kind in (DELIVER, DROP):
                link = table.links[action.message]
                found = queues.find(link, action.message)
                found.wanted = True
                if action.kind == DROP or not self._worlds.bounds.duplicate:
                    queues.waiting[link].remove(found)
            met.append(found)
            for message in sent:
                queues.send(table.links[message.message], message)
        return met

    def steps(self) -> Iterator[str]:
        for number, ((before, action), sent, met) in enumerate(zip(self._story, self._sent, self._met, strict=True), 1):
            text = f"{number}. {sentence(self._worlds, before, action)}"
            yield "\n" + fill(text, WIDTH, initial_indent="  # ", subsequent_indent="  # ")
            yield from self._step(before, action, met)
            yield A_MOMENT
            if action.step is not None and action.step.crashed:
                yield f"  - restart: {self._worlds.names[action.place]}"
                yield A_MOMENT
            for message in sent:
                self._queues.send(self._worlds.table.links[message.message], message)

    def _step(self, before: World, action: Action, met: _Sent | None) -> Iterator[str]:
        name, step = self._worlds.names[action.place], action.step
        if action.kind == CRASH:
            yield f"  - crash: {name}"
            return
        if step is not None and step.crashed:
            self._check_crash(before, action)
            yield f"  - disk: {{node: {name}, cut_power: 0}}"
        if action.kind in (TIMEOUT, HEARTBEAT):
            yield f"  - clock: {{node: {name}, jump: 31m}}"
        elif action.kind == PROPOSE:
            yield f"  - put: 1\n    via: {name}\n    wait: false"
        elif met is not None:
            yield from self._hand_over(action, met)

    def _check_crash(self, before: World, action: Action) -> None:
        (lost,) = self._worlds.table.crash(before.servers[action.place])
        if action.step is None or action.step.state != lost.state:
            name = self._worlds.names[action.place]
            raise CannotBeTold(f"{name} crashes between two writes of one step, which no scenario can tell")

    def _hand_over(self, action: Action, met: _Sent) -> Iterator[str]:
        """A hold gives its oldest message or its newest, so what is never wanted makes room."""
        link = self._worlds.table.links[met.message]
        waiting = self._queues.waiting[link]
        place = next(place for place, sent in enumerate(waiting) if sent is met)
        older, newer = waiting[:place], waiting[place + 1 :]
        way = "-".join(self._way(link))
        which = ""
        if not any(sent.wanted for sent in older):
            yield from _drop(way, len(older), "")
            del waiting[:place]
        elif not any(sent.wanted for sent in newer):
            which = "\n    which: newest"
            yield from _drop(way, len(newer), which)
            del waiting[place + 1 :]
        else:
            raise CannotBeTold(f"of the messages that wait from {way.replace('-', ' to ')}, one in the middle is next")
        if action.kind == DELIVER and self._worlds.bounds.duplicate:
            yield f"  - duplicate: {way}\n    count: 1{which}"
            return
        yield f"  - {action.kind}: {way}\n    count: 1{which}"
        waiting.remove(met)


def _drop(way: str, count: int, which: str) -> Iterator[str]:
    if count:
        yield f"  - drop: {way}\n    count: {count}{which}"
