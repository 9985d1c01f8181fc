"""Section 6, the algebra of memberships (dissertation 4.1 to 4.3)."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raftsim.core.config import (
    LEARNER,
    REMOVE,
    VOTER,
    Change,
    Config,
    ConfigError,
    Server,
    check,
    enter_joint,
    initial,
    leave_joint,
    of,
    simple,
)

ABC = of("a", "b", "c")
WITH_LEARNER = simple(ABC, [Change(LEARNER, "d", "d")])
JOINT = enter_joint(ABC, [Change(VOTER, "d", "d"), Change(LEARNER, "a"), Change(REMOVE, "b")])


def add(id: str) -> Change:
    return Change(VOTER, id, id)


def listen(id: str) -> Change:
    return Change(LEARNER, id, id)


def remove(id: str) -> Change:
    return Change(REMOVE, id)


GOOD = [
    (ABC, [], "abc", ""),
    (ABC, [add("d")], "abcd", ""),
    (ABC, [add("a")], "abc", ""),
    (ABC, [remove("b")], "ac", ""),
    (ABC, [remove("z")], "abc", ""),
    (ABC, [listen("d")], "abc", "d"),
    (ABC, [listen("d"), listen("e")], "abc", "de"),
    (ABC, [listen("a")], "bc", "a"),
    (ABC, [remove("a"), add("a")], "abc", ""),
    (WITH_LEARNER, [add("d")], "abcd", ""),
    (WITH_LEARNER, [remove("d")], "abc", ""),
    (WITH_LEARNER, [remove("d"), add("e")], "abce", ""),
]


@pytest.mark.parametrize(("config", "changes", "voters", "learners"), GOOD)
def test_simple_changes(config: Config, changes: list[Change], voters: str, learners: str) -> None:
    after = simple(config, changes)
    assert ("".join(after.voters), "".join(after.learners)) == (voters, learners)
    assert (after.outgoing, after.learners_next, after.auto_leave) == ((), (), False)
    assert set(after.members()) == {*voters, *learners}


BAD = [
    (ABC, [add("d"), add("e")], "more than one voter"),
    (ABC, [add("d"), remove("a")], "more than one voter"),
    (ABC, [remove("a"), remove("b")], "more than one voter"),
    (of("a"), [remove("a")], "no voter would remain"),
    (of("a"), [listen("a")], "no voter would remain"),
    (ABC, [Change(VOTER, "d")], "no address for the new server 'd'"),
    (ABC, [Change(LEARNER, "d")], "no address for the new server 'd'"),
    (ABC, [Change("promote", "a")], "unknown change 'promote'"),
    (JOINT, [remove("c")], "must be left"),
]


@pytest.mark.parametrize(("config", "changes", "words"), BAD)
def test_simple_changes_that_are_refused(config: Config, changes: list[Change], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        simple(config, changes)


def test_members_stand_in_order_of_addition_with_their_addresses() -> None:
    config = simple(initial([Server("b", "h:2"), Server("a", "h:1")]), [Change(VOTER, "0", "h:0")])
    assert config.members() == ("b", "a", "0")
    assert config.voters == ("0", "a", "b")
    assert [config.address(id) for id in ("b", "a", "0", "z")] == ["h:2", "h:1", "h:0", None]


def test_a_joint_change_demotes_only_when_it_is_left() -> None:
    assert (JOINT.voters, JOINT.outgoing) == (("c", "d"), ("a", "b", "c"))
    assert (JOINT.learners, JOINT.learners_next, JOINT.auto_leave) == ((), ("a",), True)
    assert all(JOINT.is_voter(id) for id in "abcd")
    after = leave_joint(JOINT)
    assert after == Config(("c", "d"), (), ("a",), (), servers=tuple(Server(id, id) for id in "acd"))
    assert not after.is_voter("a")


def test_a_demotion_may_be_taken_back_in_the_same_change() -> None:
    joint = enter_joint(ABC, [listen("a"), add("a")], auto_leave=False)
    assert (joint.voters, joint.learners_next) == (("a", "b", "c"), ())
    assert leave_joint(joint) == ABC


def test_joint_changes_that_are_refused() -> None:
    with pytest.raises(ConfigError, match="joint already"):
        enter_joint(JOINT, [add("e")])
    with pytest.raises(ConfigError, match="without voters"):
        enter_joint(Config(), [add("a")])
    with pytest.raises(ConfigError, match="no voter would remain"):
        enter_joint(ABC, [remove("a"), remove("b"), remove("c")])
    with pytest.raises(ConfigError, match="not joint"):
        leave_joint(ABC)


BROKEN = [
    replace(WITH_LEARNER, learners=("a", "d")),
    replace(JOINT, learners=("a",)),
    replace(JOINT, learners_next=("z",)),
    replace(JOINT, learners_next=("c",)),
    replace(ABC, learners_next=("a",)),
    replace(ABC, auto_leave=True),
    replace(ABC, voters=("a", "b")),
    replace(ABC, voters=("a", "b", "c", "d")),
    replace(ABC, voters=("c", "b", "a")),
    replace(ABC, servers=(*ABC.servers, Server("a", "again"))),
]


@pytest.mark.parametrize("config", BROKEN)
def test_a_broken_configuration_is_never_accepted(config: Config) -> None:
    with pytest.raises(ConfigError):
        check(config)


@pytest.mark.parametrize(
    "config",
    [
        replace(ABC, voters=("a", "a", "b", "c")),
        replace(JOINT, outgoing=("a", "a", "b", "c")),
        replace(enter_joint(ABC, [listen("a"), listen("b")]), learners_next=("b", "a")),
    ],
)
def test_nobody_votes_twice(config: Config) -> None:
    """A voter listed twice counted for two, so a minority could make a majority."""
    with pytest.raises(ConfigError):
        check(config)


# properties

ids = st.sampled_from("abcde")
changes = st.lists(st.builds(Change, st.sampled_from([VOTER, LEARNER, REMOVE]), ids, st.just("host:1")), max_size=3)
steps = st.tuples(st.sampled_from(["simple", "enter", "leave"]), changes)


def take(config: Config, step: tuple[str, list[Change]]) -> Config:
    kind, wanted = step
    if kind == "simple":
        return simple(config, wanted)
    return enter_joint(config, wanted) if kind == "enter" else leave_joint(config)


def quorums(config: Config) -> list[set[str]]:
    """Every set of servers that can decide, by definition."""
    everybody = sorted({*config.voters, *config.outgoing})
    subsets = chain.from_iterable(combinations(everybody, size) for size in range(len(everybody) + 1))
    halves = [set(config.voters), *([set(config.outgoing)] if config.outgoing else [])]
    return [set(chosen) for chosen in subsets if all(2 * len(half & set(chosen)) > len(half) for half in halves)]


def assert_well_formed(config: Config) -> None:
    voters, outgoing, learners = set(config.voters), set(config.outgoing), set(config.learners)
    assert voters
    assert not learners & (voters | outgoing)
    assert set(config.learners_next) <= outgoing - voters
    assert sorted(config.members()) == sorted(voters | outgoing | learners)
    for group in (config.voters, config.outgoing, config.learners, config.learners_next):
        assert list(group) == sorted(set(group))


@given(st.lists(steps, max_size=12))
def test_any_sequence_of_changes_keeps_the_invariants_and_consecutive_quorums_meet(
    sequence: list[tuple[str, list[Change]]],
) -> None:
    config = of("a", "b", "c")
    for step in sequence:
        try:
            after = take(config, step)
        except ConfigError:
            continue
        assert_well_formed(after)
        assert all(old & new for old in quorums(config) for new in quorums(after)), (config, after)
        config = after
