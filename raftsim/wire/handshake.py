"""The first frame in each direction of a connection: who I am, and of which cluster.

The dialler speaks first; the acceptor answers before it judges, so that both ends can say why they part. Everything
each must know to refuse the other is in the Hello, so both come to the same verdict, except for the one thing only the
dialler knows: whom it meant to reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from raftsim.core.errors import ProtocolViolation
from raftsim.node.ports import PeerInfo
from raftsim.wire.address import endpoint
from raftsim.wire.codec import pack, unpack
from raftsim.wire.forms import ID, NUMBER, TEXT, Family, Field, Form
from raftsim.wire.frames import frame

MAGIC: Final = "raftsim"
PROTOCOL_VERSION: Final = 4
MAX_HELLO_BYTES: Final = 4096  # a stranger cannot make this server keep more


@dataclass(frozen=True, slots=True)
class Hello:
    cluster_id: str
    info: PeerInfo


def _read_address(value: Any) -> str:
    address: str = TEXT.read(value)
    try:
        endpoint(address)
    except ValueError as error:
        raise ProtocolViolation(f"its hello is malformed: {error}") from None
    return address


INFOS: Final = Family[PeerInfo](
    "a description of a server", Form(1, PeerInfo, ID, TEXT, Field(_read_address), NUMBER, TEXT, TEXT)
)
HELLOS: Final = Family[Hello](
    "a hello", Form(PROTOCOL_VERSION, Hello, TEXT, Field(INFOS.from_plain, INFOS.to_plain))
)  # the version is the tag, behind the magic: the one part of a Hello that no version may move


def encode_hello(hello: Hello) -> bytes:
    """The Hello as a whole frame."""
    return frame(pack((MAGIC, *HELLOS.to_plain(hello))))


def accept_hello(payload: bytes, mine: Hello, *, expected: str | None = None) -> PeerInfo:
    """Who the peer is. `expected` is the id of the server that was dialled.

    Raises ProtocolViolation with the reason when this is no peer to talk to.
    """
    match unpack(payload):
        case (str(magic), int(version), *_) if magic == MAGIC and version != PROTOCOL_VERSION:
            raise ProtocolViolation(f"it speaks peer protocol {version}, this server {PROTOCOL_VERSION}")
        case (str(magic), *rest) if magic == MAGIC:
            hello = HELLOS.from_plain(tuple(rest))
        case _:
            raise ProtocolViolation("it does not speak the raftsim peer protocol")
    if hello.cluster_id != mine.cluster_id:
        raise ProtocolViolation(f"it belongs to cluster {hello.cluster_id!r}, this server to {mine.cluster_id!r}")
    if hello.info.id == mine.info.id:
        raise ProtocolViolation(f"it has this server's own id {mine.info.id!r}")
    if expected is not None and hello.info.id != expected:
        raise ProtocolViolation(f"server {hello.info.id!r} answered where {expected!r} was expected")
    return hello.info
