"""Membership changes as the tests ask for them."""

from __future__ import annotations

import pytest

from raftsim.core.config import LEARNER, REMOVE, VOTER, Change, Config
from raftsim.core.errors import Rejected
from raftsim.core.settings import Settings
from tests.core.harness import Cluster, Host


def add(id: str) -> Change:
    """As a voter; or give a non-voter its vote."""
    return Change(VOTER, id, id)


def listen(id: str) -> Change:
    """As a non-voter; or take a voter's vote."""
    return Change(LEARNER, id, id)


def remove(id: str) -> Change:
    return Change(REMOVE, id)


def change(host: Host, *changes: Change) -> int:
    """Begin it, and end the turn. Returns the index of the configuration."""
    index, term = host.raft.change(changes, host.time.now)
    assert term == host.raft.term
    host.turn()
    return index


def rejected(host: Host, *changes: Change) -> Rejected:
    """It is refused, and nothing happens."""
    before = host.raft.log.last_index, host.raft.config
    with pytest.raises(Rejected) as refusal:
        host.raft.change(changes, host.time.now)
    assert (host.raft.log.last_index, host.raft.config) == before
    return refusal.value


def rejection(host: Host, *changes: Change) -> str:
    return rejected(host, *changes).reason


def settled(*ids: str, config: Config | None = None, settings: Settings | None = None) -> tuple[Cluster, Host]:
    """`a` leads, and all hold and have committed what it holds; those of `ids` not in `config` have an empty log."""
    cluster = Cluster(*ids, config=config, settings=settings)
    for id in {*ids} - {*cluster.config.members()}:
        cluster[id].disk.entries.clear()
        cluster[id].restart()
    leader = cluster.elect("a")
    cluster.beat("a")
    return cluster, leader
