"""The state machine an agent runs, by its import path."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Final

from raftsim.agent.schema import ConfigError
from raftsim.machine.base import Machine

_PARTS: Final = ("check_command", "apply", "query", "snapshot", "restore", "replace")


def machine_of(path: str) -> Machine:
    """A new machine, from a factory named as `package.module:factory`. Raises ConfigError."""
    machine = _call(path, _factory(path))
    missing = [name for name in _PARTS if not callable(getattr(machine, name, None))]
    if missing:
        kind = type(machine).__name__
        raise ConfigError(f"raftsim.machine: {path} made a {kind}, which has no {', '.join(missing)}")
    return machine


def _factory(path: str) -> Callable[[], Machine]:
    module_name, _, name = path.partition(":")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # of any code that is not ours
        raise ConfigError(f"raftsim.machine: cannot import {module_name}: {_told(error)}") from error
    factory: Callable[[], Machine] | None = getattr(module, name, None)
    if not callable(factory):
        raise ConfigError(f"raftsim.machine: {module_name} has no factory called {name}")
    return factory


def _call(path: str, factory: Callable[[], Machine]) -> Machine:
    try:
        return factory()
    except Exception as error:  # of any code that is not ours
        raise ConfigError(f"raftsim.machine: {path} failed: {_told(error)}") from error


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
