"""The other Pythons of this machine that the project supports, and what a program prints under one of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
ROOT = Path(__file__).parents[1]


@cache
def others() -> dict[str, str]:
    """By version, such as "3.13": the program. The version that runs this is left out."""
    here = ".".join(map(str, sys.version_info[:2]))
    found = {version: next(filter(None, map(_works, _places(version))), None) for version in SUPPORTED}
    return {version: path for version, path in found.items() if path is not None and version != here}


def _places(version: str) -> Iterator[str]:
    """On the PATH, with pyenv (whose shims on the PATH refuse what is not its choice), and with uv."""
    if path := shutil.which(f"python{version}"):
        yield path
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from (str(path) for path in sorted(pyenv.glob(f"versions/{version}.*/bin/python")))
    if uv := shutil.which("uv"):
        done = subprocess.run(
            [uv, "python", "find", "--no-python-downloads", version], capture_output=True, text=True, check=False
        )
        yield from done.stdout.split()


def _works(path: str) -> str | None:
    done = subprocess.run([path, "-c", "pass"], capture_output=True, check=False)
    return path if done.returncode == 0 else None


def lines(path: str, program: str, hash_seed: str) -> tuple[list[str], str]:
    """What `program` prints, and the last line of what it complains about.

    It sees this project, and what is installed beside msgpack here: packages that are Python alone work for all.
    """
    msgpack = find_spec("msgpack")
    assert msgpack is not None
    assert msgpack.origin is not None
    shared = str(Path(msgpack.origin).parents[1])
    env = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join([str(ROOT), shared])}
    done = subprocess.run([path, "-c", program], env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    return done.stdout.splitlines(), "".join(done.stderr.splitlines()[-1:])
