"""Answers as bytes."""

from __future__ import annotations

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from raftsim.http.head import HTTP_1_0, Head
from raftsim.http.message import HttpResponse
from raftsim.http.view import AgentFacts

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_REASONS: Final = {status.value: status.phrase for status in HTTPStatus} | {413: "Request Entity Too Large"}
_ALWAYS: Final = "Vary: Accept-Encoding\r\nRaftsim: 1\r\n"
_NO_CONTENT: Final = 204


class Answers:
    """Makes the bytes of answers, with what every one of them carries."""

    def __init__(self, facts: AgentFacts) -> None:
        self._facts = facts
        self._second = -1
        self._date = ""

    def encode(self, response: HttpResponse, head: Head | None, *, last: bool) -> bytes:
        """`head`: the request, None if there is no saying what it was. `last`: the connection is closed behind it.

        Raises ValueError when a header would end its line.
        """
        version = head.version if head else "HTTP/1.1"
        term, commit = self._facts.term_and_commit()
        text = f"{version} {response.status} {_REASONS[response.status]}\r\n{_ALWAYS}"
        text += f"X-Raft-Term: {term}\r\nX-Raft-Commit-Index: {commit}\r\n"
        for name, value in response.headers.items():
            if "\r" in value or "\n" in value:
                raise ValueError(f"the value of {name} has a line end in it: {value!r}")
            text += f"{name}: {value}\r\n"
        if response.status != _NO_CONTENT:  # RFC 9110 section 8.6
            text += f"Content-Length: {len(response.body)}\r\n"
        text += f"Date: {self._now()}\r\n"
        if last != (version == HTTP_1_0):  # else it goes without saying
            text += "Connection: close\r\n" if last else "Connection: keep-alive\r\n"
        text += "\r\n"
        return text.encode() if head is not None and head.method == "HEAD" else text.encode() + response.body

    def _now(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second, self._date = second, formatdate(second, usegmt=True)
        return self._date
