"""Ranges of election timeouts, and what each of them costs.

Rule of thumb (dissertation 9.3): a range of 10 to 20 times the latency. Short timeouts replace a leader soon, but
elections split, and a pause of a server or of the network already looks like its death; long ones the other way round.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from math import inf, sqrt
from random import Random
from statistics import fmean, pstdev
from typing import Final

from raftsim.advice.inputs import NoAdvice, Wanted
from raftsim.experiments.closed_form import Timing
from raftsim.experiments.curves import curve
from raftsim.experiments.elections import Election, elect

SPLIT: Final = 0.2  # no more elections shall come to nothing
TIMES_LATENCY: Final = 10
HEARTBEATS: Final = 5  # in the shortest election timeout
SHORTEST: Final = 3  # times the time it takes to hear of a candidate: below it there is no end of elections
BEFORE, AFTER = 4, 2  # rows beside the recommended one
AGREES: Final = 0.1  # how far the closed form may be off, beside chance
SIGMAS: Final = 3.5
STEPS_S: Final = tuple(step * 10.0**power for power in range(-3, 4) for step in (1, 1.5, 2, 3, 5, 7))
BATCH: Final = 50


@dataclass(frozen=True, slots=True)
class Row:
    """Timeouts from `timeout_s` to twice as much. Failover: from the leader's death until all others have heard of the
    next one; `simulated_s` and `p99_s` are of simulated ones, as is `simulated_split`."""

    timeout_s: float
    split: float
    simulated_split: float
    failover_s: float
    simulated_s: float
    p99_s: float
    pause_s: float  # how long a leader may fall silent and go on leading
    chance: float  # how far chance may take the simulated failover from its mean, as a share

    @property
    def heartbeat_s(self) -> float:
        return self.timeout_s / HEARTBEATS

    @property
    def agrees(self) -> bool:
        """Whether simulation and closed form say the same of the failover."""
        return abs(self.simulated_s / self.failover_s - 1) <= AGREES + self.chance


def timing(wanted: Wanted, timeout_s: float) -> Timing:
    mean_s = wanted.latency.mean_s
    return Timing(wanted.servers, wanted.failed, timeout_s, 2 * timeout_s, mean_s, fmean(wanted.write_s), pre_vote=True)


def pause_s(wanted: Wanted, timeout_s: float) -> float:
    """A heartbeat interval has passed when it begins, and the first heartbeat after it may travel slowly."""
    spread_s = wanted.latency.slow_s - wanted.latency.fast_s
    return max(0.0, timeout_s - timeout_s / HEARTBEATS - spread_s)


def objection(wanted: Wanted, timeout_s: float, split: float) -> str:
    """Why these timeouts are too short; "" if they are not."""
    tolerated_s = pause_s(wanted, timeout_s)
    if timeout_s < TIMES_LATENCY * wanted.latency.mean_s:
        return f"the range is less than {TIMES_LATENCY} times the latency"
    if split > SPLIT:
        return f"{split:.0%} of the elections split"
    if tolerated_s < wanted.pause_s:
        return f"a leader may fall silent for {1000 * tolerated_s:.3g} ms only"
    return ""


def elections_s(wanted: Wanted, timeout_s: float, seeds: Sequence[int]) -> list[tuple[float, bool]]:
    """Simulated failovers: how long each took from the leader's death on, and whether an election split."""
    election = Election(
        servers=wanted.servers,
        failed=wanted.failed,
        unequal=False,
        timeout_min_s=timeout_s,
        timeout_max_s=2 * timeout_s,
        delay=wanted.latency.delay,
        write_min_s=wanted.write_s[0],
        write_max_s=wanted.write_s[1],
        synchronised=True,
        heard=True,
        pre_vote=True,
    )
    found = []
    for seed in seeds:
        elected = elect(election, seed)
        crash_s = Random(f"{seed}/crash").uniform(0, timeout_s / HEARTBEATS)
        found.append((elected.after_s - crash_s, elected.terms > 1))
    return found


def row(wanted: Wanted, timeout_s: float, trials: int, seed: int, executor: Executor) -> Row:
    batches = [range(first, min(first + BATCH, seed + trials)) for first in range(seed, seed + trials, BATCH)]
    results = executor.map(partial(elections_s, wanted, timeout_s), batches)
    outcomes = [outcome for result in results for outcome in result]
    times_s = [took_s for took_s, _ in outcomes]
    theory = timing(wanted, timeout_s)
    travel_s = 2 * wanted.latency.mean_s  # the last heartbeat there, and the first of the new leader
    mean_s = fmean(times_s)
    return Row(
        timeout_s=timeout_s,
        split=theory.split,
        simulated_split=fmean(split for _, split in outcomes),
        failover_s=theory.election_s + travel_s - timeout_s / HEARTBEATS / 2,
        simulated_s=mean_s,
        p99_s=curve(times_s).at(0.99),
        pause_s=pause_s(wanted, timeout_s),
        chance=SIGMAS * pstdev(times_s) / sqrt(trials) / mean_s,
    )


@dataclass(frozen=True, slots=True)
class Advice:
    """`rows` by their timeouts; `best` is the shortest one to which there is no objection."""

    wanted: Wanted
    trials: int
    rows: tuple[Row, ...]
    best: Row

    @property
    def reason(self) -> str:
        """In a sentence."""
        text = f"the shortest timeouts with a range of {TIMES_LATENCY} times the latency"
        text += f" and at most {SPLIT:.0%} of the elections split"
        if self.wanted.pause_s:
            text += f", with which a leader may fall silent for {1000 * self.wanted.pause_s:.3g} ms"
        place = self.rows.index(self.best)
        if place == 0:
            return text
        shorter = self.rows[place - 1]
        why = objection(self.wanted, shorter.timeout_s, max(shorter.split, shorter.simulated_split))
        return f"{text}; with the next shorter ones {why}"


def advise(wanted: Wanted, trials: int, seed: int, executor: Executor, progress: Callable[[float], None]) -> Advice:
    """Simulates `trials` failovers of each row; `progress` is told its shortest timeout before that.

    Raises NoAdvice when no timeouts are long enough.
    """

    def simulated(step_s: float) -> Row:
        progress(step_s)
        return row(wanted, step_s, trials, seed, executor)

    least_s = SHORTEST * timing(wanted, inf).window_s
    first = next(
        (place for place, step_s in enumerate(STEPS_S) if not objection(wanted, step_s, timing(wanted, step_s).split)),
        len(STEPS_S),
    )
    rows = [simulated(step_s) for step_s in STEPS_S[max(bisect_left(STEPS_S, least_s), first - BEFORE) : first]]
    best: Row | None = None
    for step_s in STEPS_S[first:]:
        rows.append(simulated(step_s))
        if best is None and not objection(wanted, step_s, max(rows[-1].split, rows[-1].simulated_split)):
            best = rows[-1]
        if best is not None and len(rows) > rows.index(best) + AFTER:
            break
    if best is None:
        raise NoAdvice("no election timeouts are long enough for that")
    return Advice(wanted, trials, tuple(rows), best)
