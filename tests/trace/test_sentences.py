"""There is a shape and a sentence for everything that can be told."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args

import pytest

from raftsim.core import config, entry, messages, output
from raftsim.node import ports, requests
from raftsim.node.ports import PeerMessage
from raftsim.trace.events import TOLD_BY_NODE, TOLD_BY_WORLD
from raftsim.trace.file import Record
from raftsim.trace.messages import _WORDS
from raftsim.trace.names import Names
from raftsim.trace.sentences import _SENTENCES, sentence
from raftsim.trace.shapes import FIELDS, MESSAGES, OBJECTS, fits
from raftsim.trace.story import story
from tests.trace import runs


def test_no_kind_and_no_message_is_forgotten() -> None:
    kinds = set(TOLD_BY_NODE + TOLD_BY_WORLD)
    assert set(FIELDS) == set(_SENTENCES) == kinds
    sent = {message.__name__ for message in get_args(PeerMessage)}
    assert set(MESSAGES) == set(_WORDS) == sent


def test_shapes_ask_for_what_there_is() -> None:
    rooms = (config, entry, messages, output, ports, requests)
    for name, shape in OBJECTS.items():
        (cls,) = {getattr(room, name) for room in rooms if hasattr(room, name)}
        assert set(shape) <= {field.name for field in fields(cls)}, name


@pytest.mark.parametrize(
    ("shape", "value", "holds"),
    [
        (int, True, False),
        ((int, None), None, True),
        ([int, str], [1], False),
        ([int], [1, 2, "3"], False),
        (dict, {"type": "Nobody"}, True),
        (dict, {"type": "Committed"}, False),
        (dict, {"index": 1}, False),
        ("Committed", {"type": "Committed", "index": 1, "role": "leader", "term": 1, "new": 1}, True),
    ],
)
def test_shapes(shape: object, value: object, holds: bool) -> None:
    assert fits(shape, value) == holds


def test_every_event_of_a_run_has_a_sentence(eventful: list[Record]) -> None:
    names = Names(runs.header().servers)
    for record in eventful:
        names.learn(record)
    assert list(names.ids) == ["n1", "n2", "n3", "n4"]
    for record in eventful:
        text = sentence(record, names)
        assert text.startswith(record.node)
        assert text.isprintable()
        assert record.fields is None or "127.0.0.1" not in text or record.kind in ("request", "fault"), text


def test_no_file_writes_to_the_terminal_what_it_likes() -> None:
    record = Record(0.0, 1, "n\x1b[1m", "error", None, "a\nb\x07")
    assert sentence(record, Names({})) == "n\ufffd[1m fails: a\ufffdb\ufffd"


def test_the_story_has_what_matters_and_little_else(eventful: list[Record]) -> None:
    told = list(story(eventful))
    assert len(told) < len(eventful) / 8
    leaders = [record for record in eventful if record.kind == "role" and record.fields["role"] == "leader"]
    assert [record for record in told if record in leaders] == leaders
    for kind in ("fault", "crash", "start", "halt", "wipe", "memory", "restore"):
        all_of_it = [record for record in eventful if record.kind == kind]
        assert all_of_it
        assert [record for record in told if record.kind == kind] == all_of_it
    commits = [record for record in eventful if record.kind == "commit" and record.fields["role"] == "leader"]
    assert max(record.fields["index"] for record in told if record.kind == "commit") == max(
        record.fields["index"] for record in commits
    )
