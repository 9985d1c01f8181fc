"""What chapter 4 of the dissertation tells of servers that join and leave, with simulated ones.

A new server that gets a vote at once takes part in majorities before it has anything to say: when another one fails, or
when several are added in quick succession, nothing is committed until the whole log is over. Here a server gets its
vote when it has caught up, so both are shown twice: as it would be, with votes that are there from the beginning, and
as it is. Where two logs agree is found with one refusal, whatever the length of the follower's.
"""

from __future__ import annotations

from functools import partial
from math import sqrt
from typing import Final

from raftsim.core.config import LEARNER, REMOVE, VOTER, Config
from raftsim.core.entry import Restored
from raftsim.core.output import LEADER
from raftsim.experiments.long_log import (
    ENTRIES,
    ENTRIES_PER_S,
    ONE_WAY_S,
    PATIENCE_S,
    PUT,
    TIMEOUT_S,
    WRITE_S,
    Cluster,
    full_but,
    log_of,
)
from raftsim.experiments.parts import Expected, Measured, Part
from raftsim.node.requests import LAGGING, OK

TRANSFER_S: Final = ENTRIES / ENTRIES_PER_S
COMMIT_S: Final = 2 * ONE_WAY_S + WRITE_S
WITHIN: Final = 0.03
WRITES: Final = 50  # while new servers catch up


def vote_at_once(servers: int, new: tuple[str, ...], down: tuple[str, ...], seed: int) -> Measured:
    """(ms without commits): new servers have votes and no log, and a majority needs one of them."""
    cluster = Cluster(servers, seed, thin=new, down=down, held=full_but(*new))
    cluster.until(lambda: cluster.world.leader() is not None)
    return Measured((1000 * cluster.until(lambda: cluster.raft(cluster.leader()).ready),))


def vote_when_caught_up(new: tuple[str, ...], failing: bool, seed: int) -> Measured:
    """(slowest commit in ms, whether a vote is refused), while new servers of three catch up and one may fail.

    A write that is not committed counts as the longest that is waited for.
    """
    cluster = Cluster(3, seed)
    leader = cluster.leader()
    for name in new:
        cluster.add(name)
        assert cluster.change(LEARNER, name).kind == OK
    if failing:
        cluster.world.crash(next(name for name in cluster.world.names if name != leader))
    refused = cluster.change(VOTER, new[0]).reason == LAGGING
    world, slowest_s = cluster.world, 0.0
    for _ in range(WRITES):
        began = world.now
        committed = world.ask(leader, PUT).kind == OK
        slowest_s = max(slowest_s, world.now - began if committed else PATIENCE_S)
    return Measured((1000 * slowest_s, float(refused)))


def leader_leaves(seed: int) -> Measured:
    """(ms until the other one leads, whether the first one still does): of two servers, the leader removes itself."""
    cluster = Cluster(2, seed)
    leader = cluster.leader()
    other = next(name for name in cluster.world.names if name != leader)
    assert cluster.change(REMOVE, leader).kind == OK
    after_s = cluster.until(lambda: cluster.raft(other).role == LEADER)
    return Measured((1000 * after_s, float(cluster.raft(leader).role == LEADER)))


def agree(terms: tuple[int, ...], seed: int) -> Measured:
    """(refused Appends): one of three servers has a log of these terms, the others one of terms 1 and 3."""
    half = ENTRIES // 2

    def held(name: str, config: Config) -> Restored:
        return log_of(config, *(terms if name == "n3" else [1] * half + [3] * half))

    cluster = Cluster(3, seed, held=held)
    cluster.leader()
    cluster.until(lambda: cluster.raft("n3").log.last_index > ENTRIES + 1)
    return Measured((float(cluster.refused),))


def _gap(servers: int, new: tuple[str, ...], down: tuple[str, ...]) -> Part:
    expected = Expected("without commits", 1000 * TRANSFER_S, 1000 * WITHIN * TRANSFER_S)
    return Part(partial(vote_at_once, servers, new, down), (expected,))


def _no_gap(new: tuple[str, ...], *, failing: bool) -> Part:
    commit = Expected("slowest commit", 1000 * COMMIT_S, 1000 * 0.2 * COMMIT_S)
    return Part(partial(vote_when_caught_up, new, failing), (commit, Expected("vote is refused", 1, 0, "")))


def _agreement(refused: int, *terms: int) -> Part:
    return Part(partial(agree, terms), (Expected("refused Appends", refused, 0, ""),))


_TIMEOUT_MS: Final = 1000 * TIMEOUT_S
_OTHER_LEADS: Final = Expected("until the other leads", 1.5 * _TIMEOUT_MS, 5, deviation=_TIMEOUT_MS / sqrt(12))
_HALF: Final = ENTRIES // 2

SERIES: Final = {
    "S4 votes, S3 fails": _gap(4, ("n4",), ("n3",)),
    "S4 listens, S3 fails": _no_gap(("n4",), failing=True),
    "S4-S6 vote": _gap(6, ("n4", "n5", "n6"), ()),
    "S4-S6 listen": _no_gap(("n4", "n5", "n6"), failing=False),
    "leader of two leaves": Part(leader_leaves, (_OTHER_LEADS, Expected("the first still leads", 0, 0, ""))),
    "log is empty": _agreement(1),
    "log is half": _agreement(1, *[1] * _HALF),
    "log is the same": _agreement(0, *[1] * _HALF, *[3] * _HALF),
    "log has gone astray": _agreement(1, *[1] * _HALF, *[2] * (_HALF // 2)),
}
