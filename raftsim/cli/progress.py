"""One line on the terminal that tells how far a long work has come, and is gone when it ends."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Final, Self

from raftsim.cli.output import is_terminal

_ERASE: Final = "\r\x1b[K"
_EVERY_S: Final = 0.1


class Progress:
    """Nothing at all where stderr is no terminal."""

    def __init__(self) -> None:
        self._shows = is_terminal(sys.stderr)
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shows:
            print(_ERASE, end="", file=sys.stderr, flush=True)

    def show(self, text: str) -> None:
        now = time.monotonic()
        if self._shows and now >= self._next:
            self._next = now + _EVERY_S
            print(_ERASE + text, end="", file=sys.stderr, flush=True)
