"""A trace as a file: what is needed to run it again, every event with its cause, and how it ended.

Lines of JSON, compressed if the file's name ends in `.gz`. The first line is the `Header`, the last one the `Ending`,
so that a file that was cut off is known as such; each line between is a `Record`. A file is not trusted: whatever is
wrong with it, also a line that is too long, raises BadTrace with the number of the line.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from math import isfinite
from types import TracebackType
from typing import IO, Any, Final, NoReturn, Self, cast

from raftsim.trace.causes import Causes
from raftsim.trace.digest import Digest
from raftsim.trace.events import TOLD_BY_NODE, TOLD_BY_WORLD, Event
from raftsim.trace.record import compact, plain
from raftsim.trace.shapes import FIELDS, fits

SCHEMA: Final = "raftsim.trace/1"
MAX_LINE_BYTES: Final = 64 << 20

_KINDS: Final = frozenset(TOLD_BY_NODE + TOLD_BY_WORLD)
_HEADER: Final = {
    "schema": str,
    "version": str,
    "file": str,
    "scenario": str,
    "seed": int,
    "servers": dict,
    "mutant": str,
}
_ENDING: Final = {"events": int, "digest": str, "verdict": str, "reason": str}
_RECORD: Final = {"time", "seq", "node", "kind", "cause", "fields"}


@dataclass(frozen=True, slots=True)
class Header:
    """`scenario` is the text of the scenario that was read from `file`; `servers` are the first ones, name to id.

    `version` is that of raftsim: another one may run the same scenario otherwise. `mutant`: the bug that was
    planted, or an empty word.
    """

    file: str
    scenario: str
    seed: int
    servers: dict[str, str]
    version: str
    mutant: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One event: the `seq`-th of its run, counted from 1. `cause` is the `seq` of an earlier one, or None."""

    time: float
    seq: int
    node: str
    kind: str
    cause: int | None
    fields: Any


@dataclass(frozen=True, slots=True)
class Ending:
    """`events` counts the records, `digest` is the run's; `verdict` and `reason` are those of `raftsim run`."""

    events: int
    digest: str
    verdict: str
    reason: str


class BadTrace(ValueError):
    """The file is no trace, or not a whole one. The message has its name and the line."""


class TraceWriter:
    """Writes every event it is given. A file without `end` is no whole trace. Raises OSError."""

    def __init__(self, path: str, header: Header) -> None:
        self._causes = Causes()
        self._digest = Digest()
        self._seq = 0
        self._open = ExitStack()
        self._file: IO[bytes] = self._open.enter_context(open(path, "wb"))  # noqa: SIM115
        if path.endswith(".gz"):  # without a name and a time in it: the same run gives the same bytes
            packed = cast("IO[bytes]", gzip.GzipFile("", "wb", 6, self._file, mtime=0))
            self._file = self._open.enter_context(packed)
        named = {key: getattr(header, key) for key in _HEADER if key != "schema"}
        self._write({"schema": SCHEMA, **named})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def __call__(self, event: Event) -> None:
        self._digest(event)
        self._seq += 1
        cause = self._causes(self._seq, event)
        record = {"time": event.time, "seq": self._seq, "node": event.node, "kind": event.kind, "cause": cause}
        self._write({**record, "fields": plain(event.subject)})

    def end(self, verdict: str, reason: str) -> None:
        digest = self._digest.hexdigest()
        self._write({"events": self._seq, "digest": digest, "verdict": verdict, "reason": reason})

    def _write(self, document: dict[str, Any]) -> None:
        self._file.write(compact(document).encode(errors="backslashreplace") + b"\n")


class TraceReader:
    """The `header` of a file, then its records, once; then its `ending`. Raises BadTrace."""

    header: Header
    ending: Ending

    def __init__(self, path: str) -> None:
        self.path = path
        self._line = 0
        self._open = ExitStack()
        try:
            file = gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")  # noqa: SIM115
            self._file = self._open.enter_context(cast("IO[bytes]", file))
            self.header = self._header()
        except OSError as error:
            self._open.close()
            raise BadTrace(f"{path}: cannot be read: {error.strerror or error}") from None
        except BadTrace:
            self._open.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def __iter__(self) -> Iterator[Record]:
        seq, time = 0, 0.0
        while "events" not in (found := self._document()):
            seq += 1
            record = self._record(found)
            if record.seq != seq:
                self._fail(f"event {record.seq} where event {seq} is due")
            if record.time < time:
                self._fail("its time is before that of the line before")
            time = record.time
            yield record
        if not _is(found, _ENDING) or found["events"] != seq:
            self._fail(f"not the last line of a trace of {seq} events")
        self.ending = Ending(**{key: found[key] for key in _ENDING})
        if self._read():
            self._fail("there is more after the last line of the trace")

    def _header(self) -> Header:
        found = self._document()
        if type(found.get("schema")) is str and found["schema"] != SCHEMA:
            self._fail(f"its schema is {found['schema'][:40]!r}; this is read: {SCHEMA}")
        if not _is(found, _HEADER) or not all(type(id) is str for id in found["servers"].values()):
            self._fail("not the first line of a trace")
        return Header(**{key: found[key] for key in _HEADER if key != "schema"})

    def _record(self, found: dict[str, Any]) -> Record:
        if found.keys() != _RECORD:
            self._fail("not an event")
        time, seq, node, kind, cause = (found[key] for key in ("time", "seq", "node", "kind", "cause"))
        if type(time) not in (int, float) or not isfinite(time) or type(seq) is not int or type(node) is not str:
            self._fail("not an event")
        if type(kind) is not str or kind not in _KINDS:
            self._fail(f"there is no kind of event {kind!r:.40}")
        if cause is not None and not (type(cause) is int and 0 < cause < seq):
            self._fail("the cause of an event is an earlier event, or null")
        if not fits(FIELDS[kind], found["fields"]):
            self._fail(f"these are not the fields of the kind {kind!r}")
        return Record(float(time), seq, node, kind, cause, found["fields"])

    def _document(self) -> dict[str, Any]:
        """The next line. Raises BadTrace, also at the end of the file."""
        text = self._read()
        if not text.endswith(b"\n"):
            if len(text) > MAX_LINE_BYTES:
                self._fail(f"longer than {MAX_LINE_BYTES >> 20} MiB")
            self._fail("the file ends here, before the trace does" if self._line > 1 else "not a trace")
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            self._fail("not JSON")
        if type(found) is not dict:
            self._fail("not a JSON object")
        return found

    def _read(self) -> bytes:
        self._line += 1
        try:
            return self._file.readline(MAX_LINE_BYTES + 1)
        except EOFError:
            self._fail("the file ends here, before the trace does")
        except (gzip.BadGzipFile, zlib.error):
            self._fail("the compressed data is damaged")
        except OSError as error:
            self._fail(f"cannot be read: {error.strerror or error}")

    def _fail(self, what: str) -> NoReturn:
        raise BadTrace(f"{self.path}:{self._line}: error: {what}") from None


def _is(found: dict[str, Any], form: dict[str, type]) -> bool:
    return found.keys() == form.keys() and all(type(found[key]) is form[key] for key in form)
