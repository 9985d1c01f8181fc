"""The same program in two processes that hash differently: what depends on the order of a set shows."""

from __future__ import annotations

import os
import subprocess
import sys


def outputs(program: str) -> list[list[str]]:
    """The lines that `program` prints, with one PYTHONHASHSEED and with another."""
    return [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        for hash_seed in ("1", "2")
    ]
