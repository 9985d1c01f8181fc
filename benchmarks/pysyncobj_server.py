"""One PySyncObj server: python -m benchmarks.pysyncobj_server HTTP_PORT ADDRESS PEER,PEER JOURNAL sync|nosync

PySyncObj has no network protocol for clients. This gives it one that costs as little as HTTP can: what a request needs
is found by searching, and an answer is two bytes.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.httpbytes import MessageReader


def main() -> None:
    http_port, address, peers, journal, sync = sys.argv[1:]
    if sync == "sync":
        _sync_every_entry()
    asyncio.run(_serve(int(http_port), address, peers.split(","), journal))


def _sync_every_entry() -> None:
    """The journal syncs nothing by itself; a follower acknowledges and a leader counts what `add` has taken."""
    journal = importlib.import_module("pysyncobj.journal").FileJournal
    add = journal.add

    def add_and_sync(self: Any, *entry: Any) -> None:
        add(self, *entry)
        self.flush()

    journal.add = add_and_sync


async def _serve(http_port: int, address: str, peers: list[str], journal: str) -> None:
    pysyncobj = importlib.import_module("pysyncobj")
    store = importlib.import_module("pysyncobj.batteries").ReplDict()
    # With its batches a command waits for the next tick, 50 to 100 ms; without them it is several times faster.
    conf = pysyncobj.SyncObjConf(journalFile=journal, appendEntriesUseBatch=False)
    server = pysyncobj.SyncObj(address, peers, conf, consumers=[store])
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: _Front(loop, server, store), "127.0.0.1", http_port, backlog=1024)
    await listener.serve_forever()


class _Front(asyncio.Protocol):
    def __init__(self, loop: asyncio.AbstractEventLoop, server: Any, store: Any) -> None:
        self._loop = loop
        self._server = server
        self._store = store
        self._reader = MessageReader()
        self._write: Callable[[bytes], None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._write = transport.write

    def data_received(self, data: bytes) -> None:
        for line, body in self._reader.feed(data):
            if line.startswith(b"GET"):
                self._answer(b"200 OK", json.dumps(self._state()).encode())
            else:
                self._store.set(line.split()[1].decode(), body, callback=self._committed)

    def _state(self) -> dict[str, bool]:
        return {"ready": self._server.isReady(), "leader": self._server._isLeader()}

    def _committed(self, _result: Any, error: int) -> None:
        """In the thread of PySyncObj."""
        status = b"503 Service Unavailable" if error else b"200 OK"
        self._loop.call_soon_threadsafe(self._answer, status, b"{}")

    def _answer(self, status: bytes, body: bytes) -> None:
        self._write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))


if __name__ == "__main__":
    main()
