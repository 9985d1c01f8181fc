"""Running the real command: in a pipe, or on a pseudo-terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import NamedTuple

COMMAND = (sys.executable, "-m", "raftsim")
TIMEOUT_S = 60


class Ended(NamedTuple):
    code: int
    out: str
    err: str


def environment(**variables: str) -> dict[str, str]:
    """The environment of this process without what would steer the command, plus `variables`."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("NOMAD_", "RAFTSIM_"))}
    return {**plain, "TZ": "UTC", **variables}


def run(*args: str, stdin: str = "", **variables: str) -> Ended:
    """Run `raftsim ARGS` in a pipe."""
    done = subprocess.run(
        [*COMMAND, *args],
        input=stdin,
        capture_output=True,
        text=True,
        env=environment(**variables),
        timeout=TIMEOUT_S,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def run_on_terminal(*args: str, **variables: str) -> tuple[int, str]:
    """Run `raftsim ARGS` with a terminal for stdout and stderr; its exit code and all it showed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *args], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment(**variables)
    ) as process:
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
        code = process.wait(TIMEOUT_S)
    os.close(ours)
    return code, shown.decode().replace("\r\n", "\n")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # Linux says EIO once the other side is closed
        return b""
