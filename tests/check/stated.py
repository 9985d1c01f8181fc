"""The invariants over whole logs and histories, each as a list of what must hold (paper Figure 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, pairwise, product
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.check.whole import Whole

Log = list[Any]  # of entries, from index 1 on


def index_of(snapshot: Any) -> int:
    return 0 if snapshot is None else int(snapshot.index)


def holds_end(log: Log, meta: Any) -> bool:
    return len(log) >= meta.index and bool(log[meta.index - 1].term == meta.term)


def configs(log: Log) -> list[tuple[int, Any]]:
    return [(index, entry.data) for index, entry in enumerate(log, 1) if type(entry.data).__name__ == "Config"]


def _election_safety(whole: Whole) -> Iterator[bool]:
    return (len(who) == 1 for who in whole.leaders.values())


def _one_vote(whole: Whole) -> Iterator[bool]:
    for server in whole.servers.values():
        yield all(len(votes) == 1 for votes in server.promised.values())
        for votes in server.voted.values():
            yield all(one in (None, other) for one, other in pairwise(votes))


def _append_only(whole: Whole) -> Iterator[bool]:
    for server in whole.servers.values():
        for old, new in pairwise(server.moments):
            if old.life == new.life and new.leads and new.leads == old.leads:
                yield new.log[: len(old.log)] == old.log


def _log_matching(whole: Whole) -> Iterator[bool]:
    """Of all logs there ever were."""
    prefixes: dict[tuple[int, int], Log] = {}
    for server in whole.servers.values():
        before: Log = []
        for moment in server.moments:
            same = next((i for i, (a, b) in enumerate(zip(before, moment.log, strict=False)) if a != b), len(before))
            for index in range(same + 1, len(moment.log) + 1):
                prefix = moment.log[:index]
                yield prefixes.setdefault((index, prefix[-1].term), prefix) == prefix
            before = moment.log


def _leader_completeness(whole: Whole) -> Iterator[bool]:
    for term, log, committed in whole.elected:
        needed = max((i for i in range(committed) if whole.committed_in[i] < term), default=-1) + 1
        yield log[:needed] == whole.committed[:needed]


def _state_machine_safety(whole: Whole) -> Iterator[bool]:
    return (one == other for entries in whole.applied.values() for one, other in pairwise(entries))


def _committed_immutable(whole: Whole) -> Iterator[bool]:
    for server in whole.servers.values():
        for old, new in pairwise(server.moments):
            if old.life != new.life:
                continue  # what was not durable yet may be lost
            held = 0
            while held < min(new.committed, len(old.log)) and old.log[held] == whole.committed[held]:
                held += 1
            yield new.log[:held] == old.log[:held]


def _ordering(whole: Whole) -> Iterator[bool]:
    for server in whole.servers.values():
        yield all(terms == sorted(terms) for terms in server.terms.values())
        yield all(one < other for commits in server.commits.values() for one, other in pairwise(commits))
        yield all(other == one + 1 for applied in server.applied.values() for one, other in pairwise(applied))
        yield all(before <= index for before, index in server.restored)


def _configuration_safety(whole: Whole) -> Iterator[bool]:
    """Any two decisions, one under each of two neighbours, share a voter."""
    for server in whole.servers.values():
        for moment in server.moments[-1:]:
            for (_, old), (_, new) in pairwise(configs(moment.log)):
                yield all(one & other for one, other in product(_quorums(old), _quorums(new)))


def _quorums(config: Any) -> list[set[str]]:
    halves = [_majorities(half) for half in (config.voters, config.outgoing) if half]
    return [set().union(*chosen) for chosen in product(*halves)]


def _majorities(voters: Sequence[str]) -> list[set[str]]:
    return [set(some) for some in combinations(voters, len(voters) // 2 + 1)]


def _equal_snapshots(whole: Whole) -> Iterator[bool]:
    return (one[1] == other[1] for one, other in combinations(whole.snapshots, 2) if one[0].index == other[0].index)


def _snapshots_committed(whole: Whole) -> Iterator[bool]:
    for meta, _ in whole.snapshots:
        past = whole.committed[: meta.index]
        yield holds_end(past, meta) and configs(past)[-1] == (meta.config_index, meta.config)


STATED: dict[str, Callable[[Whole], Iterator[bool]]] = {
    "election safety": _election_safety,
    "one vote per term": _one_vote,
    "leader append-only": _append_only,
    "log matching": _log_matching,
    "leader completeness": _leader_completeness,
    "state machine safety": _state_machine_safety,
    "committed is immutable": _committed_immutable,
    "ordering": _ordering,
    "configuration safety": _configuration_safety,
    "equal snapshots": _equal_snapshots,
    "snapshots are committed": _snapshots_committed,
}
