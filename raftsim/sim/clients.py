"""Clients in virtual time: they ask, wait, ask again somewhere else, and write down what they were told.

A call is sent to one server after another until there is an answer, or patience ends. What is refused is tried again;
so is what is unknown, if it is a query or a command of a session, which is applied once however often it is sent. What
has no answer in the end stays in the history as open, unless every try was refused: then it did not happen.

In a closed loop a client asks again when it has its answer. In an open loop calls begin at random times, whatever
became of those before; each of them is a process of its own in the history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from raftsim.check import Operation
from raftsim.machine import sessions
from raftsim.machine.sessions import register_command, session_command
from raftsim.machine.sessiontable import Limits
from raftsim.node.requests import OK, REFUSED, UNKNOWN, Command, Outcome, Query
from raftsim.sim.workload import Mix, Script, with_values
from raftsim.sim.world import World


@dataclass(frozen=True, slots=True)
class Load:
    """How `Clients` behave. Times are of the virtual clock."""

    clients: int = 4
    mix: Mix = field(default_factory=Mix)
    sessions: bool = True
    open_loop_interval_s: float | None = None  # mean time between the calls of a client; None: a closed loop
    think_s: float = 0.01  # mean time between an answer and the next call of a closed loop
    travel_s: float = 0.001  # mean time from a client to a server, and back
    answer_timeout_s: float = 0.5  # a server that is silent for longer is given up
    retry_s: float = 0.05  # mean time before the next try
    patience_s: float = 5.0  # a call is not tried again after this


class Clients:
    """Begin at once, and go on until `stop`. `history()` is what they saw; `outcomes` counts how calls ended."""

    def __init__(self, world: World, load: Load, seed: int) -> None:
        self.world = world
        self.load = load
        self.outcomes: Counter[str] = Counter()
        self.stopped = False
        self.operations: list[Operation] = []
        self.under_way: dict[int, Operation] = {}
        for number in range(load.clients):
            _Client(self, f"c{number + 1}", Random(f"{seed}/client/{number + 1}")).begin()

    def stop(self) -> None:
        """No call begins any more; those under way go on."""
        self.stopped = True

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not self.under_way

    def history(self) -> list[Operation]:
        """Every operation that happened or may have, by time of call; what is still under way is open."""
        return with_values([*self.operations, *self.under_way.values()])


class _Client:
    def __init__(self, clients: Clients, name: str, rng: Random) -> None:
        self.load = clients.load
        self.world = clients.world
        self.rng = rng
        self.session: int | None = None
        self.server = rng.choice(clients.world.names)
        self._clients = clients
        self._script = Script(name, clients.load.mix, rng)
        self._sequence = 0
        self._in_use: set[int] = set()
        self._calls = 0

    def begin(self) -> None:
        interval_s = self.load.open_loop_interval_s
        self.world.after(self.some(self.load.think_s if interval_s is None else interval_s), self._next)

    def some(self, mean_s: float) -> float:
        return self.rng.expovariate(1 / mean_s)

    def _next(self) -> None:
        if self._clients.stopped:
            return
        operation, request = self._script.next(self.world.now)
        self._calls += 1
        if self.load.open_loop_interval_s is not None:
            operation.process = f"{operation.process}.{self._calls}"
            self.begin()
        self._clients.under_way[id(operation)] = operation
        if isinstance(request, Query):
            _Call(self, request, lambda outcome: self._ended(operation, outcome)).go()
        else:
            self._change(operation, request.data)

    def _change(self, operation: Operation, data: bytes) -> None:
        """Ask for a command, in the session if there are any."""
        if not self.load.sessions:
            _Call(self, Command(data), lambda outcome: self._ended(operation, outcome), repeatable=False).go()
        elif self.session is None:
            register = Command(register_command(round(self.world.now * 1e9)))
            _Call(self, register, lambda outcome: self._registered(operation, data, outcome)).go()
        elif self._sequence + 1 - min(self._in_use, default=self._sequence + 1) >= Limits().results:
            self._ended(operation, Outcome(REFUSED))  # the session would forget the oldest answer
        else:
            self._sequence += 1
            number, session = self._sequence, self.session
            self._in_use.add(number)
            command = Command(session_command(session, number, data))
            _Call(self, command, lambda outcome: self._applied(operation, session, number, outcome)).go()

    def _registered(self, operation: Operation, data: bytes, outcome: Outcome) -> None:
        if outcome.kind != OK:
            self._ended(operation, Outcome(REFUSED))  # the command itself was not sent
            return
        if self.session is None:
            self.session, self._sequence = outcome.value["value"], 0
            self._in_use.clear()
        self._change(operation, data)

    def _applied(self, operation: Operation, session: int, number: int, outcome: Outcome) -> None:
        if session == self.session:
            self._in_use.discard(number)
        if outcome.kind == OK and outcome.value["outcome"] == sessions.OK:
            outcome = Outcome(OK, outcome.value["value"])
        elif outcome.kind == OK:
            self.session = None if session == self.session else self.session
            outcome = Outcome(UNKNOWN)  # an earlier copy may have been applied
        self._ended(operation, outcome)

    def _ended(self, operation: Operation, outcome: Outcome) -> None:
        clients = self._clients
        clients.outcomes[outcome.kind] += 1
        del clients.under_way[id(operation)]
        if outcome.kind != REFUSED:
            clients.operations.append(operation)
        if outcome.kind == OK:
            self._script.answered(operation, outcome.value, self.world.now)
        if self.load.open_loop_interval_s is None:
            self.begin()


class _Call:
    """One request, tried again and again. `done` is told OK, REFUSED or UNKNOWN, once."""

    def __init__(
        self, client: _Client, request: Command | Query, done: Callable[[Outcome], None], *, repeatable: bool = True
    ) -> None:
        self._client = client
        self._request = request
        self._done = done
        self._repeatable = repeatable
        self._end = client.world.now + client.load.patience_s
        self._doubt = False  # whether a copy of a command may have happened
        self._try = 0

    def go(self) -> None:
        """Try once."""
        client = self._client
        self._try += 1
        number, server = self._try, client.server
        client.world.after(client.some(client.load.travel_s), lambda: self._arrive(number, server))
        client.world.after(client.load.answer_timeout_s, lambda: self._answer(number, Outcome(UNKNOWN)))

    def _arrive(self, number: int, server: str) -> None:
        client = self._client
        travel_s = client.some(client.load.travel_s)  # drawn now: when an answer comes must not change what is drawn
        client.world.submit(
            server,
            self._request,
            lambda outcome: client.world.after(travel_s, lambda: self._answer(number, outcome)),
        )

    def _answer(self, number: int, outcome: Outcome) -> None:
        """The answer to a try, if it is the last one, and no other came before."""
        if number != self._try:
            return
        self._try += 1  # later answers to this try do not count
        client = self._client
        if outcome.kind == OK:
            self._done(outcome)
            return
        client.server = client.rng.choice(client.world.names)
        self._doubt |= outcome.kind == UNKNOWN and isinstance(self._request, Command)
        if (self._doubt and not self._repeatable) or client.world.now >= self._end:
            self._done(Outcome(UNKNOWN if self._doubt else REFUSED))
        else:
            client.world.after(client.some(client.load.retry_s), self.go)
