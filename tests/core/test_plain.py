"""The plain form: a round trip for what is ours, a ProtocolViolation and nothing else for what is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from raftsim.core.config import LEARNER, VOTER, Change, Config, enter_joint, of, simple
from raftsim.core.entry import COMMAND, CONFIG, NOOP, RESTORE_STEP, Entry, HardState
from raftsim.core.errors import ProtocolViolation
from raftsim.core.plain import (
    config_from_plain,
    config_to_plain,
    entry_from_plain,
    entry_to_plain,
    hard_from_plain,
    hard_to_plain,
)

names = st.text(min_size=1, max_size=6)
configs = st.one_of(
    st.lists(names, min_size=1, max_size=5, unique=True).map(lambda ids: of(*ids)),
    st.just(Config()),
    st.just(enter_joint(of("a", "b", "c"), [Change(VOTER, "d", "h:4"), Change(LEARNER, "a")])),
    st.just(simple(of("a"), [Change(LEARNER, "b", "h:2")])),
    st.just(simple(of("a"), [Change(VOTER, "b", "h:2", incarnation=7)])),
    st.just(simple(of("a", "b"), [Change(LEARNER, "b", returning=True)])),
)
terms = st.integers(0, 1 << 62)
entries = st.one_of(
    st.builds(Entry, terms, st.just(NOOP)),
    st.builds(Entry, terms, st.sampled_from([COMMAND, RESTORE_STEP]), st.binary(max_size=20)),
    st.builds(Entry, terms, st.just(CONFIG), configs),
)


@given(entries)
def test_entries_come_back(entry: Entry) -> None:
    assert entry_from_plain(entry_to_plain(entry)) == entry


@given(configs)
def test_configurations_come_back(config: Config) -> None:
    assert config_from_plain(config_to_plain(config)) == config


@given(st.builds(HardState, terms, st.none() | names, st.booleans()))
def test_vote_records_come_back(hard: HardState) -> None:
    assert hard_from_plain(hard_to_plain(hard)) == hard


scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3) | st.binary(max_size=3) | st.floats()
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=6).map(tuple) | st.lists(inner, max_size=6) | st.dictionaries(names, inner),
    max_leaves=20,
)
ids = st.lists(st.sampled_from("abc"), max_size=3).map(tuple)
servers = st.lists(st.tuples(st.sampled_from("abc"), st.just("h:1")), max_size=3).map(tuple)
nearly_configs = st.tuples(ids | anything, ids, ids, ids, st.booleans(), servers | anything)
nearly_entries = st.tuples(st.integers(-1, 3), st.integers(-1, 4), nearly_configs | anything)


@given(anything | nearly_entries | nearly_configs)
@example((1, CONFIG, ("ab", (), (), (), False, (("a", "h:1"),))))
@example((1, CONFIG, ((["a"],), (), (), (), False, ((["a"], "h:1"),))))
@example((("a",), (), (), (), False, ("ab",)))
@example((("a",), (), (), (), False, (("a", "h:1", "more"),)))
def test_anything_else_is_a_violation(plain: Any) -> None:
    """Whatever is not refused is something that could have been written: it goes back to the same plain form."""
    for read, write in (
        (entry_from_plain, entry_to_plain),
        (config_from_plain, config_to_plain),
        (hard_from_plain, hard_to_plain),
    ):
        try:
            value: Any = read(plain)
        except ProtocolViolation:
            continue
        assert write(value) == tuple(plain)


REFUSED = [
    (),
    (1, COMMAND),
    (-1, COMMAND, b""),
    (1, 4, b""),
    (1, COMMAND, "text"),
    (1, CONFIG, b""),
    (1.0, NOOP, b""),
    ("1", NOOP, b""),
    (1, NOOP, b"", b""),
]


@pytest.mark.parametrize("plain", REFUSED)
def test_what_is_no_entry(plain: object) -> None:
    with pytest.raises(ProtocolViolation):
        entry_from_plain(plain)


@pytest.mark.parametrize("plain", [(), (1,), (-1, None), (1, b"a"), (1, 2), ("1", "a"), 7, None])
def test_what_is_no_vote_record(plain: object) -> None:
    with pytest.raises(ProtocolViolation):
        hard_from_plain(plain)
