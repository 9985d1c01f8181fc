"""The life of an agent process: start, banner, signals, end."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import json
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from raftsim.agent.agent import Agent
from raftsim.agent.banner import ERROR_PREFIX, preamble, summary
from raftsim.agent.config import AgentConfig, choose_ports
from raftsim.agent.logs import Logs
from raftsim.agent.schema import ConfigError
from raftsim.live.loop import run as run_loop
from raftsim.storage.errors import StorageError

STOP_TIMEOUT_S = 5.0
_COLLECTOR_THRESHOLDS = 20_000, 10, 100  # new objects; collections of the first and of the second generation
_PR_SET_PDEATHSIG = 1
_SIGNAL_NAMES = {signal.SIGINT: "interrupt", signal.SIGTERM: "terminated"}  # as Nomad's agent calls them
_logger = logging.getLogger("raftsim.agent")


def run(load: Callable[[], AgentConfig], *, ready_fd: int | None = None, die_with_parent: bool = False) -> int:
    """Run an agent until it is told to stop or fails. Returns the exit code of the process.

    `load` reads the configuration, at SIGHUP again; it may raise ConfigError. `ready_fd` gets one line of JSON with
    the addresses once the agent serves.
    """
    try:
        if die_with_parent:
            _die_with_parent()
        if ready_fd is not None:
            _check_open(ready_fd)
        config = choose_ports(load())
        with _data_directory(config) as config:
            return run_loop(_Life(config, load, ready_fd).live())
    except (ConfigError, StorageError) as error:
        return _not_started(str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _not_started(f"{where}{error.strerror or error}")


class _Life:
    def __init__(self, config: AgentConfig, load: Callable[[], AgentConfig], ready_fd: int | None) -> None:
        self._config = config
        self._load = load
        self._ready_fd = ready_fd
        self._logs = Logs(config.log_level, as_json=config.log_json)
        self._end: asyncio.Future[signal.Signals | str]  # the signal caught, or why the server failed

    async def live(self) -> int:
        """Everything between the configuration and the exit code."""
        loop = asyncio.get_running_loop()
        self._end = loop.create_future()
        for number in _SIGNAL_NAMES:
            loop.add_signal_handler(number, self._caught, number)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        _say(preamble(self._config))
        agent = Agent(self._config, self._fail)
        await agent.start()
        _spare_collector()
        _say(summary(self._config, agent.id))
        self._logs.release()
        try:
            self._tell_ready()
            end = await self._end
            return await self._leave(agent, end) if isinstance(end, signal.Signals) else self._failed(end)
        finally:
            await self._stop(agent)

    def _caught(self, number: signal.Signals) -> None:
        if self._end.done():
            os._exit(1)  # asked twice: at once. What was acknowledged is on the disk
        self._end.set_result(number)

    def _fail(self, why: str) -> None:
        if not self._end.done():
            self._end.set_result(why)

    def _reload(self) -> None:
        _say("==> Reloading configuration...")
        try:
            self._logs.set_level(self._load().log_level)
        except ConfigError as error:
            _say(f"==> {error}")

    def _tell_ready(self) -> None:
        if self._ready_fd is None:
            return
        line = json.dumps({"http": self._config.http_address, "rpc": self._config.rpc_address})
        try:
            os.write(self._ready_fd, f"{line}\n".encode())
            os.close(self._ready_fd)
        except BrokenPipeError:
            self._fail("whoever started this agent does not wait for it any more")

    async def _leave(self, agent: Agent, caught: signal.Signals) -> int:
        """As Nomad's agent: it leaves the cluster and exits with 0 only if it was configured to."""
        _say(f"==> Caught signal: {_SIGNAL_NAMES[caught]}")
        config = self._config
        if not (config.leave_on_interrupt if caught == signal.SIGINT else config.leave_on_terminate):
            return 1
        _say("==> Gracefully shutting down agent...")
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await agent.leave()
        except TimeoutError:
            _logger.warning("this server is still a member of the cluster: nobody answered")
        return 0

    def _failed(self, why: str) -> int:
        _logger.error("this server stops: %s", why)
        return 1

    async def _stop(self, agent: Agent) -> None:
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await agent.stop()
        except TimeoutError:
            _logger.error("this server does not stop by itself; it is ended")
            os._exit(1)


def _spare_collector() -> None:
    """A server makes few cycles of objects, and keeps every entry of its log.

    With Python's defaults the collector looks through what is new some hundred times a second, and through all there is
    again and again: a tenth of the time of a leader under load, and pauses that its clients feel.
    """
    gc.freeze()
    gc.set_threshold(*_COLLECTOR_THRESHOLDS)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _not_started(why: str) -> int:
    sys.stderr.write(f"{ERROR_PREFIX}{why}\n")
    return 1


@contextlib.contextmanager
def _data_directory(config: AgentConfig) -> Iterator[AgentConfig]:
    if config.data_dir is not None:
        yield config
        return
    with tempfile.TemporaryDirectory(prefix="raftsim-dev-") as directory:
        yield replace(config, data_dir=Path(directory))


def _check_open(fd: int) -> None:
    try:
        os.fstat(fd)
    except OSError:
        raise ConfigError(f"-ready-fd={fd}: no such file descriptor is open") from None


def _die_with_parent() -> None:
    """Have the kernel kill this process when the one that started it ends, however it ends."""
    try:
        failed = ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0
    except AttributeError:
        failed = True
    if failed:
        raise ConfigError("-die-with-parent: this system cannot do it")
