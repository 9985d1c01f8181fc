"""The states of a small cluster, and what may happen in each.

A state is: the servers' states, the set of messages on their way (no order between them; two equal ones are one), the
history that is judged, and what is left of the bounds. Two rules keep the number of states small:

- A message that would change nothing anywhere if it came now is gone. A term only grows, and within a term a leader's
  log, a follower's match index and a tally of votes do: in a correct core such a message never changes anything again.
  Whether it would change anything is asked of the core, so a planted bug that heeds it keeps it on its way.
- A leader's timer fires only when nothing it has sent is on its way: it serves to send again what got lost, and to
  bring the news of a commit. Likewise a link holds a bounded number of messages; more are lost, as they may be anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from raftsim.core.config import of
from raftsim.explore.bounds import Bounds
from raftsim.explore.prints import Prints
from raftsim.explore.properties import History, Violation, judge
from raftsim.explore.servers import CRASH, HEARTBEAT, PROPOSE, TIMEOUT, Servers, Step, View

NAMES: Final = ("n1", "n2", "n3", "n4", "n5")
DELIVER: Final = "deliver"
DROP: Final = "drop"
NO_MESSAGE: Final = -1


@dataclass(frozen=True, slots=True)
class Action:
    """`place`: of the server it happens at. `message`: its number. `step`: how it ended; None for a lost message."""

    kind: str
    place: int
    message: int
    step: Step | None


@dataclass(slots=True)
class World:
    """One state. `number`: its place in the order of discovery."""

    servers: tuple[int, ...]
    messages: frozenset[int]
    history: History
    crashes: int
    entries: int
    print: int
    number: int = 0


class Worlds:
    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.names = NAMES[: bounds.nodes]
        self.table = Servers(self.names, of(*self.names))
        self.prints = Prints(self.names)
        self._server_prints: dict[tuple[int, int], int] = {}
        self._message_prints: dict[int, int] = {}
        self._history_prints: dict[History, int] = {}
        self._left_prints: dict[tuple[int, int], int] = {}
        self._spent: dict[tuple[int, int, int], bool] = {}

    def first(self) -> World:
        """All servers start, with nothing but the configuration in their logs."""
        servers = self.table.first()
        print = 0
        for place, state in enumerate(servers):
            print ^= self._server_print(place, state)
        return World(servers, frozenset(), History(), self.bounds.crashes, self.bounds.entries, print)

    def views(self, world: World) -> list[View]:
        return [self.table.views[state] for state in world.servers]

    def actions(self, world: World) -> Iterator[Action]:
        """All that may happen, in an order that is the same in every run."""
        table, bounds = self.table, self.bounds
        for message in sorted(world.messages):
            place = table.receivers[message]
            for step in table.deliver(world.servers[place], message):
                yield Action(DELIVER, place, message, step)
            if bounds.drop:
                yield Action(DROP, place, message, None)
        senders = {table.senders[message] for message in world.messages}
        for place, state in enumerate(world.servers):
            if table.views[state].term < bounds.terms:
                yield from self._own(TIMEOUT, place, state)
            if place not in senders:
                yield from self._own(HEARTBEAT, place, state)
            if world.entries:
                yield from self._own(PROPOSE, place, state)
            if world.crashes:
                yield from (Action(CRASH, place, NO_MESSAGE, step) for step in table.crash(state))

    def _own(self, kind: str, place: int, state: int) -> Iterator[Action]:
        return (Action(kind, place, NO_MESSAGE, step) for step in self.table.act(state, kind))

    def after(self, world: World, action: Action) -> World | Violation | None:
        """What follows; None if nothing changes, or if the bounds forbid it."""
        step, place = action.step, action.place
        if step is None:
            print = world.print ^ self._message_print(action.message)
            messages = world.messages - {action.message}
            return World(world.servers, messages, world.history, world.crashes, world.entries, print)
        if step.crashed and not world.crashes:
            return None
        old = world.servers[place]
        servers = world.servers
        if step.state != old:
            servers = (*servers[:place], step.state, *servers[place + 1 :])
        messages = self._messages(world, servers, action, step)
        crashes, entries = world.crashes - step.crashed, world.entries - (action.kind == PROPOSE)
        if messages == world.messages and step.state == old and not step.error and crashes == world.crashes:
            return None
        history = judge(world.history, [self.table.views[state] for state in servers], place, step)
        if isinstance(history, Violation):
            return history
        after = World(servers, messages, history, crashes, entries, 0)
        after.print = self._changed(world, after, place)
        return after

    def _messages(self, world: World, servers: tuple[int, ...], action: Action, step: Step) -> frozenset[int]:
        """Those on their way after `step`, which led to `servers`."""
        table, place = self.table, action.place
        messages = set(world.messages)
        if action.kind == DELIVER and not self.bounds.duplicate:
            messages.discard(action.message)
        if step.state != world.servers[place]:
            touched = [m for m in messages if place in (table.receivers[m], table.senders[m])]
            messages.difference_update([m for m in touched if self._is_spent(servers, m)])
        for message in step.sent:
            if message in messages or self._is_spent(servers, message):
                continue
            link = table.links[message]
            if sum(table.links[other] == link for other in messages) < self.bounds.inflight:
                messages.add(message)
        return frozenset(messages)

    def _is_spent(self, servers: tuple[int, ...], message: int) -> bool:
        """Whether this message would change nothing anywhere if it came now."""
        table = self.table
        receiver, sender = table.receivers[message], table.senders[message]
        key = (servers[receiver], servers[sender], message)
        spent = self._spent.get(key)
        if spent is None:
            steps = table.deliver(servers[receiver], message)
            unchanged = len(steps) == 1 and steps[0].state == servers[receiver] and not steps[0].error
            spent = unchanged and all(self._is_spent(servers, reply) for reply in steps[0].sent)
            self._spent[key] = spent
        return spent

    # prints

    def _changed(self, before: World, after: World, place: int) -> int:
        print = before.print
        if after.servers[place] != before.servers[place]:
            print ^= self._server_print(place, before.servers[place]) ^ self._server_print(place, after.servers[place])
        for message in before.messages ^ after.messages:
            print ^= self._message_print(message)
        if after.history is not before.history:
            print ^= self._history_print(before.history) ^ self._history_print(after.history)
        if (after.crashes, after.entries) != (before.crashes, before.entries):
            print ^= self._left_print(before) ^ self._left_print(after)
        return print

    def _server_print(self, place: int, state: int) -> int:
        print = self._server_prints.get((place, state))
        if print is None:
            print = self._server_prints[place, state] = self.prints.server(place, self.table.frozen[state])
        return print

    def _message_print(self, message: int) -> int:
        print = self._message_prints.get(message)
        if print is None:
            frozen = self.table.frozen_messages[message]
            print = self._message_prints[message] = self.prints.message(frozen)
        return print

    def _history_print(self, history: History) -> int:
        print = self._history_prints.get(history)
        if print is None:
            rest = (history.committed, history.committed_in)
            print = self._history_prints[history] = self.prints.history(history.leaders, rest)
        return print

    def _left_print(self, world: World) -> int:
        key = (world.crashes, world.entries)
        print = self._left_prints.get(key)
        if print is None:
            print = self._left_prints[key] = self.prints.left(key)
        return print
