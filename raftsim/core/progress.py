"""What a leader knows of one follower (paper Figure 2, nextIndex and matchIndex), and how far it may run ahead.

PROBE: where the logs agree is not known; one Append is out, the next waits for its answer. An answer to what was sent
before is none: else each of a window of refusals would have the whole window sent again, and be refused again.
SNAPSHOT: what it needs next is compacted; it receives a snapshot, one chunk at a time.
REPLICATE: it is known; Appends are pipelined up to a window.
Invariant: match < next; match never falls while this leader's term lasts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final

from raftsim.core.entry import SnapshotMeta

PROBE: Final = "probe"
REPLICATE: Final = "replicate"
SNAPSHOT: Final = "snapshot"


class Progress:
    __slots__ = (
        "caught_up",
        "chunk_asked",
        "contact",
        "goal",
        "goal_set",
        "incarnation",
        "inflight",
        "inflight_bytes",
        "match",
        "next",
        "offset",
        "probing",
        "proven",
        "round",
        "since",
        "snapshot",
        "state",
        "strange_since",
        "stranger",
    )

    def __init__(self, next_index: int, now: float) -> None:
        self.state: str = PROBE
        self.match = 0
        self.next = next_index
        self.probing = False  # PROBE: an Append with entries is out
        # REPLICATE: last index and bytes of each unanswered Append with entries
        self.inflight: deque[tuple[int, int]] = deque()
        self.inflight_bytes = 0
        self.round = 0  # the highest round it has answered
        self.since = 0  # the first round begun after its window was given up last: answers to earlier ones are old
        # SNAPSHOT: which one, the offset of the chunk that is out, and when that was asked for
        self.snapshot: SnapshotMeta | None = None
        self.offset = 0
        self.chunk_asked = now
        # catching up, by rounds: a round brings over what the log held when it began (dissertation 4.2.1)
        self.goal, self.goal_set = next_index, now
        self.caught_up = False  # whether the last finished round was short
        self.incarnation: int | None = None  # as which it answered last
        # It is not the incarnation that has the vote: it counts for nothing.
        self.stranger, self.strange_since = False, now
        self.contact = now  # when that round began: proof that it followed us then; at first, the benefit of the doubt
        self.proven = float("-inf")  # the same, without that benefit

    def may_send(self, max_appends: int, max_bytes: int) -> bool:
        """Whether an Append with entries may leave now."""
        if self.state == PROBE:
            return not self.probing
        return len(self.inflight) < max_appends and self.inflight_bytes < max_bytes

    def sent(self, last_index: int, size: int) -> None:
        """An Append with entries up to `last_index`, of `size` bytes, leaves."""
        if self.state == PROBE:
            self.probing = True
        else:
            self.next = last_index + 1
            self.inflight.append((last_index, size))
            self.inflight_bytes += size

    def matched(self, index: int, round: int) -> None:
        """It holds our log up to `index`, durably. Replies may come late and out of order: match only grows (B29)."""
        if index > self.match:
            self.match = index
        if index >= self.next:
            self.next = index + 1
        while self.inflight and self.inflight[0][0] <= index:
            self.inflight_bytes -= self.inflight.popleft()[1]
        probed = self.state == PROBE and round >= self.since
        if probed or (self.state == SNAPSHOT and index >= self.snapshot_index):
            self.replicate()

    def replicate(self) -> None:
        """Where the logs agree is known: go on from there."""
        self.state, self.probing, self.next = REPLICATE, False, self.match + 1

    @property
    def snapshot_index(self) -> int:
        return self.snapshot.index if self.snapshot is not None else 0

    def begin_snapshot(self, snapshot: SnapshotMeta) -> None:
        """From its first byte."""
        self.state, self.snapshot, self.offset = SNAPSHOT, snapshot, 0
        self.inflight.clear()
        self.inflight_bytes = 0

    def catch_up(self, last_index: int, now: float, limit_s: float) -> None:
        """A round that took no longer than an election timeout says: the rest will not take longer either."""
        if self.match >= self.goal:
            self.caught_up = now - self.goal_set <= limit_s
            self.goal, self.goal_set = last_index, now

    def keeps_up(self, now: float, limit_s: float) -> bool:
        """Whether the last round was short, and the one that is going on is not too long already."""
        return self.caught_up and now - self.goal_set <= limit_s

    def refused(self, prev_index: int, hint: int, round: int) -> bool:
        """It refused an Append at `prev_index`; the logs agree at `hint` at the highest. Old refusals are ignored.

        True: the window was given up. A new round, from `since` on, is to tell what is sent next from what was before.
        """
        if round < self.since or prev_index <= self.match:
            return False
        if self.state == REPLICATE:
            self.state, self.next = PROBE, self.match + 1
            self.inflight.clear()
            self.inflight_bytes = 0
            return True
        if self.state == PROBE and prev_index == self.next - 1:
            self.next = max(min(prev_index, hint + 1), self.match + 1)
            self.probing = False
        return False


def counted(followers: Mapping[str, Progress]) -> list[tuple[str, Progress]]:
    """Those whose word counts in a quorum: not who has lost its memory, and its vote with it (founding.py)."""
    return [each for each in followers.items() if not each[1].stranger]
