"""A server with scripted answers on a real socket."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Request(NamedTuple):
    method: str
    target: str
    headers: dict[str, str]
    body: str


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A command that ends in the middle of an answer is what some tests are about."""


class Stub:
    """Answers by method and path; what is not scripted is 404 without a body, as in Nomad."""

    def __init__(self) -> None:
        self.raftsim = True
        self.requests: list[Request] = []
        self.arrived = threading.Event()  # a request of the path "hold" is here and waits for `release`
        self.release = threading.Event()
        self.hold = ""
        self._answers: dict[tuple[str, str], tuple[int, str]] = {}
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Method and target of every request but the probe of the safety rail."""
        return [(entry.method, entry.target) for entry in self.requests if entry.target != "/v1/raftsim/status"]

    def on(self, method: str, path: str, body: object = "", status: int = 200) -> None:
        """Answer with a text as it is, with anything else as JSON; `path` may have a query, which then must match."""
        self._answers[method, path] = (status, body if isinstance(body, str) else json.dumps(body))

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                stub.requests.append(Request(self.command, self.path, dict(self.headers), sent))
                path = self.path.partition("?")[0]
                if path == stub.hold:
                    stub.arrived.set()
                    stub.release.wait(60)
                answers = (stub._answers.get((self.command, target)) for target in (self.path, path))
                status, body = next(filter(None, answers), (404, ""))
                self.send_response(status)
                if stub.raftsim:
                    self.send_header("Raftsim", "1")
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            do_GET = do_PUT = do_DELETE = answer  # noqa: N815 - the names that http.server calls

            def log_message(self, format: str, *args: object) -> None:
                """Keep the test output clean."""

        return Handler
