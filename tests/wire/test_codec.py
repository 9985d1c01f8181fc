from __future__ import annotations

import contextlib
from typing import Any

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from raftsim.core.config import Server, initial
from raftsim.core.entry import SnapshotMeta
from raftsim.core.errors import ProtocolViolation
from raftsim.core.messages import Install, Vote
from raftsim.node.ports import PeerMessage
from raftsim.node.settings import NodeSettings
from raftsim.wire.codec import decode, encode, unpack
from raftsim.wire.frames import MAX_FRAME_BYTES, FrameDecoder
from tests.wire.strategies import messages

VOTE = (1, 7, "n1", "n2", 10, 6, False, False)
APPEND = (3, 7, "n1", "n2", 10, 6, ((7, 1, b"x"),), 9, 2)
REPLY = (4, 7, "n2", "n1", True, 11, 0, 0, 2, 0)
CONFIG = (("n1",), (), ("n2",), (), False, (("n1", "127.0.0.1:4647", 7), ("n2", "127.0.0.1:4657")), ("n2",))
INSTALL = (7, 7, "n1", "n2", (10, 6, CONFIG, 1), 4096, b"x", True, 2)
INSTALL_REPLY = (8, 7, "n2", "n1", 10, 4097, True, 2, 9)
TIMEOUT_NOW = (9, 7, "n1", "n2")
HAIL = (10, 0, "n1", "n2", 5, 0, False, True)
RELAY = (5, "n1", "n2", 1, (2, ("get", "default", "a"), False, None, 0.0))
WATCH = (5, "n1", "n2", 1, (2, ("get", "default", "a"), True, 7, 2.5))
READ_INDEX = (5, "n1", "n2", 1, (7,))
READ_STATUS = (5, "n1", "n2", 1, (8, True))
RESTORE_STEP = (5, "n1", "n2", 1, (9, b"x"))
CHANGE = (5, "n1", "n2", 1, (5, (("voter", "n3", ""), ("learner", "n4", "127.0.0.1:4677"), ("remove", "n5", ""))))
TRANSFER = (5, "n1", "n2", 1, (6, None, "127.0.0.1:4657"))
RELAY_REPLY = (6, "n2", "n1", 1, (1, "ok", {"a": b"1"}, "", None, True))
PEER_MESSAGES = [VOTE, APPEND, REPLY, INSTALL, INSTALL_REPLY, TIMEOUT_NOW, HAIL]
LAYOUTS = [*PEER_MESSAGES, RELAY, WATCH, READ_INDEX, READ_STATUS, RESTORE_STEP, CHANGE, TRANSFER, RELAY_REPLY]


def payload_of(message: PeerMessage) -> bytes:
    (payload,) = FrameDecoder().feed(encode(message))
    return payload


def parses_or_is_refused(payload: bytes) -> None:
    """Fails with whatever else `decode` raises."""
    with contextlib.suppress(ProtocolViolation):
        decode(payload)


@given(messages)
def test_every_message_comes_back_as_it_was(message: PeerMessage) -> None:
    assert decode(payload_of(message)) == message


@pytest.mark.parametrize("plain", LAYOUTS)
def test_the_layout_is_the_protocol(plain: tuple[Any, ...]) -> None:
    message = decode(msgpack.packb(plain))
    assert msgpack.unpackb(payload_of(message), use_list=False) == plain


def replaced(plain: tuple[Any, ...], place: int, value: Any) -> tuple[Any, ...]:
    return (*plain[:place], value, *plain[place + 1 :])


WRONG_ANYWHERE = [-1, 1.5, 1 << 63, [1], {"a": 1}]


@pytest.mark.parametrize("plain", PEER_MESSAGES)
@pytest.mark.parametrize("wrong", WRONG_ANYWHERE, ids=str)
def test_every_field_is_checked(plain: tuple[Any, ...], wrong: Any) -> None:
    for place in range(len(plain)):
        with pytest.raises(ProtocolViolation):
            decode(msgpack.packb(replaced(plain, place, wrong)))


