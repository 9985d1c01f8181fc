"""Lines and digests of events."""

from __future__ import annotations

import pytest

from raftsim.core.config import of
from raftsim.core.entry import COMMAND, CONFIG, Entry, HardState
from raftsim.core.messages import Append
from raftsim.core.output import Write
from raftsim.trace.digest import Digest
from raftsim.trace.events import SEND, WRITE, Event
from raftsim.trace.record import line, plain


def test_a_line_holds_everything() -> None:
    event = Event(0.25, "n1", SEND, Append(2, "n1", "n2", 3, 1, [Entry(2, COMMAND, b"\x00\xff")], commit=3, round=9))
    assert line(event) == (
        '[0.25,"n1","send",{"type":"Append","term":2,"src":"n1","dst":"n2","prev_index":3,"prev_term":1,'
        '"entries":[{"type":"Entry","term":2,"kind":1,"data":"00ff"}],"commit":3,"round":9}]'
    )


def test_configurations_and_votes_are_plain() -> None:
    found = plain(Write(1, HardState(3, None), 2, [Entry(3, CONFIG, of("n1"))]))
    assert found["hard"] == {"type": "HardState", "term": 3, "vote": None, "founder": False}
    server = {"type": "Server", "id": "n1", "address": "n1", "incarnation": 0}
    assert found["entries"][0]["data"]["servers"] == [server]


@pytest.mark.parametrize("subject", [{1, 2}, object(), Entry])
def test_what_has_no_one_form_is_refused(subject: object) -> None:
    with pytest.raises(TypeError, match="cannot record a"):
        plain(subject)


def test_every_event_changes_the_digest() -> None:
    one, other = Digest(), Digest()
    for found in (one, other):
        found(Event(0.0, "n1", WRITE, Write(1, None)))
    assert one.hexdigest() == other.hexdigest()
    one(Event(1.0, "n1", "pause", None))
    other(Event(1.0, "n2", "pause", None))
    assert one.hexdigest() != other.hexdigest()
