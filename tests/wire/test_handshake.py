from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raftsim.core.errors import ProtocolViolation
from raftsim.node.ports import PeerInfo
from raftsim.wire.address import endpoint
from raftsim.wire.frames import FrameDecoder
from raftsim.wire.handshake import Hello, accept_hello, encode_hello

MINE = Hello("cluster-a", PeerInfo("n1", "n1.global", "127.0.0.1:4647", 2))
THEIRS = Hello("cluster-a", PeerInfo("n2", "n2.global", "127.0.0.1:4657", 2))


def payload_of(hello: Hello) -> bytes:
    (payload,) = FrameDecoder().feed(encode_hello(hello))
    return payload


def test_a_peer_says_who_it_is() -> None:
    assert accept_hello(payload_of(THEIRS), MINE, expected="n2") == THEIRS.info
    assert accept_hello(payload_of(MINE), THEIRS) == MINE.info


@pytest.mark.parametrize(
    ("theirs", "reason"),
    [
        (replace(THEIRS, cluster_id="cluster-b"), "it belongs to cluster 'cluster-b', this server to 'cluster-a'"),
        (replace(THEIRS, info=MINE.info), "it has this server's own id 'n1'"),
        (replace(THEIRS, info=replace(THEIRS.info, id="n3")), "server 'n3' answered where 'n2' was expected"),
        (replace(THEIRS, info=replace(THEIRS.info, address="nowhere")), "'nowhere' is not an address"),
        (replace(THEIRS, info=replace(THEIRS.info, raft_protocol=-1)), "not a number"),
        (replace(THEIRS, info=replace(THEIRS.info, id="")), "not an id"),
    ],
)
def test_reasons_to_part(theirs: Hello, reason: str) -> None:
    with pytest.raises(ProtocolViolation, match=reason):
        accept_hello(payload_of(theirs), MINE, expected="n2")


@pytest.mark.parametrize(
    ("plain", "reason"),
    [
        (("raftsim", 9, "whatever", "comes", "then"), "it speaks peer protocol 9, this server 4"),
        (("redis", 1, "cluster-a"), "it does not speak the raftsim peer protocol"),
        (("raftsim",), "not a hello"),
        (("raftsim", 4, "cluster-a"), "not a hello"),
        ({"raftsim": 1}, "it does not speak"),
    ],
)
def test_strangers(plain: Any, reason: str) -> None:
    with pytest.raises(ProtocolViolation, match=reason):
        accept_hello(msgpack.packb(plain), MINE)


@given(st.binary(max_size=100))
def test_random_bytes_raise_nothing_else(payload: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        accept_hello(payload, MINE)


@pytest.mark.parametrize(
    ("address", "expected"),
    [("127.0.0.1:4647", ("127.0.0.1", 4647)), ("[::1]:80", ("::1", 80)), ("n1.example:65535", ("n1.example", 65535))],
)
def test_addresses(address: str, expected: tuple[str, int]) -> None:
    assert endpoint(address) == expected


@pytest.mark.parametrize(
    "address", ["", "n1", ":4647", "n1:", "n1:0", "n1:65536", "n1:-1", "n1:4x", "[]:1", "n1:\u0661"]
)
def test_no_addresses(address: str) -> None:
    with pytest.raises(ValueError, match="is not an address"):
        endpoint(address)
