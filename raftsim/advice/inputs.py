"""What advice is asked for: the cluster, how long its messages and writes take, and how that is said or measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, log
from typing import Any, Final

from raftsim.agent.durations import parse_duration
from raftsim.sim.delays import Z99, Delay, LongTail, Uniform

MOST_S: Final = 1.0  # of one message or write: what is slower is out of order, and not to be planned for
LONGEST_PAUSE_S: Final = 60.0
SERVERS: Final = range(2, 26)
ENOUGH: Final = 20  # round trips to judge a network by


class NoAdvice(ValueError):
    """What cannot be advised on, in one sentence."""


@dataclass(frozen=True, slots=True)
class Latency:
    """One way. `fast_s` and `slow_s` are the ends of what is usual."""

    delay: Delay
    mean_s: float
    fast_s: float
    slow_s: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """`failed` servers are down, the leader among them. A server may fall silent for `pause_s` and shall keep its role.

    `write_s`: the shortest and the longest durable write that is usual. Raises NoAdvice for what is no such cluster.
    """

    servers: int
    failed: int
    latency: Latency
    write_s: tuple[float, float]
    pause_s: float

    def __post_init__(self) -> None:
        if self.servers not in SERVERS:
            raise NoAdvice(f"advice is for {SERVERS[0]} to {SERVERS[-1]} servers, not for {self.servers}")
        if self.failed < 1:
            raise NoAdvice("at least one server has failed, or there is no election")
        if 2 * (self.servers - self.failed) <= self.servers:
            raise NoAdvice(f"with {self.failed} of {self.servers} servers failed, nobody can be elected")
        if not 0 <= self.pause_s <= LONGEST_PAUSE_S:
            raise NoAdvice(f"the pause must be from 0 to {LONGEST_PAUSE_S:g} s")


def parse_latency(text: str) -> Latency:
    """`2ms`, `1ms..4ms` (uniform) or `p50=2ms,p99=9ms` (a long tail). Raises NoAdvice."""
    if text.startswith("p50="):
        median, comma, p99 = text.removeprefix("p50=").partition(",p99=")
        if not comma:
            raise NoAdvice(f"a latency with p50 needs a p99 too, as in p50=2ms,p99=9ms, got {text!r}")
        return long_tail(_duration("latency", median), _duration("latency", p99))
    fast_s, slow_s = parse_span("latency", text)
    if fast_s <= 0:
        raise NoAdvice("a latency must be more than nothing")
    return Latency(Uniform(fast_s, slow_s), (fast_s + slow_s) / 2, fast_s, slow_s)


def parse_span(what: str, text: str) -> tuple[float, float]:
    """`2ms` or `1ms..4ms`, in seconds. Raises NoAdvice."""
    first, dots, last = text.partition("..")
    least_s = _duration(what, first)
    most_s = _duration(what, last) if dots else least_s
    if least_s > most_s:
        raise NoAdvice(f"the {what} {text} ends before it begins")
    return least_s, most_s


def parse_pause(text: str) -> float:
    """Seconds. Raises NoAdvice."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise NoAdvice(f"the pause is {error}") from None


def long_tail(median_s: float, p99_s: float) -> Latency:
    """Raises NoAdvice."""
    if not 0 < median_s <= p99_s <= MOST_S:
        raise NoAdvice(f"a latency needs 0 < p50 <= p99 <= {MOST_S:g} s")
    deviation = log(p99_s / median_s) / Z99
    return Latency(LongTail(median_s, p99_s), median_s * exp(deviation**2 / 2), median_s**2 / p99_s, p99_s)


def _duration(what: str, text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise NoAdvice(f"the {what} is {error}") from None
    if seconds > MOST_S:
        raise NoAdvice(f"a {what} of more than {MOST_S:g} s is no {what} to plan for")
    return seconds


@dataclass(frozen=True, slots=True)
class Measured:
    """What a leader has measured. `samples`: round trips to the slowest follower; `longest_s`: of anything."""

    server: str
    voters: int
    samples: int
    latency: Latency | None  # None: too few samples
    write_s: tuple[float, float]
    longest_s: float


def measured(status: dict[str, Any]) -> Measured:
    """From a leader's status. A way is half of a round trip to the slowest follower that answers.

    Raises KeyError or TypeError when it is none, NoAdvice when what was measured is of no use.
    """
    trips = [_seconds(times) for times in status["measured"]["round_trips"] if times["count"]]
    enough = [times for times in trips if times["count"] >= ENOUGH]
    latency = None
    if enough:
        slowest = max(enough, key=lambda times: times["p99"])
        tail = long_tail(slowest["median"] / 2, slowest["p99"] / 2)
        latency = replace(tail, fast_s=slowest["min"] / 2)
    write_s, kinds = (0.0, 0.0), trips
    if status["measured"]["syncs"]["count"]:
        syncs = _seconds(status["measured"]["syncs"])
        write_s = syncs["min"], 2 * syncs["median"] - syncs["min"]  # around the median
        kinds = [*trips, syncs]
    return Measured(
        server=status["name"],
        voters=sum(server["voter"] for server in status["configuration"]["servers"]),
        samples=round(max((times["count"] for times in trips), default=0)),
        latency=latency,
        write_s=write_s,
        longest_s=max((times["max"] for times in kinds), default=0.0),
    )


def _seconds(times: dict[str, Any]) -> dict[str, float]:
    quantiles = {name: times[f"{name}_ms"] / 1000 for name in ("min", "median", "p99", "max")}
    return {"count": times["count"], **quantiles}
