"""The small judges of what clients saw: each says what it is for, of the history that breaks it, and of no good one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from raftsim.check import Map, Operation
from raftsim.check.clients.durable import lost_writes
from raftsim.check.clients.exactly_once import exactly_once
from raftsim.check.clients.freshness import (
    FRESH_READS,
    MONOTONIC_READS,
    PHANTOM,
    READ_YOUR_WRITES,
    freshness,
)
from tests.check.histories import Mix, generate
from tests.check.test_linearizable import DONE, op


def at(index: int, operation: Operation) -> Operation:
    return replace(operation, index=index)


OLD = at(5, op("a", "put", "x", "old", None, 0, 1))
NEW = at(7, op("a", "put", "x", "new", None, 2, 3))

STALE = {
    READ_YOUR_WRITES: [OLD, NEW, op("a", "get", "x", None, "old", 4, 5)],
    MONOTONIC_READS: [OLD, NEW, op("b", "get", "x", None, "new", 4, 5), op("b", "get", "x", None, "old", 6, 7)],
    FRESH_READS: [OLD, NEW, op("b", "get", "x", None, "old", 4, 5)],
    PHANTOM: [OLD, op("b", "get", "x", None, "never written", 4, 5)],
}


@pytest.mark.parametrize(("kind", "history"), STALE.items(), ids=STALE)
def test_a_stale_read_is_named_for_what_it_breaks(kind: str, history: list[Operation]) -> None:
    (violation,) = freshness(history, Map())
    assert violation.invariant == kind


def test_a_stale_read_is_told_with_what_it_should_have_seen() -> None:
    (violation,) = freshness(STALE[READ_YOUR_WRITES], Map())
    assert str(violation) == (
        "read your writes, at 5.000000 s: [a: get('x') = 'old', 4.000000 to 5.000000 s] found 'old', which was over: "
        "[a: put('x', 'new'), 2.000000 to 3.000000 s]"
    )


def test_a_read_of_nothing_is_stale_unless_something_may_have_been_removed() -> None:
    missing = op("b", "get", "x", None, None, 4, 5)
    assert [found.invariant for found in freshness([OLD, missing], Map())] == [FRESH_READS]
    assert freshness([OLD, op("c", "delete", "x", None, None, 2), missing], Map()) == []
    assert freshness([op("a", "put", "x", "old", None, 0, 5), missing], Map()) == []


def test_what_happens_at_once_may_be_seen_in_any_order() -> None:
    slow = op("c", "put", "x", "slow", None, 0, 9)
    reads = [op("b", "get", "x", None, "old", 4, 5), op("b", "get", "x", None, "slow", 6, 7)]
    assert freshness([OLD, slow, *reads], Map()) == []
    assert [found.invariant for found in freshness([OLD, slow, *reads[::-1]], Map())] == []
    later = op("b", "get", "x", None, "old", 8, 9)
    assert [found.invariant for found in freshness([OLD, slow, *reads, later], Map())] == [MONOTONIC_READS]


def test_a_write_applied_twice_is_at_two_indexes() -> None:
    history = [OLD, NEW, at(9, op("b", "get", "x", None, "old", 4, 5))]
    (violation,) = exactly_once(history, Map())
    assert violation.sentence == (
        "'old' of 'x' is at index 5 by [a: put('x', 'old'), 0.000000 to 1.000000 s] and at another by "
        "[b: get('x') = 'old', 4.000000 to 5.000000 s at index 9]"
    )


def test_two_writes_at_one_index_cannot_be() -> None:
    (violation,) = exactly_once([OLD, replace(NEW, index=5)], Map())
    assert violation.sentence.startswith("index 5 is 'old' of 'x' by [")


def test_a_value_is_replaced_once_by_check_and_set() -> None:
    takers = [op(name, "cas", "x", ("old", name), DONE, 2, 3) for name in "bc"]
    (violation,) = exactly_once([OLD, *takers], Map())
    assert violation.sentence.startswith("'old' of 'x' was replaced twice: [b: cas(")


def test_a_lost_write_is_told_with_when_it_was_promised() -> None:
    (violation,) = lost_writes([OLD, NEW], {"x": "old"}, 9.0, Map())
    assert str(violation) == (
        "durability, at 9.000000 s: write 'new' acknowledged at 3.000000 s at index 7, gone at 9.000000 s: "
        "'x' holds 'old'"
    )
    assert len(lost_writes([OLD, NEW], {}, 9.0, Map())) == 2
    assert lost_writes([OLD, NEW], {"x": "new"}, 9.0, Map()) == []


def test_the_index_tells_two_writes_apart_that_were_under_way_at_once() -> None:
    other = at(6, op("b", "put", "x", "other", None, 2, 3))
    assert lost_writes([NEW, other], {"x": "new"}, 9.0, Map()) == []
    assert len(lost_writes([NEW, other], {"x": "other"}, 9.0, Map())) == 1
    assert lost_writes([replace(NEW, index=0), other], {"x": "other"}, 9.0, Map()) == []


def test_what_was_read_must_last_too_and_what_is_open_may_come_late() -> None:
    unknown = op("a", "put", "x", "maybe", None, 2)
    read = op("b", "get", "x", None, "maybe", 3, 4)
    assert lost_writes([OLD, unknown], {"x": "old"}, 9.0, Map()) == []
    assert [v.sentence for v in lost_writes([OLD, unknown, read], {"x": "old"}, 9.0, Map())] == [
        "write 'maybe' read at 4.000000 s, gone at 9.000000 s: 'x' holds 'old'"
    ]
    assert lost_writes([OLD, op("c", "delete", "x", None, None, 2)], {}, 9.0, Map()) == []
    assert "nobody wrote" in str(lost_writes([OLD], {"x": "strange"}, 9.0, Map()))


@pytest.mark.parametrize("seed", range(3))
def test_a_good_history_breaks_no_promise(seed: int) -> None:
    mix = Mix(10, 3, 2_000, cas=0.3, deletes=0.05 * seed, lists=0.1, open=0, indexed=True)
    history = generate(mix, seed)
    assert freshness(history, Map()) == []
    assert exactly_once(history, Map()) == []
    end = max(operation.returned or 0 for operation in history) + 1
    final: dict[str, object] = {}
    for operation in sorted(history, key=lambda operation: operation.index):
        match operation.function:
            case "put":
                final[operation.key] = operation.argument
            case "delete":
                final.pop(operation.key, None)
            case "cas" if operation.output:
                final[operation.key] = operation.argument[1]
    assert lost_writes(history, final, end, Map()) == []
