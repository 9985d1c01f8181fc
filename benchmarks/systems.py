"""What a benchmark knows of the system it drives: a few servers that take writes."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

T = TypeVar("T")

ROOT = Path(__file__).parent.parent  # where `python -m benchmarks...` finds itself
SERVERS = 3
VALUE_BYTES = 256
HTTP, FRAMES, GRPC = "http", "frames", "grpc"
ETCD_PUT = "/etcdserverpb.KV/Put"  # what is called over GRPC
START_TIMEOUT_S = 30.0


class BenchmarkError(Exception):
    """A system did not do what it must for a measurement; one sentence."""


@dataclass(frozen=True, slots=True)
class Server:
    name: str
    port: int  # for writes, on 127.0.0.1


class Cluster(Protocol):
    """A running system. Methods raise BenchmarkError."""

    @property
    def protocol(self) -> str:
        """HTTP, FRAMES for raftsim's client protocol, or GRPC for puts to etcd."""

    @property
    def servers(self) -> list[Server]: ...

    def leader(self) -> Server:
        """Who leads, waited for."""

    def put_request(self, server: Server, number: int) -> bytes:
        """The request that writes VALUE_BYTES to the key `number`: all its bytes, with GRPC only the message.

        It is answered when it is committed.
        """

    def pid(self, server: Server) -> int:
        """Of its process."""

    def kill(self, server: Server) -> None:
        """Send SIGKILL and return at once."""

    def restart(self, server: Server) -> None:
        """Start a killed server again on its data."""

    def stop(self) -> None:
        """End all of it."""


class System(Protocol):
    @property
    def name(self) -> str: ...

    def missing(self) -> str | None:
        """Why it cannot be started here, if so."""

    def start(self, directory: Path, servers: int = SERVERS) -> Cluster:
        """So many fresh servers with their data below `directory`, ready for writes. Raises BenchmarkError."""


def http_request(method: str, path: str, port: int, body: bytes) -> bytes:
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def value(number: int) -> str:
    """VALUE_BYTES of text that do not compress to nothing."""
    seed = f"{number:08}".encode()
    return base64.b64encode((seed * VALUE_BYTES)[: VALUE_BYTES * 3 // 4]).decode()


def wait_for(look: Callable[[], T | None], what: str) -> T:
    """What `look` finds, once it does. Raises BenchmarkError when it takes longer than a start may."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise BenchmarkError(f"{what}: nothing in {START_TIMEOUT_S:g} s")
        time.sleep(0.02)
