"""`host:port`, as configurations and handshakes carry it."""

from __future__ import annotations


def endpoint(address: str) -> tuple[str, int]:
    """(host, port) of `host:port` or `[v6]:port`. Raises ValueError, with a sentence, for anything else."""
    host, colon, port = address.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    digits = port.isascii() and port.isdigit() and len(port) <= 5
    if not colon or not bare or not digits or not 0 < int(port) < 1 << 16:
        raise ValueError(f"{address!r} is not an address: host:port is expected")
    return bare, int(port)