@pytest.mark.parametrize(
    ("plain", "place", "wrong"),
    [
        (VOTE, 0, 99),  # no such message
        (VOTE, 0, True),
        (VOTE, 1, True),  # a flag is no number
        (VOTE, 2, ""),  # no server has an empty id
        (VOTE, 2, b"n1"),
        (VOTE, 6, 1),  # a number is no flag
        (APPEND, 6, "entries"),
        (APPEND, 6, ((7, 9, b"x"),)),  # no such kind of entry
        (APPEND, 6, ((7, 1),)),
        (APPEND, 6, ((7, 2, (("n1",), (), (), (), False, ())),)),  # a configuration without its servers
        (INSTALL, 4, (0, 6, CONFIG, 0)),  # a snapshot of nothing
        (INSTALL, 4, (10, 6, CONFIG, 11)),  # a configuration from behind it
        (INSTALL, 4, (1 << 63, 6, CONFIG, 1)),
        (INSTALL, 4, (10, 1 << 63, CONFIG, 1)),
        (INSTALL, 4, (10, 6, (), 1)),
        (INSTALL, 4, (10, 6, CONFIG)),
        (INSTALL, 6, "text"),
        (INSTALL, 7, 1),
        (INSTALL_REPLY, 6, None),
        (TIMEOUT_NOW, 3, ""),
        (CHANGE, 4, (5, "voter")),
        (CHANGE, 4, (5, ("voter", "n3", ""))),
        (CHANGE, 4, (5, (("witness", "n3", ""),))),  # no such change
        (CHANGE, 4, (5, (("voter", "", ""),))),
        (CHANGE, 4, (5, (("voter", "n3", None),))),
        (CHANGE, 4, (5, (("voter", "n3"),))),
        (CHANGE, 4, (5, (({}, "n3", ""),))),
        (TRANSFER, 4, (6, 1, None)),
        (TRANSFER, 4, (6, None)),
        (RELAY, 4, (10, b"x")),  # no such request
        (RELAY, 4, (9, "text")),
        (RELAY, 4, (1, "text")),
        (RELAY, 4, (2, {"a": 1}, False)),
        (RELAY, 4, (4, 1, None)),
        (RELAY, 4, None),
        (RELAY_REPLY, 4, (1, "maybe", None, "", None, False)),
        (RELAY_REPLY, 4, (1, "ok", None, None, None, False)),
    ],
)
def test_what_no_correct_peer_sends(plain: tuple[Any, ...], place: int, wrong: Any) -> None:
    with pytest.raises(ProtocolViolation):
        decode(msgpack.packb(replaced(plain, place, wrong)))


@pytest.mark.parametrize("plain", LAYOUTS)
def test_too_few_or_too_many_fields(plain: tuple[Any, ...]) -> None:
    for other in (plain[:-1], (*plain, 0), ()):
        with pytest.raises(ProtocolViolation):
            decode(msgpack.packb(other))


@given(st.binary(max_size=200))
@example(b"")
@example(b"\xdd\xff\xff\xff\xff")  # an array that claims four thousand million elements
@example(b"\xc6\xff\xff\xff\xff")  # bytes that claim four thousand million
@example(b"\x91" * 2000)  # nested deeper than anyone needs
@example(b"\x81\x81\x01\x01\x01")  # a map as the key of a map
@example(b"\xa2\xff\xfe")  # a text that is not UTF-8
def test_random_bytes_raise_nothing_else(payload: bytes) -> None:
    parses_or_is_refused(payload)


@given(messages, st.data())
def test_damaged_messages_raise_nothing_else(message: PeerMessage, data: st.DataObject) -> None:
    payload = bytearray(payload_of(message))
    parses_or_is_refused(bytes(payload[: data.draw(st.integers(0, len(payload)))]))
    for place in data.draw(st.lists(st.integers(0, len(payload) - 1), min_size=1, max_size=4)):
        payload[place] = data.draw(st.integers(0, 255))
    parses_or_is_refused(bytes(payload))


def test_only_plain_data_comes_out() -> None:
    assert unpack(msgpack.packb(msgpack.Timestamp(7, 0))) == 7.0
    with pytest.raises(ProtocolViolation, match="extension type 4"):
        unpack(msgpack.packb(msgpack.ExtType(4, b"x")))


def test_a_chunk_of_a_snapshot_fits_into_a_frame_with_room_to_spare() -> None:
    servers = [Server("n" * 100 + str(n), "127.0.0.1:4647") for n in range(100)]
    meta = SnapshotMeta(10, 6, initial(servers), 1)
    message = Install(7, "n1", "n2", meta, 1 << 40, bytes(NodeSettings().snapshot_chunk_bytes), last=True)
    assert len(encode(message)) < MAX_FRAME_BYTES // 8
    assert decode(payload_of(message)) == message


def test_a_term_may_be_counted_up_once_more_and_still_travels() -> None:
    message = Vote((1 << 63) - 1, "n1", "n2", 0, 0)
    assert decode(payload_of(message)) == message
    assert isinstance(payload_of(Vote(message.term + 1, "n1", "n2", 0, 0)), bytes)
