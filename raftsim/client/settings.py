"""Limits and timeouts of a client."""

from __future__ import annotations

from dataclasses import dataclass

from raftsim.wire.frames import MAX_FRAME_BYTES


@dataclass(frozen=True, slots=True)
class ClientSettings:
    timeout_s: float = 30.0  # a call is tried again for so long, where that is safe
    connect_timeout_s: float = 1.0  # from the attempt to the server's welcome
    answer_timeout_s: float = 6.0  # a server silent for longer is given up; longer than it waits for a leader itself
    retry_min_s: float = 0.02  # before the first new try; it doubles ...
    retry_max_s: float = 0.5  # ... up to this one
    follow_pause_s: float = 0.5  # between two attempts to reach a leader that was named
    watch_wait_s: float = 60.0  # one blocking query of a watch
    max_addresses: int = 64  # those given, and those learnt
    max_frame_bytes: int = MAX_FRAME_BYTES
