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

from dataclasses import dataclass
from typing import Final

from raftsim.core.config import of
from raftsim.explore.bounds import Bounds
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
    """One state. `messages`: a set, as bits. `print`: of all but `crashes` and `entries`, which are what is left of the
    bounds. `number`: its place in the order of discovery."""

    servers: tuple[int, ...]
    messages: int
    history: History
    crashes: int
    entries: int
    print: int
    number: int = 0


class Worlds:
    def __init__(self, bounds: Bounds, *, reduced: bool = True) -> None:
        self.bounds = bounds
        self.names = NAMES[: bounds.nodes]
        self.table = Servers(self.names, of(*self.names), reduced=reduced)
        self.prints = self.table.prints
        self._history_prints: dict[History, int] = {}
        self._spent: dict[tuple[int, int, int], bool] = {}
        self._own_actions: dict[tuple[str, int, int], list[Action]] = {}
        self._deliveries: dict[tuple[int, int], list[Action]] = {}

    def first(self) -> World:
        """All servers start, with nothing but the configuration in their logs."""
        servers = self.table.first()
        print = 0
        for state in servers:
            print ^= self.table.state_prints[state]
        return World(servers, 0, History(), self.bounds.crashes, self.bounds.entries, print)

    def views(self, world: World) -> list[View]:
        views = self.table.views
        return [views[state] for state in world.servers]

    # what may happen

    def actions(self, world: World) -> list[Action]:
        """All that may happen, in an order that is the same in every run."""
        table, bounds, servers = self.table, self.bounds, world.servers
        found: list[Action] = []
        for message in members(world.messages):
            found += self._deliver(servers[table.receivers[message]], message)
        for place, state in enumerate(servers):
            if table.views[state].term < bounds.terms:
                found += self._own(TIMEOUT, place, state)
            if not world.messages & table.sent_by[place]:
                found += self._own(HEARTBEAT, place, state)
            if world.entries:
                found += self._own(PROPOSE, place, state)
            if world.crashes:
                found += self._own(CRASH, place, state)
        return found

    def _deliver(self, state: int, message: int) -> list[Action]:
        key = (state, message)
        actions = self._deliveries.get(key)
        if actions is None:
            place, steps = self.table.receivers[message], self.table.deliver(state, message)
            actions = self._deliveries[key] = [Action(DELIVER, place, message, step) for step in steps]
            if self.bounds.drop:
                actions.append(Action(DROP, place, message, None))
        return actions

    def _own(self, kind: str, place: int, state: int) -> list[Action]:
        key = (kind, place, state)
        actions = self._own_actions.get(key)
        if actions is None:
            steps = self.table.crash(state) if kind == CRASH else self.table.act(state, kind)
            actions = self._own_actions[key] = [Action(kind, place, NO_MESSAGE, step) for step in steps]
        return actions

    # what follows

    def after(self, world: World, action: Action) -> World | Violation | None:
        """What follows; None if nothing changes, or if the bounds forbid it."""
        table, step, place, on_way = self.table, action.step, action.place, world.messages
        if step is None:
            print = world.print ^ table.message_prints[action.message]
            return World(
                world.servers, on_way ^ 1 << action.message, world.history, world.crashes, world.entries, print
            )
        if step.crashed and not world.crashes:
            return None
        servers, print = world.servers, world.print
        old = servers[place]
        if action.kind == DELIVER and not self.bounds.duplicate:
            on_way ^= 1 << action.message
        if step.state != old:
            servers = (*servers[:place], step.state, *servers[place + 1 :])
            print ^= table.state_prints[old] ^ table.state_prints[step.state]
            for message in members(on_way & table.touching[place]):
                if self._is_spent(servers, message):
                    on_way ^= 1 << message
        if step.sent:
            on_way = self._send(servers, on_way, step)
        if on_way == world.messages and step.state == old and not step.error and not step.crashed:
            return None
        for message in members(on_way ^ world.messages):
            print ^= table.message_prints[message]
        history = world.history
        if step.shows:
            judged = judge(history, [table.views[state] for state in servers], place, step)
            if isinstance(judged, Violation):
                return judged
            if judged is not history:
                print ^= self._history_print(history) ^ self._history_print(judged)
                history = judged
        entries = world.entries - (action.kind == PROPOSE)
        return World(servers, on_way, history, world.crashes - step.crashed, entries, print)

    def _send(self, servers: tuple[int, ...], on_way: int, step: Step) -> int:
        """What is on its way when `step` has sent its messages as well, as far as the links hold them."""
        table, inflight = self.table, self.bounds.inflight
        for message in step.sent:
            if on_way >> message & 1 or self._is_spent(servers, message):
                continue
            if (on_way & table.on_link[table.links[message]]).bit_count() < inflight:
                on_way |= 1 << message
        return on_way

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

    def _history_print(self, history: History) -> int:
        print = self._history_prints.get(history)
        if print is None:
            rest = (history.committed, history.committed_in)
            print = self._history_prints[history] = self.prints.history(history.leaders, rest)
        return print


def members(messages: int) -> list[int]:
    """The numbers in a set of messages, ascending."""
    found = []
    while messages:
        lowest = messages & -messages
        found.append(lowest.bit_length() - 1)
        messages ^= lowest
    return found
