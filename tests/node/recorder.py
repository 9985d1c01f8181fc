"""A machine that remembers what it was given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from raftsim.machine.base import InvalidRequest, Slices, at_once


class Recorder:
    """The machine: remembers every command it was given; the query ("all",) is answered with all of them."""

    def __init__(self) -> None:
        self.commands: list[bytes] = []

    def check_command(self, data: bytes) -> None:
        if data == b"bad":
            raise InvalidRequest("a bad command")

    def apply(self, index: int, data: bytes) -> Any:
        self.commands.append(data)
        return index, data

    def snapshot(self) -> Iterator[bytes]:
        return iter([b"|".join(self.commands)])

    def restore(self, state: Iterable[bytes]) -> Slices[None]:
        whole = b""
        for part in state:
            whole += part
            yield
        if whole == b"spoilt":
            raise ValueError("it is spoilt")
        self.commands = whole.split(b"|") if whole else []

    def replace(self, index: int, state: Iterable[bytes]) -> None:
        del index
        at_once(self.restore(state))

    def query(self, query: tuple[Any, ...]) -> Any:
        if query != ("all",):
            raise InvalidRequest("a bad query")
        return tuple(self.commands)
