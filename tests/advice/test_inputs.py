"""How latencies are said and measured, and what no advice is given for."""

from __future__ import annotations

from random import Random
from statistics import fmean
from typing import Any

import pytest

from raftsim.advice.inputs import ENOUGH, NoAdvice, Wanted, long_tail, measured, parse_latency, parse_pause, parse_span
from raftsim.sim.delays import LongTail, Uniform


def test_forms_of_a_latency() -> None:
    assert parse_latency("2ms").delay == Uniform(0.002, 0.002)
    assert parse_latency("1ms..4ms").delay == Uniform(0.001, 0.004)
    assert parse_latency("1ms..4ms").mean_s == pytest.approx(0.0025)
    assert parse_latency("p50=2ms,p99=8ms").delay == LongTail(0.002, 0.008)
    assert parse_span("write", "500us..1ms") == pytest.approx((0.0005, 0.001))
    assert parse_span("write", "0ms") == (0, 0)
    assert parse_pause("1m") == 60


@pytest.mark.parametrize("text", ["1ms..4ms", "p50=2ms,p99=9ms"])
def test_the_mean_is_that_of_what_is_drawn(text: str) -> None:
    latency, rng = parse_latency(text), Random(1)
    drawn = [latency.delay.draw(rng) for _ in range(20_000)]
    assert fmean(drawn) == pytest.approx(latency.mean_s, rel=0.03)
    assert sum(latency.fast_s <= way_s <= latency.slow_s for way_s in drawn) > 0.97 * len(drawn)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not a duration"),
        ("5", "not a duration"),
        ("-1ms", "not a duration"),
        ("1ms..", "not a duration"),
        ("0ms", "more than nothing"),
        ("0ms..4ms", "more than nothing"),
        ("4ms..1ms", "ends before it begins"),
        ("2s", "more than 1 s"),
        ("p50=2ms", "needs a p99 too"),
        ("p50=2ms,p99=x", "not a duration"),
        ("p50=2ms,p99=1ms", "0 < p50 <= p99"),
        ("p50=0ms,p99=1ms", "0 < p50 <= p99"),
    ],
)
def test_a_latency_that_is_none(text: str, told: str) -> None:
    with pytest.raises(NoAdvice, match=told):
        parse_latency(text)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"servers": 1}, "2 to 25 servers"),
        ({"servers": 26}, "2 to 25 servers"),
        ({"failed": 0}, "no election"),
        ({"failed": -1}, "no election"),
        ({"servers": 2, "failed": 1}, "nobody can be elected"),
        ({"failed": 3}, "nobody can be elected"),
        ({"pause_s": 61.0}, "from 0 to 60 s"),
    ],
)
def test_a_cluster_that_is_none(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(NoAdvice, match=told):
        Wanted(
            **{"servers": 5, "failed": 2, "latency": parse_latency("1ms"), "write_s": (0, 0), "pause_s": 0, **changes}
        )


def times(count: int, *quantiles_ms: float) -> dict[str, Any]:
    names = ("min_ms", "median_ms", "p90_ms", "p99_ms", "max_ms")
    return {"count": count, **dict(zip(names, quantiles_ms, strict=True))}


NEVER = {"count": 0} | dict.fromkeys(("min_ms", "median_ms", "p90_ms", "p99_ms", "max_ms"))


def status(syncs: dict[str, Any], *trips: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "n1.global",
        "configuration": {"servers": [{"voter": True}, {"voter": True}, {"voter": True}, {"voter": False}]},
        "measured": {"syncs": syncs, "round_trips": list(trips)},
    }


def test_a_way_is_half_of_a_round_trip_to_the_slowest_follower() -> None:
    fast, slow = times(ENOUGH, 1, 2, 3, 4, 5), times(ENOUGH, 2, 4, 8, 16, 30)
    found = measured(status(times(9, 1, 3, 5, 6, 40), fast, slow, NEVER))
    assert found.latency is not None
    assert found.latency.delay == long_tail(0.002, 0.008).delay
    assert (found.latency.fast_s, found.latency.slow_s) == (0.001, 0.008)
    assert found.write_s == (0.001, 0.005)  # around the median
    assert (found.server, found.voters, found.longest_s) == ("n1.global", 3, 0.04)


def test_too_few_round_trips_are_none() -> None:
    found = measured(status(NEVER, times(ENOUGH - 1, 1, 2, 3, 4, 5), NEVER))
    assert (found.latency, found.samples, found.write_s) == (None, ENOUGH - 1, (0, 0))
    assert measured(status(NEVER)).samples == 0
