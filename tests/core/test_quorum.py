"""Sections 5 and 6: majorities and joint majorities, by table and against their definition."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raftsim.core.quorum import committed_index, vote_result

COMMITTED = [
    ("", None, {}, None),
    ("a", None, {}, 0),
    ("a", None, {"a": 7}, 7),
    ("ab", None, {"a": 7}, 0),
    ("ab", None, {"a": 7, "b": 5}, 5),
    ("abc", None, {"a": 7}, 0),
    ("abc", None, {"a": 7, "b": 5}, 5),
    ("abc", None, {"a": 7, "b": 5, "c": 6}, 6),
    ("abcd", None, {"a": 9, "b": 8}, 0),
    ("abcd", None, {"a": 9, "b": 8, "c": 7}, 7),
    ("abcd", None, {"a": 9, "b": 8, "c": 7, "d": 7}, 7),
    ("abcde", None, {"a": 9, "b": 8, "c": 7}, 7),
    ("abcde", None, {"a": 1, "b": 5, "c": 4, "d": 3, "e": 2}, 3),
    ("abcdef", None, {"a": 9, "b": 9, "c": 9}, 0),
    ("abcdef", None, {"a": 9, "b": 9, "c": 9, "d": 2}, 2),
    ("abcdefg", None, {"a": 9, "b": 8, "c": 7, "d": 6}, 6),
    ("abc", None, {"a": 1, "b": 1, "x": 9, "y": 9}, 1),  # strangers do not count
    ("abc", "", {"a": 3, "b": 3}, 3),
    ("abc", "abc", {"a": 3, "b": 2}, 2),
    ("abc", "cde", {"a": 9, "b": 9, "c": 9}, 0),  # only the new half
    ("cde", "abc", {"a": 9, "b": 9, "c": 9}, 0),  # only the old half
    ("abc", "cde", {"a": 9, "b": 8, "c": 7, "d": 6}, 6),
    ("ab", "c", {"a": 9, "b": 8, "c": 7}, 7),
    ("", "abc", {"a": 4, "b": 3}, 3),
]


@pytest.mark.parametrize(("voters", "outgoing", "acks", "index"), COMMITTED)
def test_committed_index(voters: str, outgoing: str | None, acks: dict[str, int], index: int | None) -> None:
    assert committed_index(voters, outgoing, acks) == index


VOTES = [
    ("", None, "", "", "won"),
    ("a", None, "", "", "pending"),
    ("a", None, "a", "", "won"),
    ("a", None, "", "a", "lost"),
    ("ab", None, "a", "", "pending"),
    ("ab", None, "ab", "", "won"),
    ("ab", None, "a", "b", "lost"),
    ("abc", None, "a", "", "pending"),
    ("abc", None, "a", "b", "pending"),
    ("abc", None, "ab", "", "won"),
    ("abc", None, "", "ab", "lost"),
    ("abcd", None, "ab", "", "pending"),
    ("abcd", None, "ab", "c", "pending"),
    ("abcd", None, "ab", "cd", "lost"),  # half is no majority
    ("abcd", None, "abc", "", "won"),
    ("abcde", None, "abc", "de", "won"),
    ("abcde", None, "ab", "cd", "pending"),
    ("abcde", None, "ab", "cde", "lost"),
    ("abcdef", None, "abc", "def", "lost"),
    ("abcdefg", None, "abcd", "efg", "won"),
    ("abc", None, "axy", "", "pending"),  # strangers do not vote
    ("abc", "cde", "abc", "", "pending"),
    ("abc", "cde", "abcd", "", "won"),
    ("abc", "cde", "abc", "de", "lost"),
    ("abc", "cde", "de", "ab", "lost"),
]


@pytest.mark.parametrize(("voters", "outgoing", "granted", "refused", "result"), VOTES)
def test_vote_result(voters: str, outgoing: str | None, granted: str, refused: str, result: str) -> None:
    votes = dict.fromkeys(granted, True) | dict.fromkeys(refused, False)
    assert vote_result(voters, outgoing, votes) == result


servers = st.lists(st.sampled_from("abcdefg"), unique=True)


def majorities(half: list[str]) -> list[tuple[str, ...]]:
    return list(combinations(half, len(half) // 2 + 1))


@given(servers.filter(bool), servers, st.dictionaries(st.sampled_from("abcdefgx"), st.integers(0, 9)))
def test_committed_index_is_the_highest_that_some_majority_of_each_half_holds(
    voters: list[str], outgoing: list[str], acks: dict[str, int]
) -> None:
    def held(index: int, half: list[str]) -> bool:
        return any(all(acks.get(id, 0) >= index for id in majority) for majority in majorities(half))

    halves = [half for half in (voters, outgoing) if half]
    assert committed_index(voters, outgoing, acks) == max(
        index for index in range(10) if all(held(index, half) for half in halves)
    )


@given(servers.filter(bool), servers, st.dictionaries(st.sampled_from("abcdefgx"), st.booleans()))
def test_a_vote_is_won_when_nothing_can_lose_it_and_lost_when_nothing_can_win_it(
    voters: list[str], outgoing: list[str], votes: dict[str, bool]
) -> None:
    def wins(missing: bool) -> bool:
        halves = [half for half in (voters, outgoing) if half]
        return all(any(all(votes.get(id, missing) for id in m) for m in majorities(half)) for half in halves)

    expected = "won" if wins(missing=False) else "pending" if wins(missing=True) else "lost"
    assert vote_result(voters, outgoing, votes) == expected
