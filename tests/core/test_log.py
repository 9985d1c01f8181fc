"""Sections 5.3 and 5.4.1: the log by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raftsim.core.config import of
from raftsim.core.entry import COMMAND, CONFIG, CONFIG_SIZE, Entry
from raftsim.core.log import Log


def entries(*terms: int) -> list[Entry]:
    return [Entry(term, COMMAND, b"%d" % term) for term in terms]


def terms(log: Log) -> list[int]:
    return [entry.term for entry in log.slice(0, log.last_index)]


def test_terms_and_ends() -> None:
    log = Log(entries(1, 1, 3))
    assert [log.term_at(index) for index in range(5)] == [0, 1, 1, 3, None]
    assert (log.last_index, log.last_term) == (3, 3)
    assert (Log([]).last_index, Log([]).last_term, Log([]).term_at(0), Log([]).term_at(1)) == (0, 0, 0, None)
    assert [entry.term for entry in log.slice(1, 3)] == [1, 3]


CONFLICTS = [  # log 1 1 2 2; (first index, terms) -> where they add or contradict
    (1, [], None),
    (1, [1, 1], None),
    (1, [1, 1, 2, 2], None),
    (3, [2], None),
    (3, [2, 2, 2], 5),
    (5, [3], 5),
    (5, [], None),
    (1, [2], 1),
    (1, [1, 1, 3, 3], 3),
    (4, [3], 4),
    (2, [1, 2, 3], 4),
]


@pytest.mark.parametrize(("first", "new", "conflict"), CONFLICTS)
def test_first_conflict(first: int, new: list[int], conflict: int | None) -> None:
    assert Log(entries(1, 1, 2, 2)).first_conflict(first, entries(*new)) == conflict


HINTS = [  # log 1 1 2 2 5; (index, term) -> the highest place where it may agree
    (5, 5, (5, 5)),
    (9, 5, (5, 5)),
    (5, 4, (4, 2)),
    (4, 5, (4, 2)),
    (4, 1, (2, 1)),
    (5, 2, (4, 2)),
    (1, 1, (1, 1)),
    (5, 0, (0, 0)),
    (0, 3, (0, 0)),
]


@pytest.mark.parametrize(("index", "term", "hint"), HINTS)
def test_agreement_hint(index: int, term: int, hint: tuple[int, int]) -> None:
    assert Log(entries(1, 1, 2, 2, 5)).agreement_hint(index, term) == hint


UP_TO_DATE = [  # own log 1 1 2; (last index, last term) of the other
    (3, 2, True),
    (4, 2, True),
    (2, 2, False),
    (1, 3, True),  # a later term beats a longer log
    (9, 1, False),
    (0, 0, False),
]


@pytest.mark.parametrize(("index", "term", "expected"), UP_TO_DATE)
def test_is_up_to_date(index: int, term: int, expected: bool) -> None:
    assert Log(entries(1, 1, 2)).is_up_to_date(index, term) is expected


BATCHES = [  # five entries of 10 bytes; (after, max entries, max bytes) -> how many
    (0, 9, 999, 5),
    (0, 3, 999, 3),
    (3, 3, 999, 2),
    (0, 9, 30, 3),
    (0, 9, 29, 2),
    (0, 9, 1, 1),  # one in any case, or a big entry would never travel
    (5, 9, 999, 0),
]


@pytest.mark.parametrize(("after", "max_entries", "max_bytes", "count"), BATCHES)
def test_batch_keeps_both_limits(after: int, max_entries: int, max_bytes: int, count: int) -> None:
    log = Log([Entry(1, COMMAND, b"0123456789")] * 5)
    assert len(log.batch(after, max_entries, max_bytes)[0]) == count


def test_a_configuration_has_a_size_too() -> None:
    log = Log([Entry(1, CONFIG, of("a")), Entry(1, COMMAND, b"x")])
    assert len(log.batch(0, 9, CONFIG_SIZE)[0]) == 1


operations = st.lists(
    st.tuples(st.sampled_from(["append", "truncate"]), st.integers(1, 12), st.integers(1, 3)), max_size=20
)


@given(operations)
def test_the_log_behaves_as_a_list(sequence: list[tuple[str, int, int]]) -> None:
    log, model, term = Log([]), list[int](), 1
    for operation, place, amount in sequence:
        if operation == "append":
            term += place % 2
            log.append(entries(*[term] * amount))
            model += [term] * amount
        elif place <= len(model):
            log.truncate(place)
            del model[place - 1 :]
        assert terms(log) == model
        assert log.last_index == len(model)
        assert log.last_term == (model[-1] if model else 0)
        assert log.term_at(place) == (model[place - 1] if place <= len(model) else None)
        assert [entry.term for entry in log.slice(amount, place)] == model[amount:place]


odd, even = (st.lists(st.sampled_from(range(start, 20, 2)), max_size=30).map(sorted) for start in (5, 6))


@given(st.lists(st.integers(1, 4), max_size=5).map(sorted), odd, even)
def test_hints_from_both_sides_find_the_last_agreement_in_few_rounds(
    common: list[int], ours: list[int], theirs: list[int]
) -> None:
    """Each round trip leaves at least one whole term behind, never one entry only, and never overshoots."""
    leader, follower = Log(entries(*common, *ours)), Log(entries(*common, *theirs))
    prev, rounds = leader.last_index, 0
    while follower.term_at(prev) != leader.term_at(prev):
        prev_term = leader.term_at(prev)
        assert prev_term is not None
        hint, _ = leader.agreement_hint(*follower.agreement_hint(prev, prev_term))
        prev, rounds = min(prev - 1, hint), rounds + 1
    assert prev == len(common)
    assert rounds <= min(len(set(ours)), len(set(theirs))) + 1
