"""How far a sweep has come, in a small file, so that it can go on later; and the results worth keeping beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from raftsim import __version__
from raftsim.sweep.result import Result
from raftsim.sweep.subjects import Subject
from raftsim.sweep.tally import Tally

SCHEMA: Final = "raftsim.sweep-state/1"
FILE: Final = "state.json"
MAX_BYTES: Final = 64 << 20  # of a state file: it is not a state file that is larger


class BadState(Exception):
    """There is nothing to go on with. The message says why, in one line."""


class Folder:
    """Where a sweep of `subject` over `seeds` keeps its files. Methods raise OSError."""

    def __init__(self, path: Path, subject: Subject, seeds: range) -> None:
        self.path = path
        identity = {"version": __version__, "seeds": [seeds.start, seeds.stop - 1], **subject.identity()}
        self._identity: dict[str, Any] = identity

    def begin(self) -> None:
        """Make the folder, without what an earlier sweep has left in it."""
        self.path.mkdir(parents=True, exist_ok=True)
        for old in self.path.glob("seed-*.json"):
            old.unlink()

    def save(self, tally: Tally) -> None:
        """Replace the state file, at once or not at all."""
        fresh = self.path / f"{FILE}.new"
        fresh.write_text(json.dumps({"schema": SCHEMA, "sweep": self._identity, "tally": tally.plain()}))
        fresh.replace(self.path / FILE)

    def load(self) -> Tally:
        """What was saved. Raises BadState: there is nothing, it is damaged, or it is of another sweep."""
        file = self.path / FILE
        try:
            if file.stat().st_size > MAX_BYTES:
                raise BadState(f"{file}: larger than {MAX_BYTES >> 20} MiB")
            saved = json.loads(file.read_text())
            sweep, schema = saved["sweep"], saved["schema"]
            tally = Tally.from_plain(saved["tally"])
        except FileNotFoundError:
            raise BadState(f"{file}: there is no such file, so there is nothing to resume") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise BadState(f"{file}: not the state of a sweep") from None
        if schema != SCHEMA:
            raise BadState(f"{file}: written by another version of raftsim")
        if differing := sorted(key for key in {*sweep, *self._identity} if sweep.get(key) != self._identity.get(key)):
            raise BadState(f"{file}: the state of another sweep, which differs in: {', '.join(differing)}")
        return tally

    def keep(self, result: Result) -> None:
        """Write a result to a file of its own."""
        (self.path / f"seed-{result.seed}.json").write_text(json.dumps(result.plain(), indent=2) + "\n")
