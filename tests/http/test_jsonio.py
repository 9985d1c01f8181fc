"""JSON with the manners of Go's encoders and decoders."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raftsim.http.jsonio import decode, decode_body, encode
from raftsim.http.message import HttpError, make_request


@pytest.mark.parametrize(
    ("value", "compact"),
    [
        ({"b": 1, "a": [], "é": {}, "Z": None, "~": True}, '{"Z":null,"a":[],"b":1,"~":true,"é":{}}'),
        ("<>&é\x7f", '"<>&é\x7f"'),
        ('"\\/\b\f\n\r\t\x01', '"\\"\\\\/\\b\\f\\n\\r\\t\\u0001"'),
        ("\u2028\u2029", '"\\u2028\\u2029"'),
        (3.0, "3.0"),
        ((1, (2,)), "[1,[2]]"),
    ],
)
def test_encode(value: object, compact: str) -> None:
    assert encode(value) == compact.encode()


def test_encode_pretty() -> None:
    assert encode({"b": [1, {}], "a": []}, pretty=True) == (
        b'{\n    "a": [],\n    "b": [\n        1,\n        {}\n    ]\n}\n'
    )


def test_what_is_no_json_is_not_encoded() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode(float("nan"))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_what_is_encoded_can_be_decoded(value: Any) -> None:
    assert decode(encode(value).decode()) == value
    assert decode(encode(value, pretty=True).decode() + "trailing") == value


@given(VALUES.filter(lambda value: isinstance(value, list | dict | str)), st.data())
def test_what_is_cut_ends_unexpectedly(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value, ensure_ascii=data.draw(st.booleans()))
    with pytest.raises(HttpError) as caught:
        decode(text[: data.draw(st.integers(1, len(text) - 1))])
    assert (caught.value.status, caught.value.text) == (400, "unexpected EOF")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "EOF"),
        (" \r\n\t", "EOF"),
        ("{", "unexpected EOF"),
        ('{"a":1.', "unexpected EOF"),
        ('{"a":1e+', "unexpected EOF"),
        ('{"a": tru', "unexpected EOF"),
        ('["\\u12', "unexpected EOF"),
        ("x", "invalid character 'x' looking for beginning of value"),
        ("'a'", "invalid character '\\'' looking for beginning of value"),
        ("\ufeff{}", "invalid character '\\ufeff' looking for beginning of value"),
        ("[NaN]", "invalid character 'N' looking for beginning of value"),
        ("[-Infinity]", "invalid character 'I' looking for beginning of value"),
        ("{a:1}", "invalid character 'a' looking for beginning of object key string"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a":1 "b":2}', "invalid character '\"' after object key:value pair"),
        ('["a\nb"]', "invalid character '\\n' in string literal"),
        ('["\\q"]', "invalid character"),
        ("[" * 100_000, "exceeded max depth"),
    ],
)
def test_complaints(text: str, complaint: str) -> None:
    with pytest.raises(HttpError) as caught:
        decode(text)
    assert caught.value.status == 400
    assert caught.value.text.startswith(complaint)


def test_numbers_of_any_length() -> None:
    assert decode("9" * 10_000) == float("inf")


def body(content: bytes, **headers: str) -> dict[str, Any]:
    return decode_body(make_request("PUT", "/", body=content, headers=headers), "api.Thing")


def test_body() -> None:
    assert body(b'{"A":1,"bC":"\xff\\ud800"} x') == {"a": 1.0, "bc": "\ufffd\ufffd"}
    assert body(b"null") == {}


@pytest.mark.parametrize(
    ("content", "headers", "complaint"),
    [
        (b"", {}, "Request body is empty"),
        (b"", {"transfer-encoding": "chunked"}, "EOF"),
        (b"1", {}, "json: cannot unmarshal number into Go value of type api.Thing"),
        (b'"x"', {}, "json: cannot unmarshal string into Go value of type api.Thing"),
        (b"true", {}, "json: cannot unmarshal bool into Go value of type api.Thing"),
        (b"[1]", {}, "json: cannot unmarshal array into Go value of type api.Thing"),
    ],
)
def test_bodies_that_are_no_object(content: bytes, headers: dict[str, str], complaint: str) -> None:
    with pytest.raises(HttpError) as caught:
        body(content, **headers)
    assert caught.value.text == complaint
