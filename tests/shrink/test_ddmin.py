"""Delta debugging: what is left still fails, and nothing of it can be left out."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from raftsim.shrink.ddmin import ddmin

ITEMS = st.lists(st.integers(0, 99), max_size=40, unique=True)


@given(ITEMS, st.data())
def test_what_all_is_needed_is_all_that_is_left(items: list[int], data: st.DataObject) -> None:
    needed = data.draw(st.sets(st.sampled_from(items)) if items else st.just(set()))
    assert ddmin(items, lambda part: needed <= set(part)) == [item for item in items if item in needed]


@given(ITEMS, st.lists(st.sets(st.integers(0, 99), max_size=5), min_size=1, max_size=6), st.integers(2, 7))
def test_a_part_that_fails_and_does_not_without_any_one(items: list[int], causes: list[set[int]], odd: int) -> None:
    """Also where leaving more out can make it fail again."""

    def fails(part: Sequence[int]) -> bool:
        return list(part) == items or any(cause <= set(part) for cause in causes) or sum(part) % odd == 1

    left = ddmin(items, fails)
    assert fails(left)
    assert left == [item for item in items if item in set(left)]
    assert not any(fails([*left[:place], *left[place + 1 :]]) for place in range(len(left)))


@given(st.integers(1, 400), st.integers(0, 399))
def test_one_needle_is_found_with_few_questions(size: int, needle: int) -> None:
    asked = 0

    def fails(part: Sequence[int]) -> bool:
        nonlocal asked
        asked += 1
        return needle % size in part

    assert ddmin(range(size), fails) == [needle % size]
    assert asked <= 4 * size.bit_length() + 4
