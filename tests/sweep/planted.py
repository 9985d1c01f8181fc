"""Executors whose workers run a Raft with a mistake in it, for `-executor=tests.sweep.planted:...`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import Any

from raftsim.core.raft import Raft
from raftsim.scenario import runner
from raftsim.sweep.spread import Inline

WORKERS = 2


def hasty() -> Executor:
    """Promises leave before they are durable (B01)."""
    return ProcessPoolExecutor(WORKERS, initializer=_plant, initargs=(Raft, "promise", Raft.send))


def clumsy() -> Executor:
    """Every run of a scenario raises."""
    return ProcessPoolExecutor(WORKERS, initializer=_plant, initargs=(runner, "run", _raise))


def dying() -> Executor:
    """Its workers end with their first task."""
    return ProcessPoolExecutor(WORKERS, initializer=_plant, initargs=(runner, "run", _die))


class _Interrupted(Inline):
    """Ctrl-C comes after two batches."""

    def __init__(self) -> None:
        self._left = 2

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if not self._left:
            raise KeyboardInterrupt
        self._left -= 1
        return super().submit(fn, *args, **kwargs)


def interrupted() -> Executor:
    return _Interrupted()


def failing() -> Executor:
    raise OSError("no workers\ntoday")


def nothing() -> object:
    return object()


def _plant(where: object, name: str, what: object) -> None:
    setattr(where, name, what)


def _raise(*_: Any) -> None:
    raise RuntimeError("run 17 of n3 fell over")


def _die(*_: Any) -> None:
    import os

    os._exit(1)
