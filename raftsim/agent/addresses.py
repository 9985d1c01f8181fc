"""`host:port` apart and together, and ports nobody uses."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

from raftsim.wire.address import endpoint

HTTP_PORT = 4646
RPC_PORT = 4647
MAX_PORT = 65535
_CANDIDATES = range(20_000, 32_000)  # below the ports the kernel gives to outgoing connections
_ATTEMPTS = 200


def join_address(host: str, port: int) -> str:
    """`127.0.0.1:4647`, `[::1]:4647`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def split_address(address: str, default_port: int) -> tuple[str, int]:
    """Host and port, `default_port` where none is given. Raises ValueError."""
    has_port = ":" in address and not address.endswith("]")
    return endpoint(address if has_port else f"{address}:{default_port}")


def free_ports(host: str, count: int) -> list[int]:
    """`count` different ports on which nothing listens now.

    A port the kernel may give to an outgoing connection is no good: a server that is down could find its port taken,
    even by a peer that was dialling it. Raises OSError when `host` is not of this machine or no port is found.
    """
    ports: list[int] = []
    with ExitStack() as stack:
        for port in random.SystemRandom().sample(_CANDIDATES, _ATTEMPTS):
            if len(ports) == count:
                break
            probe = stack.enter_context(_probe(host))
            try:
                probe.bind((host, port))
                probe.listen()
            except OSError as error:
                if isinstance(error, socket.gaierror):
                    raise
                continue
            ports.append(port)
    if len(ports) < count:
        raise OSError(f"no free port found on {host}")
    return ports


def _probe(host: str) -> socket.socket:
    probe = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return probe
