"""Several observers of one server as one, at the price of one look into a table for what none of them cares for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from raftsim.node.ports import Observer

Acts = Mapping[str, Callable[[Any], None]]  # by the kind of event


def together(*observers: Acts) -> Observer:
    """An observer that hands the subject of an event to each act there is for its kind, in the order given."""
    kinds = dict.fromkeys(kind for acts in observers for kind in acts)
    table = {kind: tuple(acts[kind] for acts in observers if kind in acts) for kind in kinds}

    def observe(kind: str, subject: object) -> None:
        for act in table.get(kind, ()):
            act(subject)

    return observe
