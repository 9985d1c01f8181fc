"""What the simulated leader can do is what its costs say; one that waits for its disk before it sends is found out."""

from __future__ import annotations

import pytest

from raftsim.core import replication
from raftsim.core.entry import Entry
from raftsim.core.messages import Append
from raftsim.core.raft import Raft
from raftsim.experiments.throughput import ENTRY_S, PUBLISHED, SEND_S, SERIES, as_it_is, latency_ms, operations_per_s


def send_when_written(raft: Raft, follower: str, prev: int, entries: list[Entry]) -> None:
    term = raft.log.term_at(prev)
    assert term is not None
    raft.promise(Append(raft.term, raft.id, follower, prev, term, entries, raft.commit, raft.round))


def test_a_leader_that_sends_what_it_has_written_takes_a_write_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the series does that stands for it, which only has a longer way."""
    (parallel,) = latency_ms(as_it_is, 0).values
    monkeypatch.setattr(replication, "_send", send_when_written)
    (serial,) = latency_ms(as_it_is, 0).values
    parallel_figure, serial_figure = SERIES["one write"].figures[0], SERIES["leader writes first"].figures[0]
    assert parallel == pytest.approx(parallel_figure.value, abs=parallel_figure.within)
    assert serial == pytest.approx(serial_figure.value, abs=serial_figure.within)


def test_a_second_server_costs_one_client_more_than_a_third() -> None:
    one, two, five = (operations_per_s(servers, 1, 0) for servers in (1, 2, 5))
    assert one > 1.3 * two
    assert two == pytest.approx(five, rel=0.05)


def test_many_clients_are_limited_by_the_work_of_the_leader() -> None:
    for servers in (1, 5):
        limit = 1 / (ENTRY_S + SEND_S * (servers - 1))
        assert 0.9 * limit < operations_per_s(servers, 100, 0) < 1.05 * limit


def test_what_is_not_reproduced_is_shown_and_not_judged() -> None:
    judged = {name: {figure.within is not None for figure in SERIES[name].figures[:-1]} for name in PUBLISHED}
    assert judged == {"1 client": {True}, "10 clients": {False}, "100 clients": {True}}
