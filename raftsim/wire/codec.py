"""Every message servers exchange, as a msgpack tuple in a frame.

Tags and the order of fields are the protocol: changing either needs a new PROTOCOL_VERSION (handshake.py).
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

import msgpack

from raftsim.core.config import LEARNER, REMOVE, VOTER
from raftsim.core.entry import Entry, SnapshotMeta
from raftsim.core.errors import ProtocolViolation
from raftsim.core.messages import Append, AppendReply, Hail, Install, InstallReply, TimeoutNow, Vote, VoteReply
from raftsim.core.plain import entry_from_plain, entry_to_plain, meta_from_plain, meta_to_plain
from raftsim.node.ports import PeerMessage, Ping
from raftsim.node.requests import (
    OK,
    REFUSED,
    UNKNOWN,
    ChangeMembership,
    Command,
    Outcome,
    Query,
    ReadIndex,
    ReadMembership,
    ReadStatus,
    Relay,
    RelayReply,
    RemovePeer,
    Request,
    RestoreStep,
    TransferLeadership,
)
from raftsim.wire.forms import (
    DATA,
    FLAG,
    ID,
    NUMBER,
    OPTIONAL_NUMBER,
    OPTIONAL_TEXT,
    PLAIN,
    ROW,
    SECONDS,
    TEXT,
    Family,
    Field,
    Form,
)
from raftsim.wire.frames import frame


def _write_entries(entries: list[Entry]) -> list[Any]:
    return [entry_to_plain(entry) for entry in entries]


def _read_entries(plain: Any) -> list[Entry]:
    if type(plain) is not tuple:
        raise ProtocolViolation("not a list of entries")
    return [entry_from_plain(entry) for entry in plain]


def _read_meta(plain: Any) -> SnapshotMeta:
    meta = meta_from_plain(plain)
    for number in (meta.index, meta.term, meta.config_index):
        NUMBER.read(number)  # the form allows numbers that could not be counted up any more
    return meta


def _read_changes(plain: Any) -> tuple[tuple[str, str, str], ...]:
    for change in ROW.read(plain):
        match change:
            case (str(op), str(id), str(address)) if op in (VOTER, LEARNER, REMOVE) and (id or address):
                continue
        raise ProtocolViolation("not a change of the membership")
    changes: tuple[tuple[str, str, str], ...] = plain
    return changes


def _read_outcome_kind(value: Any) -> str:
    if type(value) is str and value in (OK, REFUSED, UNKNOWN):
        return value
    raise ProtocolViolation("not a kind of outcome")


ENTRIES: Final = Field(_read_entries, _write_entries)
META: Final = Field(_read_meta, meta_to_plain)
CHANGES: Final = Field(_read_changes)
OUTCOME_KIND: Final = Field(_read_outcome_kind)

REQUESTS: Final = Family[Request](
    "a request",
    Form(1, Command, DATA),
    Form(2, Query, ROW, FLAG, OPTIONAL_NUMBER, SECONDS),
    Form(3, ReadMembership, FLAG),
    Form(4, RemovePeer, OPTIONAL_TEXT, OPTIONAL_TEXT),
    Form(5, ChangeMembership, CHANGES),
    Form(6, TransferLeadership, OPTIONAL_TEXT, OPTIONAL_TEXT),
    Form(7, ReadIndex),
    Form(8, ReadStatus, FLAG),
    Form(9, RestoreStep, DATA),
)
OUTCOMES: Final = Family[Outcome]("an outcome", Form(1, Outcome, OUTCOME_KIND, PLAIN, TEXT, PLAIN, FLAG))

REQUEST: Final = Field(REQUESTS.from_plain, REQUESTS.to_plain)
OUTCOME: Final = Field(OUTCOMES.from_plain, OUTCOMES.to_plain)

MESSAGES: Final = Family[PeerMessage](
    "a message",
    Form(1, Vote, NUMBER, ID, ID, NUMBER, NUMBER, FLAG, FLAG),
    Form(2, VoteReply, NUMBER, ID, ID, FLAG, FLAG, TEXT, NUMBER),
    Form(3, Append, NUMBER, ID, ID, NUMBER, NUMBER, ENTRIES, NUMBER, NUMBER),
    Form(4, AppendReply, NUMBER, ID, ID, FLAG, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER),
    Form(5, Relay, ID, ID, NUMBER, REQUEST),
    Form(6, RelayReply, ID, ID, NUMBER, OUTCOME),
    Form(7, Install, NUMBER, ID, ID, META, NUMBER, DATA, FLAG, NUMBER),
    Form(8, InstallReply, NUMBER, ID, ID, NUMBER, NUMBER, FLAG, NUMBER, NUMBER),
    Form(9, TimeoutNow, NUMBER, ID, ID),
    Form(10, Hail, NUMBER, ID, ID, NUMBER, NUMBER, FLAG, FLAG),
    Form(11, Ping, ID, ID),
)


def encode(message: PeerMessage) -> bytes:
    """The message as a whole frame."""
    return frame(pack(MESSAGES.to_plain(message)))


def decode(payload: bytes) -> PeerMessage:
    """The message in a frame's payload. Raises ProtocolViolation, whatever the bytes are."""
    return MESSAGES.from_plain(unpack(payload))


def pack(plain: Any) -> bytes:
    """Plain data as msgpack. Texts need not be Unicode: what an operator typed must not stop a server."""
    packed: bytes
    try:
        packed = msgpack.packb(plain)
    except UnicodeEncodeError:  # seldom, and with this option every text costs twice as much
        packed = msgpack.packb(plain, unicode_errors="surrogatepass")
    return packed


def unpack(payload: bytes) -> Any:
    """None, booleans, numbers, texts, bytes, tuples and dicts of these. Raises ProtocolViolation for anything else."""
    try:
        # timestamp=1 reads msgpack's one built-in extension as a float, so that only plain data can come out.
        return msgpack.unpackb(
            payload,
            use_list=False,
            strict_map_key=True,
            unicode_errors="surrogatepass",
            timestamp=1,
            ext_hook=_no_extension,
        )
    except ValueError as error:  # every error of msgpack and of UTF-8 is one
        raise ProtocolViolation(f"not msgpack: {str(error) or type(error).__name__}") from None


def _no_extension(code: int, _data: bytes) -> NoReturn:
    raise ValueError(f"extension type {code}")
