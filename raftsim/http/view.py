"""What the operator API needs to know of the server it speaks for. Both worlds provide it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from raftsim.node.requests import Outcome, Request


class LinkFaults(Protocol):
    """A switch for the links to peers: what is blocked is dropped in both directions."""

    @property
    def blocked(self) -> frozenset[str]: ...

    @property
    def dropped(self) -> int: ...

    def block(self, peer_ids: Iterable[str]) -> None:
        """Replace the set of blocked peers."""


class AgentFacts(Protocol):
    """All that handlers may look at."""

    @property
    def name(self) -> str:
        """Without the region: `n1`."""

    @property
    def region(self) -> str: ...

    @property
    def datacenter(self) -> str: ...

    @property
    def raft_protocol(self) -> int:
        """The dialect: 2 or 3."""

    @property
    def config(self) -> Mapping[str, Any]:
        """The configuration in force, as /v1/agent/self shows it: plain data with Go-style keys, secrets left out."""

    @property
    def link_faults(self) -> LinkFaults | None:
        """None: this server was not started with faults allowed."""

    def status(self) -> dict[str, Any]:
        """See `Node.status`."""

    def members(self) -> list[dict[str, Any]]:
        """See `Node.members`."""

    def metrics(self) -> dict[str, Any]:
        """The numbers of this server. Names are without the prefix that all of them get; samples in milliseconds.

        {"began_s": int, "gauges": {name: float}, "counters", "samples": {name: {"Count", "Max", "Mean", "Min", "Rate",
        "Stddev", "Sum"}}, of the last finished interval, which began then (since 1970), "counted": {name: int},
        "sampled": {name: (count, sum)}, from the start of this server on}
        """

    def term_and_commit(self) -> tuple[int, int]:
        """The term and the commit index of `status`, without the rest of it: every answer tells them."""

    def wall_ns(self) -> int:
        """Nanoseconds since 1970, for the times shown with variables."""


class AgentView(AgentFacts, Protocol):
    """All that the server of the operator API needs."""

    def client_request(self, request: Request, done: Callable[[Outcome], None]) -> None:
        """Put `request` to the node; `done` gets the outcome in bounded time.

        It may get it before this returns or in the midst of a turn of the node, and a second one: the first counts.
        """
