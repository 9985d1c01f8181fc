"""One server of a local cluster: its files, and its process.

DIRECTORY/agent.json    its configuration
DIRECTORY/agent.log     what it printed, all starts one after another
DIRECTORY/pid           which process it is
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from raftsim.agent.banner import ERROR_PREFIX, STARTING
from raftsim.cluster.errors import ClusterError
from raftsim.cluster.plan import NodePlan
from raftsim.cluster.process import DEAD, ProcessId

KILL_WAIT_S = 10.0
_MAX_LOG_BYTES = 10 << 20  # a longer log is moved to agent.log.1 at the next start
_TAIL_BYTES = 4096
_TAIL_LINES = 5


class ClusterNode:
    """`tied` nodes die with the process that started them, however it ends."""

    def __init__(self, plan: NodePlan, directory: Path, *, tied: bool) -> None:
        self.plan = plan
        self.directory = directory
        self._tied = tied
        self._child: subprocess.Popen[bytes] | None = None
        self._ready = -1

    @property
    def log_path(self) -> Path:
        return self.directory / "agent.log"

    def write_config(self, config: dict[str, Any]) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "agent.json").write_text(json.dumps(config, indent=2) + "\n")

    def write_id(self) -> None:
        """Give a node that is not among the first servers its id, where an agent would make one of its own."""
        if self.plan.id != self.plan.rpc_address:
            server_dir = Path(self.plan.data_dir) / "server"
            server_dir.mkdir(parents=True, exist_ok=True)
            (server_dir / "node-id").write_text(self.plan.id)

    def wipe(self) -> None:
        """Remove the log and the snapshots. Raises ClusterError when they cannot be."""
        try:
            shutil.rmtree(Path(self.plan.data_dir) / "server" / "raft")
        except OSError as error:
            raise ClusterError(f"{error.filename}: {error.strerror}") from None

    def process(self) -> ProcessId | None:
        """The process last started for this node, running or not."""
        try:
            return ProcessId.parse((self.directory / "pid").read_text())
        except OSError:
            return None

    def state(self) -> str:
        """RUNNING, PAUSED or DEAD."""
        process = self.process()
        return process.state() if process else DEAD

    def launch(self) -> None:
        """Begin to start the process; `await_ready` must follow."""
        log_path = self.log_path
        if log_path.exists() and log_path.stat().st_size > _MAX_LOG_BYTES:
            log_path.replace(log_path.with_suffix(".log.1"))
        ready, theirs = os.pipe()
        command = [sys.executable, "-m", "raftsim", "agent", f"-config={self.directory / 'agent.json'}"]
        command += [f"-ready-fd={theirs}", *(["-die-with-parent"] if self._tied else [])]
        try:
            with log_path.open("ab") as log:
                self._child = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(theirs,),
                    start_new_session=True,  # Ctrl-C in the terminal is for whoever started this, not for the node
                )
        except OSError:
            os.close(ready)
            raise
        finally:
            os.close(theirs)
        self._ready = ready
        (self.directory / "pid").write_text(f"{ProcessId.of(self._child.pid)}\n")

    def await_ready(self, deadline: float) -> None:
        """Wait until the process serves. Raises ClusterError with the reason when it does not by `deadline`."""
        line = _read_line(self._ready, deadline)
        os.close(self._ready)
        self._ready = -1
        if line is None:
            raise ClusterError(f"{self.plan.name} does not get ready: {self.failure()}")
        if not line:
            raise ClusterError(f"{self.plan.name} did not start: {self.failure()}")

    def abandon(self) -> None:
        """End what `launch` began."""
        if self._ready >= 0:
            os.close(self._ready)
            self._ready = -1
        self.kill()

    def kill(self) -> bool:
        """End the process at once and wait for it. False when it was not running. Raises ClusterError if it stays."""
        process = self.process()
        was_running = process is not None and process.signal(signal.SIGKILL)
        if process is not None and not self.wait(KILL_WAIT_S):
            raise ClusterError(f"{self.plan.name} (pid {process.pid}) does not die")
        return was_running

    def signal(self, number: signal.Signals) -> bool:
        """Send a signal. False when the process is not running."""
        process = self.process()
        return process is not None and process.signal(number)

    def wait(self, timeout_s: float) -> bool:
        """Wait until the process has ended. False when it has not within `timeout_s`."""
        process = self.process()
        ended = process is None or process.wait(timeout_s)
        if ended and self._child is not None and process is not None and self._child.pid == process.pid:
            self._child.wait()
        return ended

    def ending(self) -> str:
        """How the process that was started here ended, for a person."""
        code = self._child.poll() if self._child else None
        if code is None:
            return "ended"
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit {code}: {self.failure()}"

    def failure(self) -> str:
        """Why the process ended, as far as its log tells."""
        lines = self._tail().rpartition(STARTING)[2].splitlines()
        errors = [line for line in lines if line.startswith(ERROR_PREFIX)]
        if errors:
            return errors[-1].removeprefix(ERROR_PREFIX)
        return " | ".join(lines[-_TAIL_LINES:]) or f"see {self.log_path}"

    def _tail(self) -> str:
        try:
            with self.log_path.open("rb") as log:
                end = log.seek(0, os.SEEK_END)
                log.seek(max(0, end - _TAIL_BYTES))
                return log.read().decode(errors="replace")
        except OSError:
            return ""


def _read_line(fd: int, deadline: float) -> bytes | None:
    """What comes before the first newline; b"" when the writer ended without one; None when the time is over."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    line = b""
    while b"\n" not in line:
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return None
        chunk = os.read(fd, _TAIL_BYTES)
        if not chunk:
            return b""
        line += chunk
    return line
