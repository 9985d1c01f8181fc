"""The number of a state, the same for all states that differ by the servers' names alone.

Every component (a server in its state, a message on its way, the history) has 64 random-looking bits under each
renaming of the servers. A state's print has the exclusive-or of its components' bits, for all renamings side by side
in one integer, so a step changes it at the cost of the components that change. The least of the sums names the state.
Two of a million states are taken for one with a chance of one in thirty million.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from itertools import permutations

from raftsim.explore.freeze import Frozen, digest, rename


class Prints:
    def __init__(self, names: Sequence[str]) -> None:
        self._orders = list(permutations(range(len(names))))
        self._renamings = [{names[old]: names[new] for old, new in enumerate(order)} for order in self._orders]
        self._unpack = struct.Struct(f"<{len(self._orders)}Q").unpack
        self._bytes = 8 * len(self._orders)

    def least(self, print: int) -> int:
        """The number of the state with this print."""
        numbers: tuple[int, ...] = self._unpack(print.to_bytes(self._bytes, "little"))
        return min(numbers)

    def server(self, place: int, state: Frozen) -> int:
        return self._joined(("server", order[place], rename(state, names)) for order, names in self._pairs())

    def message(self, message: Frozen) -> int:
        return self._joined(("message", rename(message, names)) for names in self._renamings)

    def history(self, leaders: tuple[tuple[int, int], ...], rest: Frozen) -> int:
        """`leaders`: (term, place) pairs."""
        return self._joined(
            ("history", tuple((term, order[place]) for term, place in leaders), rest) for order in self._orders
        )

    def _pairs(self) -> list[tuple[tuple[int, ...], dict[str, str]]]:
        return list(zip(self._orders, self._renamings, strict=True))

    def _joined(self, forms: Iterable[Frozen]) -> int:
        total = 0
        for shift, form in enumerate(forms):
            total |= digest(form) << (64 * shift)
        return total
