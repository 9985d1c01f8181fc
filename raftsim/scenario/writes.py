"""The writes of `put`: sent by a few clients, each outcome remembered, so that nothing acknowledged can get lost.

Every key has exactly one writer, and that writes its next value only when the one before has ended. So a key must
hold its last acknowledged value, or a value whose write ended as unknown: such a write may still happen later.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from raftsim.node.requests import OK, REFUSED, UNKNOWN, Outcome
from raftsim.scenario.model import Put
from raftsim.scenario.target import Ticket, WriteVariable

Send = Callable[[WriteVariable], Ticket | None]  # None: there is no server to send it to now
NOT_SENT = "not sent"
Outstanding = tuple[WriteVariable, Ticket]


@dataclass(slots=True)
class Client:
    queue: deque[WriteVariable]
    outstanding: Outstanding | None = None


class Batch:
    """The writes of one `put`."""

    def __init__(self, number: int, put: Put, send: Send) -> None:
        self._send = send
        self._clients = [Client(deque()) for _ in range(put.clients)]
        self._ended: dict[str, list[tuple[str, str]]] = {}  # path -> (value, outcome), in order
        self.failures: Counter[str] = Counter()  # by reason, for people
        for count in range(put.count):
            key = count % put.keys
            write = WriteVariable(f"scenario/put-{number}/key-{key}", f"{number}-{count}")
            self._clients[key % put.clients].queue.append(write)

    def pump(self) -> None:
        """Take in outcomes and send what can be sent."""
        for client in self._clients:
            if client.outstanding is not None:
                write, ticket = client.outstanding
                if ticket.outcome is None:
                    continue
                self._end(write, ticket.outcome)
                client.outstanding = None
            if client.queue and (sent := self._send(client.queue[0])) is not None:
                client.outstanding = client.queue.popleft(), sent

    @property
    def done(self) -> bool:
        return not any(client.queue or client.outstanding for client in self._clients)

    def give_up(self) -> None:
        """Send no more. What is still under way may or may not happen: unknown."""
        for client in self._clients:
            if client.outstanding is not None:
                self._end(client.outstanding[0], Outcome(UNKNOWN, reason="no answer in time"))
                client.outstanding = None
            for write in client.queue:
                self._ended.setdefault(write.path, []).append((write.value, NOT_SENT))
            client.queue.clear()

    def counts(self) -> Counter[str]:
        """How many writes ended how."""
        return Counter(kind for ended in self._ended.values() for _, kind in ended)

    def expected(self) -> dict[str, list[str]]:
        """For every path with an acknowledged write, the values it may hold; the acknowledged one first."""
        found = {}
        for path, ended in sorted(self._ended.items()):
            acked = [value for value, kind in ended if kind == OK]
            if acked:
                found[path] = [acked[-1], *(value for value, kind in ended if kind == UNKNOWN)]
        return found

    def _end(self, write: WriteVariable, outcome: Outcome) -> None:
        self._ended.setdefault(write.path, []).append((write.value, outcome.kind))
        if outcome.kind != OK:
            self.failures[outcome.reason] += 1


def tell(counts: Counter[str]) -> str:
    """`20 writes: 18 acknowledged, 1 refused, 1 unknown`."""
    words = ((OK, "acknowledged"), (REFUSED, "refused"), (UNKNOWN, "unknown"), (NOT_SENT, "not sent"))
    parts = [f"{counts[kind]} {word}" for kind, word in words if counts[kind]]
    total = counts.total()
    return f"{total} write{'s' * (total > 1)}: {', '.join(parts)}" if parts else "no writes"
