"""The closed forms give what the dissertation and others have told."""

from __future__ import annotations

from math import inf

import pytest

from raftsim.experiments.closed_form import Timing, split_probability
from raftsim.experiments.curves import published

SIZES = [(servers, failed) for servers in (3, 5, 7, 9) for failed in range(servers // 2 + 1)]


def timing(servers: int, failed: int, share: float, *, pre_vote: bool = False) -> Timing:
    """Timeouts from 1 to 2, and a latency of this share of their range."""
    return Timing(servers, failed, 1.0, 2.0, share, pre_vote=pre_vote)


@pytest.mark.parametrize(
    ("servers", "failed", "latency", "told"),
    [
        (5, 1, 0.01, 0.0006),
        (5, 1, 0.1, 0.052),
        (5, 1, 0.2, 0.181),
        (5, 2, 0.2, 0.488),
        (9, 2, 0.2, 0.148),
        (9, 4, 0.2, 0.672),
        (9, 3, 0.2, 0.345),
        (7, 1, 0.2, 0.099),
        (9, 4, 0.1, 0.41),
    ],
)
def test_split_votes_of_the_dissertation(servers: int, failed: int, latency: float, told: float) -> None:
    assert split_probability(servers, failed, latency) == pytest.approx(told, abs=0.001)
    assert timing(servers, failed, latency).split == split_probability(servers, failed, latency)


@pytest.mark.parametrize("failed", [0, 1, 2])
def test_elections_over_a_wide_area_take_as_long_as_was_published(failed: int) -> None:
    """AvailSim: fresh timers, one way 30 to 40 ms, until a candidate has its majority."""
    election_ms = 1000 * Timing(5, failed, 0.3, 0.6, 0.035).election_s
    assert election_ms == pytest.approx(published("availsim")[f"equal logs, {failed} failed"].mean_ms, rel=0.02)


@pytest.mark.parametrize(("servers", "failed"), SIZES)
def test_the_rule_of_thumb(servers: int, failed: int) -> None:
    """A range of 10 to 20 times the latency: few elections split, and a leader is there in about 20 times the latency.

    A quarter of the range is how long after its last heartbeat a leader dies, on average.
    """
    assert timing(servers, failed, 1 / 10).split < 0.41
    assert timing(servers, failed, 1 / 20).split < 0.23
    assert timing(servers, failed, 1 / 10).election_s - 0.25 < 20 * 0.1


@pytest.mark.parametrize(("servers", "failed"), SIZES)
def test_longer_ranges_split_less(servers: int, failed: int) -> None:
    splits = [timing(servers, failed, share).split for share in (0.01, 0.05, 0.1, 0.2, 0.5, 1.0)]
    assert splits == sorted(splits)
    assert splits[-1] == pytest.approx(1)


def test_a_pre_vote_costs_a_way_there_and_back_in_every_election() -> None:
    with_it, without = timing(5, 1, 0.1, pre_vote=True), timing(5, 1, 0.1)
    assert with_it.split == without.split
    assert with_it.election_s - without.election_s == pytest.approx(2 * 0.1 / (1 - without.split))


def test_a_candidate_is_heard_of_when_its_own_vote_is_written() -> None:
    assert Timing(5, 1, 1.0, 2.0, 0.06, write_s=0.04).split == timing(5, 1, 0.1).split


def test_timeouts_that_are_all_the_same_elect_nobody() -> None:
    assert Timing(5, 1, 1.0, 1.0, 0.1).split == 1
    assert Timing(5, 1, 1.0, 1.0, 0.1).election_s == inf
