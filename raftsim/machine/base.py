"""What a state machine is to a server. Everything it does is a function of the entries it was given, in order."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

Slices = Generator[None, None, T]  # a work in slices of some milliseconds, a `next` each, and what it comes to


class InvalidRequest(ValueError):
    """A command or query this machine does not know; raised by `check`, before anything is replicated."""


class UnreadableState(Exception):
    """A snapshot or a log that is sound, and yet no state of this machine: the server cannot go on. One sentence."""


class Machine(Protocol):
    def check_command(self, data: bytes) -> None:
        """Raise InvalidRequest unless `apply` can take this command."""

    def apply(self, index: int, data: bytes) -> Any:
        """Apply the committed command at `index`. Returns plain data for the client that sent it.

        Deterministic: same entries, same state and results, on every server and in every process.
        """

    def snapshot(self) -> Iterator[bytes]:
        """The present state, in parts of at most about a megabyte.

        The call itself is quick (a consistent view is taken); the parts are made as they are drawn, possibly in
        another thread while `apply` goes on, and show nothing of that. Equal states give equal bytes.
        """

    def restore(self, state: Iterable[bytes]) -> Slices[None]:
        """Replace the whole state by one that `snapshot` gave, cut anyhow, in slices: a generator.

        Between two slices the server answers others, queries from the old state too, but applies nothing; it may also
        give up and begin anew with another state. So the new one is made aside, and takes the place of the old one in
        the last slice. Raises ValueError if it is none, and changes nothing then.
        """

    def replace(self, index: int, state: Iterable[bytes]) -> None:
        """As `restore`, but at once, and of a state that an operator brings back by the entry at `index`: it may be
        older than what it replaces, or come from another cluster, so what its log said of indexes and clients does not
        hold here.

        Deterministic, too. Raises ValueError if it is none, and changes nothing then.
        """

    def query(self, query: tuple[Any, ...]) -> Any:
        """Answer from the present state, as plain data. Raises InvalidRequest for a query it does not know."""


def at_once(slices: Slices[T]) -> T:
    """All slices, one after another, where nobody waits for anything else."""
    while True:
        try:
            next(slices)
        except StopIteration as end:
            result: T = end.value
            return result
