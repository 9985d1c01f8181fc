"""How far an exploration goes."""

from __future__ import annotations

from dataclasses import dataclass, fields

LEAST = {"nodes": 1, "terms": 1, "entries": 0, "crashes": 0, "inflight": 1, "max_states": 1}
MOST_NODES = 5  # symmetry multiplies the work of a new state by the factorial of this


@dataclass(frozen=True, slots=True)
class Bounds:
    """`terms`: no server stands for election beyond that term. `entries`: commands proposed in all. `crashes`: of all
    servers together. `drop`: messages may get lost (without it they may only be late for ever); `duplicate`: they may
    arrive any number of times. `max_states`: give up beyond that. Raises ValueError for what cannot be explored."""

    nodes: int = 3
    terms: int = 2
    entries: int = 2
    crashes: int = 1
    inflight: int = 1
    drop: bool = False
    duplicate: bool = False
    max_states: int = 20_000_000

    def __post_init__(self) -> None:
        for bound in fields(self):
            least = LEAST.get(bound.name)
            value = getattr(self, bound.name)
            if least is not None and value < least:
                raise ValueError(f"{bound.name} must be at least {least}, got {value}")
        if self.nodes > MOST_NODES:
            raise ValueError(f"nodes must be at most {MOST_NODES}, got {self.nodes}")
