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
from raftsim.explore.freeze import Frozen, freeze

# No rule that looks at the clock; and one Append at a time to each follower, or windows make more states than logs.
UNTIMED: Final = Settings(
    pre_vote=False, check_quorum=False, stickiness=False, fast_failover=False, max_inflight_appends=1
)
VALUE: Final = b"v"  # of every command: (index, term) tells entries apart, whoever proposed them
DUE_S: Final = 1.0  # every server's clock shows 0 until its timer is to fire

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

    `led`: the server became leader. `committed`: the highest index it committed as leader. `error`: what escaped."""

    state: int
    sent: tuple[int, ...]
    crashed: bool = False
    led: bool = False
    committed: int = 0
    error: str = ""


class Servers:
    """All states of servers and all messages that were met, by number."""

    def __init__(self, names: Sequence[str], config: Config) -> None:
        self.names = tuple(names)
        self._restored = bootstrapped(config)
        self._pickled: list[bytes] = []
        self.frozen: list[Frozen] = []  # by number of the state
        self.views: list[View] = []
        self._numbers: dict[Frozen, int] = {}
        self.messages: list[Message] = []
        self.frozen_messages: list[Frozen] = []
        self.receivers: list[int] = []  # by number of the message: the place of whom it is for,
        self.senders: list[int] = []  # of who sent it,
        self.links: list[int] = []  # and a number for the two
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
            self._steps[key] = (Step(self._restart(raft.id, _durable(raft)), (), crashed=True),)
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
                    crashes.append(Step(lost, self._number(sent + output.send), crashed=True))
                sent += output.send + output.send_after_sync
                if output.write is not None:
                    raft.persisted(output.write.seq, 0.0)
                    before = _durable(raft)
        except Exception as error:  # noqa: BLE001 - whatever escapes the core is a finding
            return (Step(state, (), error=f"{type(error).__name__}: {error}"),)
        led = raft.role == LEADER and not was_leading
        return (Step(self._intern(raft), self._number(sent), led=led, committed=committed), *crashes)

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
        frozen = freeze(raft)
        number = self._numbers.get(frozen)
        if number is None:
            _forget_time(raft)
            number = self._numbers[frozen] = len(self.frozen)
            self._pickled.append(pickle.dumps(raft, pickle.HIGHEST_PROTOCOL))
            self.frozen.append(frozen)
            log = tuple([entry.term for entry in raft.log.slice(0, raft.log.last_index)])
            self.views.append(View(raft.term, raft.role, log, raft.commit))
        return number

    def _number(self, messages: Sequence[Message]) -> tuple[int, ...]:
        return tuple([self._message(message) for message in messages])

    def _message(self, message: Message) -> int:
        _erase_round(message)
        frozen = freeze(message)
        number = self._message_numbers.get(frozen)
        if number is None:
            number = self._message_numbers[frozen] = len(self.messages)
            self.messages.append(message)
            self.frozen_messages.append(frozen)
            sender, receiver = self.names.index(message.src), self.names.index(message.dst)
            self.senders.append(sender)
            self.receivers.append(receiver)
            self.links.append(sender * len(self.names) + receiver)
        return number


def _durable(raft: Raft) -> Restored:
    """What a restart would find, when all that was written is durable."""
    return Restored(HardState(raft.term, raft.vote), raft.log.slice(0, raft.log.last_index))


def _committed(output: Output) -> int:
    """The highest index that was committed by counting, by a leader."""
    indexes = [event.index for event in output.events if isinstance(event, Committed) and event.role == LEADER]
    return max(indexes, default=0)


def _forget_time(raft: Raft) -> None:
    """Nobody asks for a read, so rounds prove nothing to anybody; and no rule that looks at the clock is on."""
    raft.round = 0
    raft.round_began.clear()
    raft.election_deadline = raft.heartbeat_deadline = DUE_S
    for progress in raft.progress.values():
        progress.round = progress.since = 0


def _erase_round(message: Message) -> None:
    if hasattr(message, "round"):
        message.round = 0
