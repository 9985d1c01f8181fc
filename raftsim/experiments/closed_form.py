"""How elections go, without simulation (dissertation 9.1 to 9.3).

Timeouts are uniform in a range; of n servers s are up. The first of s timeouts comes after 1/(s+1) of the range, on
average. The vote splits when so many stand before they hear of each other that nobody can get a majority: the
c = s - floor(n/2) + 1 earliest timeouts lie within the time it takes to hear of a candidate. The distance between the
first and the c-th of s uniform draws is Beta(c-1, s-c+2) distributed, so the probability is a binomial tail.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb


def split_probability(servers: int, failed: int, window: float) -> float:
    """That an election comes to nothing. `window`: the time to hear of a candidate, as a share of the range."""
    up = servers - failed
    least = up - servers // 2
    window = min(window, 1.0)
    return sum(comb(up, k) * window**k * (1 - window) ** (up - k) for k in range(least, up + 1))


@dataclass(frozen=True, slots=True)
class Timing:
    """Of an election, in seconds: means of one way and of one write; `pre_vote` asks all others first."""

    servers: int
    failed: int
    timeout_min_s: float
    timeout_max_s: float
    latency_s: float
    write_s: float = 0.0
    pre_vote: bool = False

    @property
    def window_s(self) -> float:
        """From when a server stands until the others hear of it: its vote for itself is durable first."""
        return self.write_s + self.latency_s

    @property
    def split(self) -> float:
        """The probability that an election comes to nothing."""
        range_s = self.timeout_max_s - self.timeout_min_s
        return split_probability(self.servers, self.failed, self.window_s / range_s if range_s else 1.0)

    @property
    def election_s(self) -> float:
        """From when all timers begin until a candidate has its votes, on average; infinite if every election splits.

        Each election that splits costs a timeout anew. The last one's votes are written and travel back.
        """
        up = self.servers - self.failed
        first_s = self.timeout_min_s + (self.timeout_max_s - self.timeout_min_s) / (up + 1)
        asked_s = first_s + 2 * self.latency_s * self.pre_vote + self.window_s
        split = self.split
        return asked_s / (1 - split) + self.write_s + self.latency_s if split < 1 else float("inf")
