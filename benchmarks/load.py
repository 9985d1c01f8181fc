"""The load generator, a process of its own: python -m benchmarks.load < SPEC > RESULT, both JSON.

Every client has one connection and one request on its way at any time. Servers allow a client address a limited number
of connections, so many clients come from several loopback addresses.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

from benchmarks.httpbytes import MessageReader
from benchmarks.systems import FRAMES, HTTP, ROOT, BenchmarkError
from raftsim.live.loop import run as run_loop
from raftsim.node.requests import OK
from raftsim.wire.clients import ClientHello, Welcome, decode_answer, decode_hello, encode_hello
from raftsim.wire.frames import FrameDecoder

CLIENTS_PER_ADDRESS = 96
FIRST_ANSWER_S = 15.0
_EXTRA_TIME_S = 30.0


@dataclass(frozen=True, slots=True)
class Spec:
    port: int
    requests: list[str]  # one client each, which sends it again and again; latin-1 text
    warm_up_s: float
    seconds: float
    protocol: str = HTTP  # or FRAMES


@dataclass(frozen=True, slots=True)
class Result:
    per_s: float
    p50_ms: float
    p99_ms: float
    errors: int


def generate(port: int, requests: list[bytes], seconds: float, protocol: str = HTTP) -> Result:
    """Load one server for `seconds`, after a tenth of that to warm up. Raises BenchmarkError."""
    spec = Spec(port, [request.decode("latin-1") for request in requests], seconds / 10, seconds, protocol)
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(asdict(spec)).encode(),
        cwd=ROOT,
        capture_output=True,
        timeout=seconds + _EXTRA_TIME_S,
        check=False,
    )
    if finished.returncode != 0:
        raise BenchmarkError(f"the load generator failed: {finished.stderr.decode(errors='replace').strip()[-200:]}")
    return Result(**json.loads(finished.stdout))


class _Http:
    """Reads answers over HTTP; `greeting` is sent first."""

    greeting = b""

    def __init__(self) -> None:
        self._reader = MessageReader()

    def feed(self, data: bytes) -> list[bool]:
        """For each answer that is whole now, whether the write succeeded."""
        return [line.split()[1] == b"200" for line, _ in self._reader.feed(data)]


class _Frames:
    """The same over the client protocol."""

    greeting = encode_hello(ClientHello(""))

    def __init__(self) -> None:
        self._frames = FrameDecoder()
        self._welcome = True  # is yet to come

    def feed(self, data: bytes) -> list[bool]:
        payloads = self._frames.feed(data)
        if self._welcome and payloads:
            self._welcome = not isinstance(decode_hello(payloads.pop(0)), Welcome)
        return [decode_answer(payload).outcome.kind == OK for payload in payloads]


_READERS = {HTTP: _Http, FRAMES: _Frames}


class _Client(asyncio.Protocol):
    def __init__(self, request: bytes, reader: _Http | _Frames, run: _Run) -> None:
        self._request = request
        self._run = run
        self._reader = reader
        self._sent_at = 0.0
        self._transport: asyncio.Transport
        self.begun = asyncio.Event()  # it has had an answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's is none by inheritance
        if self._reader.greeting:
            self._transport.write(self._reader.greeting)

    def data_received(self, data: bytes) -> None:
        for ok in self._reader.feed(data):
            self._run.answered(self._sent_at, ok=ok)
            self.begun.set()
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._run.lost()
        self.begun.set()

    def send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)

    def close(self) -> None:
        self._transport.abort()


class _Run:
    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._latencies: list[float] = []
        self._errors = 0
        self._measuring = False
        self._over = False

    async def go(self) -> Result:
        clients: list[_Client] = []
        try:
            return await self._measure(clients)
        finally:
            self._over = True
            for client in clients:
                client.close()
            await asyncio.sleep(0)  # they are closed in the next round of the loop

    async def _measure(self, clients: list[_Client]) -> Result:
        await self._connect(clients)
        for client in clients:
            client.send()
        # Connections that are accepted late, under load already, would be told as slow writes.
        try:
            async with asyncio.timeout(FIRST_ANSWER_S):
                for client in clients:
                    await client.begun.wait()
        except TimeoutError:
            silent = sum(not client.begun.is_set() for client in clients)
            raise BenchmarkError(f"{silent} clients had no answer within {FIRST_ANSWER_S:g} s") from None
        await asyncio.sleep(self._spec.warm_up_s)
        self._measuring = True
        began = time.perf_counter()
        await asyncio.sleep(self._spec.seconds)
        self._measuring = False
        return self._result(time.perf_counter() - began)

    async def _connect(self, clients: list[_Client]) -> None:
        loop = asyncio.get_running_loop()
        for number, request in enumerate(self._spec.requests):
            source = (f"127.0.0.{1 + number // CLIENTS_PER_ADDRESS}", 0)
            client = _Client(request.encode("latin-1"), _READERS[self._spec.protocol](), self)
            await loop.create_connection(lambda c=client: c, "127.0.0.1", self._spec.port, local_addr=source)  # type: ignore[misc]
            clients.append(client)

    def answered(self, sent_at: float, *, ok: bool) -> None:
        if not self._measuring:
            return
        if ok:
            self._latencies.append(time.perf_counter() - sent_at)
        else:
            self._errors += 1

    def lost(self) -> None:
        if not self._over:
            self._errors += 1

    def _result(self, elapsed: float) -> Result:
        ordered = sorted(self._latencies)
        if not ordered:
            raise BenchmarkError(f"no write succeeded, {self._errors} failed")
        p50, p99 = (1000 * ordered[int(len(ordered) * share)] for share in (0.5, 0.99))
        return Result(len(ordered) / elapsed, p50, p99, self._errors)


def main() -> None:
    spec = Spec(**json.load(sys.stdin))
    try:
        result = run_loop(_Run(spec).go())
    except (BenchmarkError, OSError) as error:
        sys.exit(str(error))
    json.dump(asdict(result), sys.stdout)


if __name__ == "__main__":
    main()
