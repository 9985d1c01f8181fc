"""Log lines in the layout of Nomad's agent, and the observer that logs what a server does.

    2026-11-23T07:00:01.123Z [INFO]  raftsim.raft: entering leader state: term=2

Lines written before the banner is out are kept and follow it.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from logging.handlers import MemoryHandler
from typing import Any, TextIO

from raftsim.core.config import Config
from raftsim.core.output import ConfigChanged, MemoryLost, RoleChanged
from raftsim.trace import events

_MAX_HELD_LINES = 1000
_ROOT = "raftsim"
_LEVELS = {
    "TRACE": 5,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "ERROR": logging.ERROR,
    "OFF": logging.CRITICAL + 1,
}
_NAMES = {number: name for name, number in _LEVELS.items()}


class Logs:
    """The log of this process. Lines are held back until `release`."""

    def __init__(self, level: str, *, as_json: bool, stream: TextIO = sys.stdout) -> None:
        target = logging.StreamHandler(stream)
        target.setFormatter(_JsonFormatter() if as_json else _LineFormatter())
        self._held = MemoryHandler(_MAX_HELD_LINES, flushLevel=logging.CRITICAL + 1, target=target)
        self._target = target
        self._logger = logging.getLogger(_ROOT)
        self._logger.propagate = False
        self._logger.handlers = [self._held]
        self.set_level(level)

    def set_level(self, level: str) -> None:
        """`level` is one of the names of a configuration file."""
        self._logger.setLevel(_LEVELS[level])

    def release(self) -> None:
        """Write what was held; from now on nothing is."""
        self._held.flush()
        self._logger.handlers = [self._target]


class _LineFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        level = f"[{_level_name(record)}]"
        line = f"{_timestamp(record)} {level:<7} {record.name}: {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "@level": _level_name(record).lower(),
            "@message": record.getMessage(),
            "@module": record.name,
            "@timestamp": _timestamp(record),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _level_name(record: logging.LogRecord) -> str:
    return _NAMES.get(record.levelno, "ERROR")


def _timestamp(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class EventLog:
    """Logs changes of role, leader and configuration. `acts` are what an observer calls, by the kind of event."""

    def __init__(self) -> None:
        self._logger = logging.getLogger(f"{_ROOT}.raft")
        self._role = ""
        self.acts: Mapping[str, Callable[[Any], None]] = {
            events.ROLE: self._role_changed,
            events.CONFIG: self._config_changed,
            events.MEMORY: self._memory_lost,
        }

    def _memory_lost(self, loss: MemoryLost) -> None:
        self._logger.warning(
            "this server has lost its data: %s knows of its past. It has no vote until it has caught up", loss.witness
        )

    def _config_changed(self, change: ConfigChanged) -> None:
        self._logger.info("configuration in force: index=%d %s", change.index, _members(change.config))
        for id in change.config.returning:
            self._logger.warning("%s came back without its data: it has no vote until it has caught up", id)

    def _role_changed(self, change: RoleChanged) -> None:
        leader = change.leader or "none"
        if change.role == self._role:
            self._logger.info("leader known: term=%d leader=%s", change.term, leader)
        else:
            self._logger.info("entering %s state: term=%d leader=%s", change.role, change.term, leader)
        self._role = change.role


def _members(config: Config) -> str:
    words = [f"voters={','.join(config.voters)}"]
    if config.outgoing:
        words.append(f"outgoing={','.join(config.outgoing)}")
    if config.learners:
        words.append(f"non-voters={','.join(config.learners)}")
    return " ".join(words)
