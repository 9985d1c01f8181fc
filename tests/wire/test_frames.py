from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raftsim.core.errors import ProtocolViolation
from raftsim.wire.frames import FrameDecoder, frame


@given(st.lists(st.binary(max_size=40), max_size=6), st.lists(st.integers(0, 200), max_size=8))
def test_payloads_come_back_whole_however_the_stream_is_cut(payloads: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(frame(payload) for payload in payloads)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    decoder = FrameDecoder()
    received = [payload for start, end in itertools.pairwise(edges) for payload in decoder.feed(stream[start:end])]
    assert received == payloads
    assert not decoder.in_frame


def test_a_frame_of_exactly_the_limit_passes_and_one_byte_more_does_not() -> None:
    assert FrameDecoder(8).feed(frame(b"12345678")) == [b"12345678"]
    with pytest.raises(ProtocolViolation, match="a frame of 9 bytes exceeds the limit of 8"):
        FrameDecoder(8).feed(frame(b"123456789")[:4])


def test_a_stream_that_ends_inside_a_frame_is_known_as_cut() -> None:
    whole = frame(b"payload")
    for end in range(1, len(whole)):
        decoder = FrameDecoder()
        assert decoder.feed(whole[:end]) == []
        assert decoder.in_frame


@given(st.binary(max_size=300))
def test_random_bytes_raise_nothing_else(data: bytes) -> None:
    with contextlib.suppress(ProtocolViolation):
        FrameDecoder(64).feed(data)
