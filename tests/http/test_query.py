"""Go's readings of query strings and the values in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raftsim.http.goformat import duration, quote
from raftsim.http.message import HttpError, make_request
from raftsim.http.query import parse_bool, parse_duration, parse_int32, parse_query, parse_uint, unescape


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", {}),
        ("&&", {}),
        ("a", {"a": [""]}),
        ("a=", {"a": [""]}),
        ("=a", {"": ["a"]}),
        ("a=1&b=2&a=3", {"a": ["1", "3"], "b": ["2"]}),
        ("a=b=c", {"a": ["b=c"]}),
        ("a=1;b=2&c=3", {"c": ["3"]}),
        ("a=%3B", {"a": [";"]}),
        ("a=%&%zz=b&c=%4&d=%41", {"d": ["A"]}),
        ("a+b=c+d%2B", {"a b": ["c d+"]}),
        ("a=%C3%A9&b=%ff", {"a": ["é"], "b": ["\ufffd"]}),
    ],
)
def test_parse_query(text: str, pairs: dict[str, list[str]]) -> None:
    query = parse_query(text)
    assert query == pairs
    assert all(query.first(key) == values[0] for key, values in pairs.items())
    assert query.first("absent") == ""


@given(st.text(max_size=50))
def test_whatever_is_unescaped_can_be_encoded(text: str) -> None:
    (unescape(text) or "").encode()
    for key, values in parse_query(text).items():
        "".join([key, *values]).encode()


@given(st.text(max_size=20, alphabet=st.characters(exclude_categories=["Cs"])))
def test_unescape_undoes_escaping(text: str) -> None:
    assert unescape("".join(f"%{byte:02X}" for byte in text.encode())) == text


def test_parse_bool() -> None:
    assert [parse_bool(text) for text in ("1", "t", "T", "TRUE", "true", "True")] == [True] * 6
    assert [parse_bool(text) for text in ("0", "f", "F", "FALSE", "false", "False")] == [False] * 6
    assert [parse_bool(text) for text in ("", "yes", "2", "tRUE", " true")] == [None] * 5


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("0", 0),
        ("007", 7),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", "value out of range"),
        ("9" * 5000, "value out of range"),
        ("0" * 5000 + "1", 1),
        ("", "invalid syntax"),
        ("-1", "invalid syntax"),
        ("+1", "invalid syntax"),
        ("1_000", "invalid syntax"),
        ("\u0661", "invalid syntax"),
        ("1\n", "invalid syntax"),
    ],
)
def test_parse_uint(text: str, result: int | str) -> None:
    assert parse_uint(text) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("5", 5),
        ("+5", 5),
        ("-5", -5),
        ("2147483647", 2**31 - 1),
        ("-2147483648", -(2**31)),
        *((text, None) for text in ("2147483648", "-2147483649", "", "-", "--1", "1.0")),
    ],
)
def test_parse_int32(text: str, result: int | None) -> None:
    assert parse_int32(text) == result


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("0", 0),
        ("-0", 0),
        ("0s", 0),
        ("10s", 10 * 10**9),
        ("200ms", 200 * 10**6),
        ("1.5h", 5400 * 10**9),
        ("1m30s", 90 * 10**9),
        ("-1s", -(10**9)),
        ("+.5s", 5 * 10**8),
        ("1.s", 10**9),
        ("1µs", 1000),
        ("1μs", 1000),
        ("1us1ns", 1001),
        ("2562047h47m16.854775807s", 2**63 - 1),
        ("2562047h47m16.854775808s", None),
        ("9" * 5000 + "s", None),
        *((text, None) for text in ("", "5", "s", ".s", "10 s", "1d", "1s2", "abc", "-", "1S", "--1s", "1s\n")),
    ],
)
def test_parse_duration(text: str, ns: int | None) -> None:
    assert parse_duration(text) == ns


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1100, "1.1µs"),
        (1_500_000, "1.5ms"),
        (200_000_000, "200ms"),
        (45_123_000, "45.123ms"),
        (10_000_000_000, "10s"),
        (90_500_000_000, "1m30.5s"),
        (129_600_000_000_000, "36h0m0s"),
        (-1_000_000_000, "-1s"),
    ],
)
def test_duration(ns: int, text: str) -> None:
    assert duration(ns) == text


@given(st.integers(min_value=-(2**63) + 1, max_value=2**63 - 1))
def test_durations_survive_being_printed(ns: int) -> None:
    assert parse_duration(duration(ns)) == ns


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("plain é 世", '"plain é 世"'),
        ('a"b\\c', '"a\\"b\\\\c"'),
        ("\a\b\f\n\r\t\v", '"\\a\\b\\f\\n\\r\\t\\v"'),
        ("\x00\x7f", '"\\x00\\x7f"'),
        ("\u2028\xa0\U000e0001", '"\\u2028\\u00a0\\U000e0001"'),
    ],
)
def test_quote(text: str, quoted: str) -> None:
    assert quote(text) == quoted


@pytest.mark.parametrize("target", ["", "x", "*", "/%", "/%zz?a", "host:1", "ftp://h/"])
def test_targets_that_are_no_path(target: str) -> None:
    with pytest.raises(HttpError) as caught:
        make_request("GET", target)
    assert (caught.value.status, caught.value.text) == (400, "400 Bad Request")


def test_a_target_is_taken_apart() -> None:
    request = make_request("GET", "https://h:1/a%2Fb?c=%20?&d", headers={"x-y": "z"})
    assert (request.raw_path, request.path, request.raw_query) == ("/a%2Fb", "/a/b", "c=%20?&d")
    assert (request.query, request.headers) == ({"c": [" ?"], "d": [""]}, {"x-y": "z"})
