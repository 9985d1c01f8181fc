"""A process is known by more than its pid."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from raftsim.cluster.process import DEAD, PAUSED, RUNNING, ProcessId
from tests.agent.processes import wait_until

pytestmark = pytest.mark.live


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"]) as process:
        yield process
        process.kill()


def identify(child: subprocess.Popen[bytes]) -> ProcessId:
    found = ProcessId.of(child.pid)
    assert found is not None
    return found


def test_running_paused_dead(child: subprocess.Popen[bytes]) -> None:
    process = identify(child)
    assert process.state() == RUNNING
    assert process.signal(signal.SIGSTOP)
    wait_until(lambda: process.state() == PAUSED)
    assert process.signal(signal.SIGCONT)
    wait_until(lambda: process.state() == RUNNING)
    assert not process.wait(0.0)
    assert process.signal(signal.SIGKILL)
    assert process.wait(60.0)
    assert process.state() == DEAD  # though nobody has asked for its exit code yet
    assert not process.signal(signal.SIGKILL)
    child.wait()
    assert process.state() == DEAD
    assert process.wait(0.0)
    assert not process.signal(signal.SIGKILL)


_LEAVE_ONE_THREAD = """
import ctypes, os, sys, threading
threading.Thread(target=sys.stdin.read).start()
ctypes.CDLL(None).syscall(ctypes.c_long(60 if os.uname().machine == "x86_64" else 93), ctypes.c_long(0))
"""


def test_a_process_lives_until_its_last_thread_is_gone() -> None:
    """The first thread of a killed process can be a zombie while the others still hold its ports and its lock."""
    with subprocess.Popen([sys.executable, "-c", _LEAVE_ONE_THREAD], stdin=subprocess.PIPE) as child:
        process = identify(child)
        wait_until(lambda: Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z")
        assert process.state() == RUNNING
        assert not process.wait(0.0)
        assert process.signal(signal.SIGKILL)
        assert process.wait(60.0)
        assert process.state() == DEAD
        assert child.poll() == -signal.SIGKILL


def test_another_process_with_the_same_pid_is_never_hit(child: subprocess.Popen[bytes]) -> None:
    process = identify(child)
    former = ProcessId(process.pid, process.started - 1)
    assert former.state() == DEAD
    assert not former.signal(signal.SIGKILL)
    assert former.wait(0.0)
    assert process.state() == RUNNING


def test_it_is_kept_as_text() -> None:
    process = ProcessId.of(os.getpid())
    assert process is not None
    assert ProcessId.parse(f"{process}\n") == process
    for text in ("", "1", "a b", "1 2 3", "-1 2", "² 1"):
        assert ProcessId.parse(text) is None
