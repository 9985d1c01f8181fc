"""What can go wrong for a client. There are two ways of not being ok, and they are never confused."""

from __future__ import annotations

from typing import Any


class ClientError(Exception):
    """Of all that the client raises by itself."""


class Refused(ClientError):
    """It did not happen and will not. `reason` and `detail` are those of raftsim.node.requests."""

    def __init__(self, reason: str, detail: Any = None) -> None:
        super().__init__(reason if detail in (None, "") else f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Unknown(ClientError):
    """It may have happened, or may yet happen. `reason` is one of raftsim.node.requests, or of a lost session."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}: it may have happened")
        self.reason = reason


class Conflict(ClientError):
    """A check-and-set found something else. `index` is the modify index of what is there, 0 for nothing."""

    def __init__(self, path: str, index: int) -> None:
        super().__init__(f"{path} is at index {index}" if index else f"{path} is not there")
        self.path = path
        self.index = index


class LinkLost(Exception):
    """The connection ended before the answer came."""


class NoServer(Exception):
    """None of the addresses took the client in; the text says why, address by address."""
