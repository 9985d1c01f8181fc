"""What clients and servers say to each other: a hello and a welcome, then requests and answers, numbered by the client.

The port is the one for peers; the first frame of a connection tells who is there. Answers come in any order. Tags and
the order of fields are the protocol: changing either needs a new CLIENT_VERSION.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from raftsim.core.errors import ProtocolViolation
from raftsim.node.requests import Command, Outcome, Query
from raftsim.wire.codec import OUTCOMES, REQUESTS, pack, unpack
from raftsim.wire.forms import ID, NUMBER, TEXT, Family, Form
from raftsim.wire.frames import frame

CLIENT_MAGIC: Final = "raftsim-client"
CLIENT_VERSION: Final = 1
# One reason more than raftsim.node.requests has. Detail: the bytes of the answer; unknown for a command.
TOO_LARGE: Final = "too large"

ClientRequest = Command | Query


@dataclass(frozen=True, slots=True)
class ClientHello:
    """The client's first frame. `cluster_id` is the cluster it means to reach, "" for any."""

    cluster_id: str


@dataclass(frozen=True, slots=True)
class Welcome:
    """The server's answer: it takes requests now. `leader_address`: where the leader's peers find it, or ""."""

    cluster_id: str
    server_id: str
    leader_address: str


@dataclass(frozen=True, slots=True)
class Dismissal:
    """The server's other answer: the connection ends, and why."""

    why: str


@dataclass(slots=True)
class Answer:
    """How request `number` ended. `leader_address`: who answered instead of this server, "" if it did itself."""

    number: int
    outcome: Outcome
    leader_address: str


_HELLOS: Final = Family[ClientHello | Welcome | Dismissal](
    "a hello", Form(1, ClientHello, TEXT), Form(2, Welcome, TEXT, ID, TEXT), Form(3, Dismissal, TEXT)
)


def encode_hello(hello: ClientHello | Welcome | Dismissal) -> bytes:
    """A hello, or what answers it, as a whole frame."""
    return frame(pack((CLIENT_MAGIC, CLIENT_VERSION, *_HELLOS.to_plain(hello))))


def is_client(payload: bytes) -> bool:
    """Whether the first frame of a connection comes from a client, of whatever version."""
    try:
        plain = unpack(payload)
    except ProtocolViolation:
        return False
    return type(plain) is tuple and len(plain) > 1 and plain[0] == CLIENT_MAGIC


def decode_hello(payload: bytes) -> ClientHello | Welcome | Dismissal:
    """The hello in a frame's payload. Raises ProtocolViolation."""
    match unpack(payload):
        case (str(magic), int(version), *_) if magic == CLIENT_MAGIC and version != CLIENT_VERSION:
            raise ProtocolViolation(f"it speaks client protocol {version}, this side {CLIENT_VERSION}")
        case (str(magic), int(), *rest) if magic == CLIENT_MAGIC:
            return _HELLOS.from_plain(tuple(rest))
    raise ProtocolViolation("it does not speak the raftsim client protocol")


def encode_request(number: int, request: ClientRequest) -> bytes:
    """A numbered request as a whole frame."""
    return frame(pack((number, REQUESTS.to_plain(request))))


def decode_request(payload: bytes) -> tuple[int, ClientRequest]:
    """The request in a frame's payload. Raises ProtocolViolation for all that no client may ask."""
    plain = unpack(payload)
    if type(plain) is tuple and len(plain) == 2:
        request = REQUESTS.from_plain(plain[1])
        if type(request) is Command or type(request) is Query:
            return NUMBER.read(plain[0]), request
    raise ProtocolViolation("not a request of a client")


def encode_answer(answer: Answer) -> bytes:
    """The answer as a whole frame."""
    return frame(pack((answer.number, OUTCOMES.to_plain(answer.outcome), answer.leader_address)))


def decode_answer(payload: bytes) -> Answer:
    """The answer in a frame's payload. Raises ProtocolViolation."""
    plain = unpack(payload)
    if type(plain) is tuple and len(plain) == 3:
        number, outcome, leader_address = plain
        return Answer(NUMBER.read(number), OUTCOMES.from_plain(outcome), TEXT.read(leader_address))
    raise ProtocolViolation("not an answer")
