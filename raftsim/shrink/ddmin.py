"""Delta debugging: leave out what is not needed (Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing
Input, 2002), in the form that tries complements only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def ddmin(items: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> list[T]:
    """A part of `items`, in their order, that still fails, and does not if any one more of it is left out.

    `items` are taken to fail. That no single one can be left out holds if `fails` gives the same answer to the same
    question. What it raises ends the search.
    """
    kept = list(items)
    size = max(1, len(kept) // 2)
    while kept:
        kept, less = _without_parts(kept, size, fails)
        if size == 1 and not less:
            break
        size = max(1, min(size // 2, len(kept) // 2))
    return kept


def _without_parts(kept: list[T], size: int, fails: Callable[[Sequence[T]], bool]) -> tuple[list[T], bool]:
    """Leave out whatever `size` neighbours can be left out, the last ones first: what comes late is often idle."""
    less = False
    end = len(kept)
    while end > 0:
        begin = max(0, end - size)
        rest = kept[:begin] + kept[end:]
        if fails(rest):
            kept, less = rest, True
        end = begin
    return kept, less
