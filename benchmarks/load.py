"""The load generator, a process of its own: python -m benchmarks.load < SPEC > RESULT, both JSON.

Every client has one request on its way at any time. Over HTTP each has a connection; servers allow a client address a
limited number of them, so many clients come from several loopback addresses. The client protocol is made for many
callers on one connection, so there they share one; and so do up to 64 clients over gRPC.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.grpcbytes import MAX_CALLS, Calls
from benchmarks.httpbytes import MessageReader
from benchmarks.processes import cpu_s
from benchmarks.systems import ETCD_PUT, FRAMES, GRPC, HTTP, ROOT, BenchmarkError
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
    protocol: str = HTTP  # or FRAMES, or GRPC
    pids: Sequence[int] = ()  # processes whose CPU time is counted


@dataclass(frozen=True, slots=True)
class Result:
    per_s: float
    p50_ms: float
    p99_ms: float
    errors: int
    cpu_us: list[float]  # per write: of each of the processes, and of this generator


def generate(
    port: int, requests: list[bytes], seconds: float, protocol: str = HTTP, pids: Sequence[int] = ()
) -> Result:
    """Load one server for `seconds`, after a tenth of that to warm up. Raises BenchmarkError."""
    spec = Spec(port, [request.decode("latin-1") for request in requests], seconds / 10, seconds, protocol, pids)
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


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self._run = run
        self._transport: asyncio.Transport
        self.begun = asyncio.Event()  # every client on it has had an answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's is none by inheritance

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._run.lost()
        self.begun.set()

    def send(self) -> None:
        """Let the clients begin."""
        raise NotImplementedError

    def close(self) -> None:
        self._transport.abort()


class _HttpClient(_Connection):
    """One client over HTTP/1.1."""

    def __init__(self, run: _Run, request: bytes) -> None:
        super().__init__(run)
        self._request = request
        self._reader = MessageReader()
        self._sent_at = 0.0

    def data_received(self, data: bytes) -> None:
        for line, _ in self._reader.feed(data):
            self._run.answered(self._sent_at, ok=line.split()[1] == b"200")
            self.begun.set()
            self.send()

    def send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)


class _Callers(_Connection):
    """All clients on one connection of the client protocol, as the callers of one `raftsim.client.Client` are.

    Each of `requests` is numbered by its place in the list.
    """

    def __init__(self, run: _Run, requests: list[bytes]) -> None:
        super().__init__(run)
        self._requests = requests
        self._frames = FrameDecoder()
        self._welcome = False
        self._sent_at = [0.0] * len(requests)
        self._silent = set(range(len(requests)))

    def send(self) -> None:
        self._transport.write(encode_hello(ClientHello("")))
        self._ask(range(len(self._requests)))

    def data_received(self, data: bytes) -> None:
        payloads = self._frames.feed(data)
        if payloads and not self._welcome:
            self._welcome = isinstance(decode_hello(payloads.pop(0)), Welcome)
        answers = [decode_answer(payload) for payload in payloads]
        self._answered([(answer.number, answer.outcome.kind == OK) for answer in answers])

    def _encode(self, numbers: Sequence[int]) -> bytes:
        return b"".join([self._requests[number] for number in numbers])

    def _answered(self, answers: Sequence[tuple[int, bool]]) -> None:
        """Requests that are over, with whether they succeeded; they begin again."""
        for number, ok in answers:
            self._run.answered(self._sent_at[number], ok=ok)
            self._silent.discard(number)
        if not self._silent:
            self.begun.set()
        self._ask([number for number, _ in answers])

    def _ask(self, numbers: Sequence[int]) -> None:
        now = time.perf_counter()
        for number in numbers:
            self._sent_at[number] = now
        self._transport.write(self._encode(numbers))


class _GrpcCallers(_Callers):
    """Clients on one gRPC connection to etcd; `requests` are the messages of their calls."""

    def __init__(self, run: _Run, requests: list[bytes]) -> None:
        super().__init__(run, requests)
        self._calls = Calls(ETCD_PUT, "localhost", requests)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._transport.write(self._calls.hello())  # before anything the server says is answered

    def send(self) -> None:
        self._ask(range(len(self._requests)))

    def data_received(self, data: bytes) -> None:
        answers, back = self._calls.feed(data)
        self._transport.write(back)
        self._answered(answers)

    def _encode(self, numbers: Sequence[int]) -> bytes:
        return self._calls.begin(numbers)


class _Run:
    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._latencies: list[float] = []
        self._errors = 0
        self._measuring = False
        self._over = False

    async def go(self) -> Result:
        clients: list[_Connection] = []
        try:
            return await self._measure(clients)
        finally:
            self._over = True
            for client in clients:
                client.close()
            await asyncio.sleep(0)  # they are closed in the next round of the loop

    async def _measure(self, clients: list[_Connection]) -> Result:
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
        began, cpu = time.perf_counter(), self._cpu_s()
        await asyncio.sleep(self._spec.seconds)
        self._measuring = False
        elapsed = time.perf_counter() - began
        return self._result(elapsed, [after - before for before, after in zip(cpu, self._cpu_s(), strict=True)])

    def _cpu_s(self) -> list[float]:
        return [*map(cpu_s, self._spec.pids), time.process_time()]

    async def _connect(self, clients: list[_Connection]) -> None:
        loop = asyncio.get_running_loop()
        if self._spec.protocol == GRPC:
            messages = [request.encode("latin-1") for request in self._spec.requests]
            for first in range(0, len(messages), MAX_CALLS):
                channel = _GrpcCallers(self, messages[first : first + MAX_CALLS])
                await loop.create_connection(lambda c=channel: c, "127.0.0.1", self._spec.port)  # type: ignore[misc]
                clients.append(channel)
            return
        if self._spec.protocol == FRAMES:
            callers = _Callers(self, [request.encode("latin-1") for request in self._spec.requests])
            await loop.create_connection(lambda: callers, "127.0.0.1", self._spec.port)
            clients.append(callers)
            return
        for number, request in enumerate(self._spec.requests):
            source = (f"127.0.0.{1 + number // CLIENTS_PER_ADDRESS}", 0)
            client = _HttpClient(self, request.encode("latin-1"))
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

    def _result(self, elapsed: float, cpu: list[float]) -> Result:
        ordered = sorted(self._latencies)
        if not ordered:
            raise BenchmarkError(f"no write succeeded, {self._errors} failed")
        p50, p99 = (1000 * ordered[int(len(ordered) * share)] for share in (0.5, 0.99))
        cpu_us = [1e6 * used / len(ordered) for used in cpu]
        return Result(len(ordered) / elapsed, p50, p99, self._errors, cpu_us)


def main() -> None:
    spec = Spec(**json.load(sys.stdin))
    try:
        result = run_loop(_Run(spec).go())
    except (BenchmarkError, OSError) as error:
        sys.exit(str(error))
    json.dump(asdict(result), sys.stdout)


if __name__ == "__main__":
    main()
