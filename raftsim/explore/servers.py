"""What one server does, as a table: (state, input) -> steps, filled by running the real core.

A cluster has far more states than its servers have, so each server's answer to an input is worked out once and looked
up ever after. A step ends with its write durable; a crash comes between steps, or before a write becomes durable when
something has left already: the rest of what a crash can do is the same as a message that stays on its way for ever.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from raftsim.core.config import Config
from raftsim.core.entry import HardState, Restored, bootstrapped
from raftsim.core.messages import Message
from raftsim.core.output import LEADER, Committed, Output
from raftsim.core.raft import Raft
from raftsim.core.settings import Settings
from raftsim.explore.forget import DUE_S, erase_round, forget_time, forget_unread
from raftsim.explore.freeze import Frozen, freeze
from raftsim.explore.prints import Prints

# No rule that looks at the clock; and one Append at a time to each follower, or windows make more states than logs.
UNTIMED: Final = Settings(
    pre_vote=False, check_quorum=False, stickiness=False, fast_failover=False, max_inflight_appends=1
)
VALUE: Final = b"v"  # of every command: (index, term) tells entries apart, whoever proposed them

TIMEOUT: Final = "timeout"
HEARTBEAT: Final = "heartbeat"
PROPOSE: Final = "propose"
CRASH: Final = "crash"


class _NoChance(Random):
    """Timeouts are not drawn: a timer may fire at any time."""

    def uniform(self, a: float, b: float) -> float:  # noqa: ARG002
        return DUE_S

    def __reduce__(self) -> tuple[Any, ...]:
        return (_NoChance, ())


@dataclass(frozen=True, slots=True)
class View:
    """A server's state as properties see it. `log`: the terms of its entries, from index 1 on."""

    term: int
    role: str
    log: tuple[int, ...]
    commit: int


@dataclass(frozen=True, slots=True)
class Step:
    """One way an input may end: the state that follows, the messages that left, and what happened on the way.

    `led`: the server became leader. `committed`: the highest index it committed as leader. `error`: what escaped.
    `shows`: the logs, or what is known of them, changed, so properties have to look."""

    state: int
    sent: tuple[int, ...]
    crashed: bool = False
    led: bool = False
    committed: int = 0
    error: str = ""
    shows: bool = True


