"""Records as flat tuples `(tag, field, ...)` and back, driven by a table of forms.

A form says for every field of a dataclass, in order, how it is checked on arrival and, where it is not plain already,
how it leaves. A family is a set of forms told apart by tag. Nothing that arrives is trusted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter, call
from typing import Any, Final, Generic, NamedTuple, NoReturn, TypeVar

from raftsim.core.errors import ProtocolViolation

T = TypeVar("T")

MAX_NUMBER: Final = (1 << 63) - 1  # a number may be counted up once more and still be sent


class Field(NamedTuple):
    read: Callable[[Any], Any]  # the value as the record holds it; raises ProtocolViolation
    write: Callable[[Any], Any] | None = None  # the value as plain data; None: it is plain


class Form(Generic[T]):
    """How records of one class travel under one tag."""

    def __init__(self, tag: int, type: type[T], *columns: Field) -> None:
        self.tag = tag
        self.type = type
        names = tuple(field.name for field in fields(type))  # type: ignore[arg-type]
        assert len(names) == len(columns), type
        self.values = _getter(names)
        self.reads = tuple(column.read for column in columns)
        self.writes = [(place, column.write) for place, column in enumerate(columns, 1) if column.write]


class Family(Generic[T]):
    """Forms told apart by tag."""

    def __init__(self, what: str, *forms: Form[Any]) -> None:
        self._what = what
        self._by_tag = {form.tag: form for form in forms}
        self._by_type = {form.type: form for form in forms}
        assert len(self._by_tag) == len(self._by_type) == len(forms)

    def to_plain(self, record: T) -> tuple[Any, ...]:
        form = self._by_type[type(record)]
        plain = [form.tag, *form.values(record)]
        for place, write in form.writes:
            plain[place] = write(plain[place])
        return tuple(plain)

    def from_plain(self, plain: Any) -> T:
        """The record. Raises ProtocolViolation for anything that is not exactly one of the forms."""
        if type(plain) is not tuple or not plain or type(plain[0]) is not int:
            refuse(self._what)
        form = self._by_tag.get(plain[0])
        if form is None or len(plain) != len(form.reads) + 1:
            refuse(self._what)
        record: T = form.type(*map(call, form.reads, plain[1:]))
        return record


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """What gets these attributes of a record: in one step where that is possible, for every message passes here."""
    return attrgetter(*names) if len(names) > 1 else lambda record: tuple(getattr(record, name) for name in names)


def refuse(what: str) -> NoReturn:
    raise ProtocolViolation(f"not {what}")


def _number(value: Any) -> int:
    if type(value) is int and 0 <= value <= MAX_NUMBER:
        return value
    refuse("a number that counts something")


def _optional_number(value: Any) -> int | None:
    return None if value is None else _number(value)


def _seconds(value: Any) -> float:
    if type(value) is float and 0 <= value < math.inf:
        return value
    refuse("a number of seconds")


def _flag(value: Any) -> bool:
    if value is True or value is False:
        return value
    refuse("a flag")


def _id(value: Any) -> str:
    if type(value) is str and value:
        return value
    refuse("an id")


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    refuse("a text")


def _optional_text(value: Any) -> str | None:
    return None if value is None else _text(value)


def _data(value: Any) -> bytes:
    if type(value) is bytes:
        return value
    refuse("bytes")


def _row(value: Any) -> tuple[Any, ...]:
    if type(value) is tuple:
        return value
    refuse("a row of values")


def _plain(value: Any) -> Any:
    return value


NUMBER: Final = Field(_number)
OPTIONAL_NUMBER: Final = Field(_optional_number)
SECONDS: Final = Field(_seconds, float)
FLAG: Final = Field(_flag)
ID: Final = Field(_id)
TEXT: Final = Field(_text)
OPTIONAL_TEXT: Final = Field(_optional_text)
DATA: Final = Field(_data)
ROW: Final = Field(_row)
PLAIN: Final = Field(_plain)  # whatever the decoder lets through: see codec.unpack
