"""JSON in and out, with the manners of Go's encoders: sorted keys, compact or indented by 4, and Go's complaints."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from raftsim.http.message import JSON, HttpError, HttpRequest, HttpResponse

_SPACE: Final = " \t\n\r"
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# What may stand at the end of a value that was cut short, where the parser of the standard library loses the thread.
_CUT: Final = re.compile(r"(?:|-|t|tr|tru|f|fa|fal|fals|n|nu|nul|\.|[eE][+-]?|\\?u?[0-9a-fA-F]{0,4})\Z")
_encoder: Final = partial(json.JSONEncoder, ensure_ascii=False, allow_nan=False)
_COMPACT: Final = _encoder(sort_keys=True, separators=(",", ":"))
_COMPACT_UNSORTED: Final = _encoder(separators=(",", ":"))
_PRETTY: Final = _encoder(sort_keys=True, indent=4)
_KINDS: Final = {bool: "bool", str: "string", float: "number", list: "array", dict: "object"}
_CONTEXT: Final = (
    ("Expecting property name", "looking for beginning of object key string"),
    ("Expecting ':'", "after object key"),
    ("Expecting ','", "after object key:value pair"),
    ("Invalid control character", "in string literal"),
    ("Invalid \\", "in string escape code"),
    ("", "looking for beginning of value"),
)


def encode(value: object, *, pretty: bool = False, sort_keys: bool = True) -> bytes:
    """`value` as JSON: compact and without a newline, or `pretty` with one and sorted keys. Raises ValueError for what
    is no JSON."""
    text = _PRETTY.encode(value) + "\n" if pretty else (_COMPACT if sort_keys else _COMPACT_UNSORTED).encode(value)
    # Both are line ends to JavaScript, so Go escapes them; outside of strings they cannot occur.
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()


def json_response(request: HttpRequest, value: object, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """200 with `value`, indented if the request says `pretty` (with any value but 0)."""
    return HttpResponse(200, {"Content-Type": JSON, **(headers or {})}, encode(value, pretty=is_pretty(request)))


def is_pretty(request: HttpRequest) -> bool:
    return "pretty" in request.query and request.query.first("pretty") != "0"


def decode_body(request: HttpRequest, type_name: str) -> dict[str, Any]:
    """The JSON object in the body, its keys in lower case; `null` counts as an empty one, the rest is ignored.

    `type_name` is what Go calls the wanted type. Raises HttpError 400 in Go's words.
    """
    if not request.body and "chunked" not in request.headers.get("transfer-encoding", ""):
        raise HttpError(400, "Request body is empty")
    value = decode(request.body.decode("utf-8", "replace"))
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise HttpError(400, f"json: cannot unmarshal {kind(value)} into Go value of type {type_name}")
    return {name.lower(): field for name, field in value.items()}


def decode(text: str) -> Any:
    """The first JSON value in `text`; numbers become floats. Raises HttpError 400 in Go's words."""
    begin = len(text) - len(text.lstrip(_SPACE))
    if begin == len(text):
        raise HttpError(400, "EOF")
    try:
        decoder = _CLEANING_DECODER if "\\u" in text else _DECODER
        return decoder.raw_decode(text, begin)[0]
    except json.JSONDecodeError as error:
        if error.msg.startswith("Unterminated string") or _CUT.match(text, error.pos):
            raise HttpError(400, "unexpected EOF") from None
        context = next(words for start, words in _CONTEXT if error.msg.startswith(start))
        raise HttpError(400, f"invalid character {_quote_char(text[error.pos])} {context}") from None
    except RecursionError:
        raise HttpError(400, "exceeded max depth") from None


def kind(value: object) -> str:
    """What Go calls the kind of a decoded JSON value."""
    return _KINDS.get(type(value), "null")


def _quote_char(char: str) -> str:
    return {"'": "'\\''", '"': "'\"'"}.get(char, f"'{char}'" if char.isprintable() else repr(char))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {_clean(key): _clean(value) for key, value in pairs}


def _clean(value: Any) -> Any:
    """Lone surrogates cannot be stored or sent; Go replaces them too."""
    return _LONE_SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value


def _refuse_constant(name: str) -> Any:
    raise HttpError(400, f"invalid character '{name.lstrip('-')[0]}' looking for beginning of value")


_decoder: Final = partial(json.JSONDecoder, parse_int=float, parse_float=float, parse_constant=_refuse_constant)
_DECODER: Final = _decoder()
_CLEANING_DECODER: Final = _decoder(object_pairs_hook=_object)  # only an escape can make a lone surrogate
