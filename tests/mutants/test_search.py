"""Runs drawn at random find planted bugs of every kind, by the judge that is there for it.

How soon each of them is found is measured by `raftsim mutants -search` and told in docs/reference/planted-bugs.md.
"""

from __future__ import annotations

import pytest

from raftsim.sweep.hunt import hunt

SEEDS = range(40)
STORM_S = 10.0
FOUND = [
    ("vote-forgotten", {"one vote per term"}),
    ("any-log-gets-the-vote", {"up-to-date votes"}),
    ("half-of-the-votes", {"voters only"}),
    ("promise-before-sync", {"durable before send"}),
    ("commit-prior-term", {"commit quorum"}),
    ("half-is-enough", {"commit quorum"}),
    ("learners-count", {"commit quorum"}),
    ("count-own-unsynced", {"committed is durable", "commit quorum"}),
    ("commit-beyond-verified", {"state machine safety", "ordering"}),
    ("force-without-a-word", {"leadership transfer"}),
    ("early-change", {"configuration safety"}),
    ("snapshot-of-config-in-force", {"snapshots are committed", "convergence"}),
    ("snapshot-not-frozen", {"equal snapshots"}),
    ("log-without-limit", {"bounded queues"}),
    ("answer-by-index", {"durability"}),
    ("append-without-sync", {"restored as written", "convergence"}),
    ("retry-applied-twice", {"no phantoms", "exactly once", "linearizability", "fresh reads"}),
]


@pytest.mark.parametrize(("id", "judges"), FOUND, ids=[id for id, _ in FOUND])
def test_the_swarm_finds_it(id: str, judges: set[str]) -> None:
    found = hunt(id, SEEDS, 1, STORM_S)
    assert found.finds, f"not found with {found.seeds} seeds"
    assert set(found.judges) <= judges
