"""A trace file: what is written is read, and nothing else is."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from raftsim.trace import file
from raftsim.trace.digest import Digest
from raftsim.trace.events import TOLD_BY_NODE, TOLD_BY_WORLD, Event
from raftsim.trace.file import BadTrace, Record, TraceReader
from tests.trace import runs

PAUSE: dict[str, Any] = {"time": 0.5, "seq": 1, "node": "n1", "kind": "pause", "cause": None, "fields": None}
END: dict[str, Any] = {"events": 1, "digest": "", "verdict": "pass", "reason": ""}
FIRST: dict[str, Any] = {
    "schema": file.SCHEMA,
    "version": "0",
    "mutant": "",
    "file": "x",
    "scenario": "",
    "seed": 1,
    "servers": {"n1": "a"},
}


def write(path: Path, *documents: object) -> str:
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return str(path)


def complaint(path: str) -> str:
    with pytest.raises(BadTrace) as caught, TraceReader(path) as trace:
        list(trace)
    return str(caught.value)


def test_a_run_reads_back_and_has_the_digest_of_the_run(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    digest = runs.eventful(path)
    again = Digest()
    with TraceReader(str(path)) as trace:
        assert trace.header == runs.header()
        kinds = set()
        for record in trace:
            kinds.add(record.kind)
            again(Event(record.time, record.node, record.kind, record.fields))
        assert trace.ending.digest == again.hexdigest() == digest
    assert set(TOLD_BY_NODE + TOLD_BY_WORLD) - kinds == {"error"}  # a server that is not broken has none


def test_the_same_run_is_the_same_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "one.jsonl.gz", tmp_path / "two.jsonl.gz"
    runs.calm(one)
    runs.calm(two)
    assert one.read_bytes() == two.read_bytes()
    plain = tmp_path / "plain.jsonl"
    runs.calm(plain)
    assert gzip.decompress(one.read_bytes()) == plain.read_bytes()


def test_a_record(tmp_path: Path) -> None:
    with TraceReader(write(tmp_path / "t", FIRST, PAUSE, END)) as trace:
        assert list(trace) == [Record(0.5, 1, "n1", "pause", None, None)]


@pytest.mark.parametrize(
    ("change", "line", "message"),
    [
        ({"schema": "raftsim.trace/9"}, 1, "its schema is 'raftsim.trace/9'; this is read: raftsim.trace/1"),
        ({"seed": "1"}, 1, "not the first line of a trace"),
        ({"servers": {"n1": 4}}, 1, "not the first line of a trace"),
        ({"seq": 2}, 2, "event 2 where event 1 is due"),
        ({"seq": True}, 2, "not an event"),
        ({"time": -1}, 2, "its time is before that of the line before"),
        ({"time": float("nan")}, 2, "not an event"),
        ({"time": "now"}, 2, "not an event"),
        ({"more": 1}, 2, "not an event"),
        ({"kind": "lunch"}, 2, "there is no kind of event 'lunch'"),
        ({"kind": ["pause"]}, 2, "there is no kind of event ['pause']"),
        ({"cause": 1}, 2, "the cause of an event is an earlier event, or null"),
        ({"cause": 0}, 2, "the cause of an event is an earlier event, or null"),
        ({"fields": {}}, 2, "these are not the fields of the kind 'pause'"),
        ({"kind": "send"}, 2, "these are not the fields of the kind 'send'"),
        ({"events": 2}, 3, "not the last line of a trace of 1 events"),
        ({"digest": None}, 3, "not the last line of a trace of 1 events"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    change: dict[str, object], line: int, message: str, tmp_path: Path
) -> None:
    documents = [FIRST, PAUSE, END]
    documents[line - 1] = documents[line - 1] | change
    path = write(tmp_path / "t", *documents)
    assert complaint(path) == f"{path}:{line}: error: {message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "1: error: not a trace"),
        (b"{}", "1: error: not a trace"),
        (b"hello\n", "1: error: not JSON"),
        (b"\xff\xfe\n", "1: error: not JSON"),
        (b"[1]\n", "1: error: not a JSON object"),
        (b"{}\n", "1: error: not the first line of a trace"),
        (b"[" * 100_000 + b"\n", "1: error: not JSON"),
        (b'{"seed":' + b"9" * 10_000 + b"}\n", "1: error: not JSON"),
    ],
)
def test_what_is_no_trace(text: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes(text)
    assert complaint(str(path)) == f"{path}:{message}"


def test_what_is_not_there(tmp_path: Path) -> None:
    assert complaint(f"{tmp_path}/none") == f"{tmp_path}/none: cannot be read: No such file or directory"
    assert "cannot be read: Is a directory" in complaint(str(tmp_path))


def test_a_line_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "MAX_LINE_BYTES", 1 << 20)
    path = tmp_path / "t.gz"
    path.write_bytes(gzip.compress(b" " * (2 << 20)))
    assert complaint(str(path)) == f"{path}:1: error: longer than 1 MiB"


def test_more_after_the_end(tmp_path: Path) -> None:
    path = write(tmp_path / "t", FIRST, PAUSE, END, PAUSE)
    assert complaint(path) == f"{path}:4: error: there is more after the last line of the trace"


@pytest.mark.parametrize("pack", [lambda data: data, lambda data: gzip.compress(data, mtime=0)])
def test_a_file_that_was_cut_off_anywhere_is_known_as_such(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    whole = pack("".join(json.dumps(document) + "\n" for document in (FIRST, PAUSE, END)).encode())
    path = tmp_path / ("t.gz" if whole[:1] == b"\x1f" else "t")
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        complaint(str(path))
    path.write_bytes(whole)
    with TraceReader(str(path)) as trace:
        assert len(list(trace)) == 1


def test_damage_is_an_error_or_a_trace_and_never_anything_else(eventful_path: Path, tmp_path: Path) -> None:
    path, rng = tmp_path / "t.gz", Random(1)
    whole = eventful_path.read_bytes()
    for _ in range(60):
        data = bytearray(whole)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        try:
            with TraceReader(str(path)) as trace:
                list(trace)
        except BadTrace as bad:
            assert str(bad).startswith(f"{path}:")  # noqa: PT017
