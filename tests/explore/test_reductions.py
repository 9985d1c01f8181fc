"""With the reductions and without them the same things are seen, and the same are violated."""

from __future__ import annotations

from typing import Any

import pytest

from raftsim.explore.bounds import Bounds
from raftsim.explore.search import Explorer, Result
from raftsim.explore.servers import View
from raftsim.explore.world import World
from tests.explore.planted import PLANTED, Plant

Cluster = tuple[View, ...]


class Watched(Explorer):
    """Notes what all servers together look like in every state, whoever is who."""

    def __init__(self, bounds: Bounds, *, reduced: bool) -> None:
        super().__init__(bounds, reduced=reduced)
        self.clusters: set[Cluster] = set()

    def _is_new(self, world: World) -> bool:
        views = sorted(self.worlds.views(world), key=repr)
        self.clusters.add(tuple(views))
        return super()._is_new(world)


def watched(bounds: dict[str, Any], *, reduced: bool) -> tuple[Result, set[Cluster]]:
    explorer = Watched(Bounds(**bounds), reduced=reduced)
    return explorer.run(), explorer.clusters


@pytest.mark.parametrize(
    "bounds",
    [
        {"terms": 1, "entries": 1, "crashes": 1},
        {"terms": 2, "entries": 2, "crashes": 2, "nodes": 2},
        {"terms": 1, "entries": 0, "crashes": 1, "drop": True, "duplicate": True, "nodes": 2},
        pytest.param({"terms": 2, "entries": 0, "crashes": 0}, marks=pytest.mark.soak),
        pytest.param({"terms": 2, "entries": 0, "crashes": 1}, marks=pytest.mark.soak),
        pytest.param({"terms": 2, "entries": 1, "crashes": 0}, marks=pytest.mark.soak),
    ],
)
def test_the_same_is_seen(bounds: dict[str, Any]) -> None:
    (less, some), (more, every) = (watched(bounds, reduced=reduced) for reduced in (True, False))
    assert less.states < more.states
    assert some == every
    assert less.seen == more.seen
    assert less.complete
    assert more.complete


@pytest.mark.parametrize(("plant", "bounds", "invariant"), PLANTED)
def test_the_same_is_violated_as_soon(
    plant: Plant, bounds: dict[str, Any], invariant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    less, more = (Explorer(Bounds(**bounds), reduced=reduced).run() for reduced in (True, False))
    assert less.violation is not None
    assert more.violation is not None
    assert less.violation.invariant == more.violation.invariant == invariant
    assert len(less.story) == len(more.story)
