"""Catching up in rounds (dissertation 4.2.1): a new server gets the log, and what came meanwhile, and what came then.

Each round brings over what the log held when the round began. While commands arrive with a constant rate, a round is
shorter than the one before it by the ratio of that rate to the rate of replication: the rounds are geometric. The
server gets its vote when a round was shorter than an election timeout; after ten rounds that is given up. A second
attempt goes on where the first one ended.

So with a first round d, a ratio r and an election timeout T, round k takes d * r^(k-1), and the vote is given after
round 1 + ceil(ln(T/d) / ln r), if that is among the ten.
"""

from __future__ import annotations

from functools import partial
from math import ceil, log
from typing import Final

from raftsim.core.config import LEARNER, VOTER
from raftsim.experiments import joining
from raftsim.experiments.long_log import ENTRIES, ENTRIES_PER_S, TIMEOUT_S, Cluster
from raftsim.experiments.parts import Expected, Measured, Part
from raftsim.experiments.report import Axis, Chart
from raftsim.node.requests import OK

RATIOS: Final = (0.25, 0.5, 0.75, 0.9, 1.1)
ROUNDS: Final = 10  # of one attempt
FIRST_S: Final = ENTRIES / ENTRIES_PER_S
TRIALS: Final = 5
CHART: Final = Chart(
    "duration of a round over its number", Axis("rounds", one="round"), Axis("ms", log=True), "geometric"
)


def rounds_needed(ratio: float, first_s: float = FIRST_S, timeout_s: float = TIMEOUT_S) -> float:
    """The first round that is shorter than an election timeout; infinite if none ever is."""
    if first_s < timeout_s:
        return 1
    return 1 + ceil(log(timeout_s / first_s) / log(ratio)) if ratio < 1 else float("inf")


def catch_up(ratio: float, seed: int) -> Measured:
    """One trial: (how much shorter a round is than the one before, rounds of the first attempt, whether the vote was
    given then, rounds of the second attempt), and the rounds themselves in ms. What did not take place is 0."""
    cluster = Cluster(3, seed)
    cluster.add("n4")
    assert cluster.change(LEARNER, "n4").kind == OK
    cluster.load(ratio * ENTRIES_PER_S)
    watch = _Rounds(cluster, "n4")
    first = watch.attempt()
    added = cluster.change(VOTER, "n4").kind == OK
    rounds = list(watch.durations)
    again = 0
    if not added and ratio < 1:
        again = watch.attempt()
        assert cluster.change(VOTER, "n4").kind == OK
    shrink = (rounds[-1] / rounds[0]) ** (1 / (len(rounds) - 1))
    line = tuple((float(number), 1000 * duration) for number, duration in enumerate(rounds, 1))
    return Measured((shrink, first, float(added), again), line)


class _Rounds:
    """The rounds of one server as its leader counts them."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.durations: list[float] = []
        self._cluster = cluster
        self._leader = cluster.raft(cluster.leader())
        self._id = cluster.world.ids[name]
        self._began = self._leader.progress[self._id].goal_set

    def attempt(self) -> int:
        """Wait until a round was shorter than an election timeout, or there were ten. Returns how many there were."""
        before = len(self.durations)

        def over() -> bool:
            self._look()
            count = len(self.durations) - before
            return count >= ROUNDS or (count > 0 and self.durations[-1] < TIMEOUT_S)

        self._cluster.until(over)
        return len(self.durations) - before

    def _look(self) -> None:
        began = self._leader.progress[self._id].goal_set
        if began != self._began:
            self.durations.append(began - self._began)
            self._began = began


def _part(ratio: float) -> Part:
    needed = rounds_needed(ratio)
    added = needed <= ROUNDS
    again = needed - ROUNDS if not added and ratio < 1 else 0
    figures = (
        Expected("round / the one before", ratio, 0.05 * ratio, ""),
        Expected("rounds", min(needed, ROUNDS), 0, "rounds"),
        Expected("gets its vote", float(added), 0, ""),
        Expected("rounds when tried again", again, 0, "rounds"),
    )
    count = int(min(needed, ROUNDS))
    line = tuple((float(number), 1000 * FIRST_S * ratio ** (number - 1)) for number in range(1, count + 1))
    return Part(partial(catch_up, ratio), figures, line)


SERIES: Final = {**{f"arrivals {ratio:g}": _part(ratio) for ratio in RATIOS}, **joining.SERIES}
