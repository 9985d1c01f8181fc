"""Warnings about peers: one line for each connection that misbehaves, and a bound on them all.

Whoever can open connections could otherwise fill the disk with their log lines.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

logger: Final = logging.getLogger("raftsim.rpc")

MAX_LINES: Final = 10
WINDOW_S: Final = 10.0


class Complaints:
    """At most MAX_LINES warnings in WINDOW_S; the rest are counted and told when the next window begins."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._window_ends_s = 0.0
        self._told = 0
        self._kept_back = 0

    def tell(self, who: str, why: str) -> None:
        """Say that the connection with `who` was closed, and why."""
        now_s = self._now()
        if now_s >= self._window_ends_s:
            if self._kept_back:
                logger.warning("closed %d more connections that are not listed here", self._kept_back)
            self._window_ends_s, self._told, self._kept_back = now_s + WINDOW_S, 0, 0
        if self._told < MAX_LINES:
            self._told += 1
            logger.warning("closed the connection with %s: %s", who, why)
        else:
            self._kept_back += 1
