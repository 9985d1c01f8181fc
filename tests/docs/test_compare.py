"""The comparison itself: what may differ, and what may not."""

from __future__ import annotations

import pytest

from tests.docs.compare import agrees

PEERS = ["n1.global  leader    true", "n2.global  follower  true"]


@pytest.mark.parametrize(
    ("page", "printed"),
    [
        (["a  b"], "a b"),
        (["a", "…", "z"], "a\nb\nc\nz\n"),
        (["a", "…", "z"], "a\nz\n"),
        (["a … z"], "a b c z"),
        ([], ""),
        ([], "\n"),
    ],
)
def test_same(page: list[str], printed: str) -> None:
    assert agrees(page, printed, varies=False)
    assert agrees(page, printed, varies=True)


@pytest.mark.parametrize(
    ("page", "printed"),
    [(["a"], "b"), (["a"], "a\nb"), (["a", "b"], "a"), ([], "a"), (["a … z"], "a z\nb"), (["a.c"], "abc")],
)
def test_different(page: list[str], printed: str) -> None:
    assert not agrees(page, printed, varies=False)
    assert not agrees(page, printed, varies=True)


@pytest.mark.parametrize(
    ("page", "printed"),
    [
        (["term 1, after 551 ms"], "term 12, after 1,024 ms"),
        (["Killed n1"], "Killed n3"),
        (["2026-11-23T13:45:11Z at 127.0.0.1:4647"], "2027-01-02T03:04:05Z at 127.0.0.1:4657"),
        (["Date: Mon, 23 Nov 2026 13:50:30 GMT"], "Date: Fri, 01 Jan 2027 00:00:00 GMT"),
        (PEERS, "n1.global follower true\nn2.global leader true"),
    ],
)
def test_numbers_names_and_roles_may_vary_where_the_page_says_so(page: list[str], printed: str) -> None:
    assert not agrees(page, printed, varies=False)
    assert agrees(page, printed, varies=True)


@pytest.mark.parametrize(
    "printed",
    [
        "n1.global leader true\nn2.global leader true",
        "n1.global follower true\nn2.global follower true",
        "n1.global leader true\nn2.global follower false",
        "n1.global leader true",
        "n1.global leader true\nn2.global learner true",
    ],
)
def test_there_are_as_many_leaders_as_the_page_says(printed: str) -> None:
    assert not agrees(PEERS, printed, varies=True)
