"""What the core answers when it cannot do what it was asked. Reasons are data; words are found at the edge."""

from __future__ import annotations


class RaftError(Exception):
    """Base of everything the core raises on purpose."""


class NotLeader(RaftError):
    """Only a leader can do this. `leader` is the id of the leader this server knows, or None."""

    def __init__(self, leader: str | None) -> None:
        super().__init__(f"not the leader (known leader: {leader})")
        self.leader = leader


class Busy(RaftError):
    """Refused for now, nothing happened: a limit is reached. `limit` names the setting."""

    def __init__(self, limit: str) -> None:
        super().__init__(f"busy: {limit} reached")
        self.limit = limit


class Rejected(RaftError):
    """What cannot begin in this state; nothing happened.

    `reason` is one of the constants below; `detail` is for people.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


CHANGE_IN_FLIGHT = "change in flight"  # an earlier configuration is not committed yet
NO_OWN_COMMIT = "no commit in this term"  # the gate of the single-server rule (dissertation 4.1, bug of 2015)
TRANSFER_IN_PROGRESS = "transfer in progress"  # leadership is being handed over
NO_TARGET = "no target"  # nobody could take leadership over
NOT_A_VOTER = "not a voter"
LAGGING = "lagging"  # a vote is given only to a server that has caught up (dissertation 4.2.1)
INVALID_CHANGE = "invalid change"  # the configuration algebra refuses it


class ProtocolViolation(RaftError):
    """A peer sent what no correct peer sends. The connection it came over is closed; this server goes on."""
