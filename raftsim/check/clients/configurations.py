"""A set of configurations: what a sweep follows all at once."""

from __future__ import annotations

from collections.abc import Iterator

from raftsim.check.clients.partition import State

Configuration = tuple[State, int, int]  # and the bits of the answered, and of the open operations that have happened


class Configurations:
    """Without those that another one makes needless: equal but for more open operations that it has used."""

    def __init__(self) -> None:
        self._optional: dict[tuple[State, int], list[int]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Configuration]:
        for (state, forced), masks in self._optional.items():
            for optional in masks:
                yield state, forced, optional

    def add(self, configuration: Configuration) -> bool:
        """False if it is needless."""
        state, forced, optional = configuration
        masks = self._optional.get((state, forced))
        if masks is None:
            self._optional[state, forced] = [optional]
            self._count += 1
            return True
        if any(mask & ~optional == 0 for mask in masks):
            return False
        kept = [mask for mask in masks if optional & ~mask]
        self._count += 1 + len(kept) - len(masks)
        kept.append(optional)
        self._optional[state, forced] = kept
        return True

    def states(self) -> frozenset[State]:
        return frozenset(state for state, _ in self._optional)