class Servers:
    """All states of servers and all messages that were met, by number. Sets of messages are the bits of an integer.

    `reduced`: see `forget_unread`."""

    def __init__(self, names: Sequence[str], config: Config, *, reduced: bool) -> None:
        self.names = tuple(names)
        self.prints = Prints(self.names)
        self._reduced = reduced
        self._restored = bootstrapped(config)
        self._pickled: list[bytes] = []
        self.state_prints: list[int] = []  # by number of the state
        self.views: list[View] = []  # equal ones are one
        self._views: dict[View, View] = {}
        self._numbers: dict[Frozen, int] = {}
        self.messages: list[Message] = []
        self.message_prints: list[int] = []
        self.receivers: list[int] = []  # by number of the message: the place of whom it is for,
        self.senders: list[int] = []  # of who sent it,
        self.links: list[int] = []  # and a number for the two
        self.on_link = [0] * len(names) ** 2  # by number of the link: the set of all its messages
        self.sent_by = [0] * len(names)  # by place
        self.touching = [0] * len(names)  # by place: sent or received there
        self._message_numbers: dict[Frozen, int] = {}
        self._steps: dict[tuple[int, object], tuple[Step, ...]] = {}

    def first(self) -> tuple[int, ...]:
        """The states of servers that start for the first time."""
        return tuple(self._intern(self._start(name, self._restored)) for name in self.names)

    def deliver(self, state: int, message: int) -> tuple[Step, ...]:
        return self._take(state, message, lambda raft: raft.receive(self.messages[message], 0.0))

    def act(self, state: int, action: str) -> tuple[Step, ...]:
        """A timer fires, or a client proposes. Empty if this server cannot do that now."""
        leads = self.views[state].role == LEADER
        if leads == (action == TIMEOUT):
            return ()
        if action == PROPOSE:
            return self._take(state, action, lambda raft: raft.propose(VALUE))
        return self._take(state, action, lambda raft: raft.wake(raft.deadline))

    def crash(self, state: int) -> tuple[Step, ...]:
        """Everything that is written is durable between two steps."""
        key = (state, CRASH)
        if key not in self._steps:
            raft = self._load(state)
            self._steps[key] = (self._crashed(state, self._restart(raft.id, _durable(raft)), ()),)
        return self._steps[key]

    # running the core

    def _take(self, state: int, what: int | str, act: Callable[[Raft], object]) -> tuple[Step, ...]:
        steps = self._steps.get((state, what))
        if steps is None:
            steps = self._steps[state, what] = self._run(state, act)
        return steps

    def _run(self, state: int, act: Callable[[Raft], object]) -> tuple[Step, ...]:
        raft = self._load(state)
        before, was_leading = _durable(raft), raft.role == LEADER
        sent: list[Message] = []
        crashes: list[Step] = []
        committed = 0
        try:
            act(raft)
            while (output := raft.drain(0.0)) is not None:
                committed = max(committed, _committed(output))
                if output.write is not None and sent + output.send:
                    lost = self._restart(raft.id, before)
                    crashes.append(self._crashed(state, lost, self._number(sent + output.send)))
                sent += output.send + output.send_after_sync
                if output.write is not None:
                    raft.persisted(output.write.seq, 0.0)
                    before = _durable(raft)
        except Exception as error:  # noqa: BLE001 - whatever escapes the core is a finding
            return (Step(state, (), error=f"{type(error).__name__}: {error}"),)
        led = raft.role == LEADER and not was_leading
        after = self._intern(raft)
        shows = led or committed > 0 or self._shows(state, after)
        return (Step(after, self._number(sent), led=led, committed=committed, shows=shows), *crashes)

    def _crashed(self, before: int, after: int, sent: tuple[int, ...]) -> Step:
        return Step(after, sent, crashed=True, shows=self._shows(before, after))

    def _shows(self, before: int, after: int) -> bool:
        old, new = self.views[before], self.views[after]
        return (old.log, old.commit) != (new.log, new.commit)

    def _start(self, name: str, restored: Restored) -> Raft:
        raft = Raft(name, restored, UNTIMED, _NoChance(), 0.0)
        raft.drain(0.0)  # what it tells of its start
        return raft

    def _restart(self, name: str, restored: Restored) -> int:
        return self._intern(self._start(name, restored))

    # numbering

    def _load(self, state: int) -> Raft:
        return pickle.loads(self._pickled[state])  # type: ignore[no-any-return]

    def _intern(self, raft: Raft) -> int:
        forget_time(raft)
        if self._reduced:
            forget_unread(raft)
        frozen = freeze(raft)
        number = self._numbers.get(frozen)
        if number is None:
            number = self._numbers[frozen] = len(self.views)
            self._pickled.append(pickle.dumps(raft, pickle.HIGHEST_PROTOCOL))
            self.state_prints.append(self.prints.server(self.names.index(raft.id), frozen))
            log = tuple([entry.term for entry in raft.log.slice(0, raft.log.last_index)])
            view = View(raft.term, raft.role, log, raft.commit)
            self.views.append(self._views.setdefault(view, view))
        return number

    def _number(self, messages: Sequence[Message]) -> tuple[int, ...]:
        return tuple([self._message(message) for message in messages])

    def _message(self, message: Message) -> int:
        erase_round(message)
        frozen = freeze(message)
        number = self._message_numbers.get(frozen)
        if number is None:
            number = self._message_numbers[frozen] = len(self.messages)
            self.messages.append(message)
            self.message_prints.append(self.prints.message(frozen))
            sender, receiver = self.names.index(message.src), self.names.index(message.dst)
            self.senders.append(sender)
            self.receivers.append(receiver)
            self.links.append(sender * len(self.names) + receiver)
            bit = 1 << number
            self.on_link[self.links[number]] |= bit
            self.sent_by[sender] |= bit
            self.touching[sender] |= bit
            self.touching[receiver] |= bit
        return number


def _durable(raft: Raft) -> Restored:
    """What a restart would find, when all that was written is durable."""
    return Restored(HardState(raft.term, raft.vote), raft.log.slice(0, raft.log.last_index))


def _committed(output: Output) -> int:
    """The highest index that was committed by counting, by a leader."""
    indexes = [event.index for event in output.events if isinstance(event, Committed) and event.role == LEADER]
    return max(indexes, default=0)
