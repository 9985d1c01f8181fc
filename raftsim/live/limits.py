"""Limits and timeouts of the peer connections."""

from __future__ import annotations

from dataclasses import dataclass

from raftsim.wire.frames import MAX_FRAME_BYTES


@dataclass(frozen=True, slots=True)
class RpcLimits:
    handshake_timeout_s: float = 5.0  # from the connection, or the attempt to make one, to the peer's Hello
    reconnect_min_s: float = 0.05  # the first wait before dialling again; it doubles ...
    reconnect_max_s: float = 1.0  # ... up to this one
    unacknowledged_s: float = 5.0  # a connection whose bytes are not acknowledged for so long is made anew
    linger_s: float = 1.0  # what the last messages to a server that was dropped have to leave
    guest_idle_s: float = 30.0  # a link to a server outside the configuration ends when not used for so long
    max_frame_bytes: int = MAX_FRAME_BYTES
    max_outgoing_bytes: int = 64 << 20  # waiting on one link; messages beyond are dropped
    max_inbound: int = 256  # connections others made to this server
    max_clients: int = 1024  # connections of clients; beyond, the one idle for longest makes room, or none is taken
    max_client_requests: int = 1024  # of one client on their way at once; it is not read on until some are answered
    max_guests: int = 256  # servers outside the configuration whose address is remembered
