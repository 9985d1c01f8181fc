"""The commands' HTTP client: small, synchronous, on http.client alone, so that a command starts at once.

Nomad's environment is honoured (NOMAD_ADDR, NOMAD_REGION, NOMAD_NAMESPACE, NOMAD_TOKEN), hence the safety rail: a
shell may point at a production cluster. What changes something is sent only to a server that says it is raftsim.
"""

from __future__ import annotations

import functools
import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from raftsim.cli.go import Failure, option

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_ADDRESS = "http://127.0.0.1:4646"
TIMEOUT_S = 30.0  # longer than any answer of a server that works: it holds a request without leader for 5 s
MAX_ANSWER_BYTES = 64 << 20
_PROBE = "/v1/raftsim/status"

_NOT_RUNNING = "is it running? 'raftsim demo' starts a cluster; -address or NOMAD_ADDR name another server."
_NO_LEADER = (
    "this needs a leader, and a leader needs a majority of the voters."
    " 'raftsim operator raft list-peers -stale' asks one server alone."
)


class ApiError(Exception):
    """A request without success. `status` and `body` are the answer's, 0 and "" when there was none."""

    def __init__(self, message: str, *, status: int = 0, body: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = body
        self.hint = hint


class Client:
    """Requests to one server. Raises ApiError; a wrong address is a Failure at once."""

    def __init__(
        self, address: str, *, region: str = "", namespace: str = "", token: str = "", allow_real_nomad: bool = False
    ) -> None:
        self.address = address
        self.namespace = namespace
        self._host, self._port, self._base = _split(address)
        self._common = {"region": region, "namespace": namespace}
        self._headers = {"X-Nomad-Token": token} if token else {}
        self._allow_real_nomad = allow_real_nomad

    def read(self, path: str, **query: str) -> Any:
        """GET `path`; the decoded answer."""
        with self._connected() as connection:
            return self._exchange(connection, "GET", path, query)

    def write(self, method: str, path: str, document: object = None, **query: str) -> Any:
        """Send a change; the decoded answer, None when it is empty. Raises Failure for a server that is not raftsim."""
        with self._connected() as connection:
            # Asked over the connection the change takes, so that the server that answered is the one that is changed.
            if not self._allow_real_nomad and not self._is_raftsim(connection):
                raise Failure(
                    f"Refusing: {self.address} is not a raftsim server. Use the nomad CLI, or pass -allow-real-nomad."
                )
            return self._exchange(connection, method, path, query, document)

    @contextmanager
    def _connected(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        try:
            yield connection
        except (ValueError, http.client.InvalidURL) as error:  # control characters, a name that is no text
            raise ApiError(f"the request cannot be sent: {error}") from error
        except TimeoutError as error:
            raise ApiError(f"no answer from {self.address} within {TIMEOUT_S:g} s") from error
        except OSError as error:
            refused = isinstance(error, ConnectionRefusedError)
            reason = error.strerror or str(error)
            raise ApiError(f"cannot reach {self.address}: {reason}", hint=_NOT_RUNNING if refused else "") from error
        except http.client.HTTPException as error:
            raise ApiError(f"{self.address} does not speak HTTP: {error!r}") from error
        finally:
            connection.close()

    def _is_raftsim(self, connection: http.client.HTTPConnection) -> bool:
        connection.request("GET", self._base + _PROBE)
        answer = connection.getresponse()
        _body(answer)
        return answer.getheader("Raftsim") == "1"

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        query: Mapping[str, str],
        document: object = None,
    ) -> Any:
        given = {name: value for name, value in {**self._common, **query}.items() if value}
        target = self._base + quote(path) + (f"?{urlencode(given)}" if given else "")
        body = None if document is None else json.dumps(document, ensure_ascii=False).encode()
        connection.request(method, target, body, self._headers)
        answer = connection.getresponse()
        text = _body(answer).decode("utf-8", "replace")
        if answer.status // 100 != HTTPStatus.OK // 100:
            raise _unexpected(answer.status, text)
        try:
            return json.loads(text) if text else None
        except (ValueError, RecursionError) as error:
            raise ApiError(f"{self.address} answered with invalid JSON: {error}") from error


def record(answer: Any) -> dict[str, Any]:
    """`answer` as an object. Raises ApiError when it is something else."""
    if not isinstance(answer, dict):
        raise ApiError("the answer is not what Nomad's API says")
    return answer


def records(answer: Any) -> list[dict[str, Any]]:
    """`answer` as a list of objects; null is the empty one. Raises ApiError when it is something else."""
    if not isinstance(answer, list | None):
        raise ApiError("the answer is not what Nomad's API says")
    return [record(entry) for entry in answer or []]


@contextmanager
def reported(prefix: str) -> Iterator[None]:
    """Turn an ApiError into the failure of the command: `<prefix>: <error>`."""
    try:
        yield
    except ApiError as error:
        raise Failure(f"{prefix}: {error}", error.hint) from error


def with_client(*, namespace: bool = False, writes: bool = False) -> Callable[[F], F]:
    """Give a command Nomad's general options, and call it with the `Client` they describe as first argument."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(
            *, address: str, region: str, token: str, namespace: str = "", allow_real_nomad: bool = False, **rest: Any
        ) -> Any:
            client = Client(address, region=region, namespace=namespace, token=token, allow_real_nomad=allow_real_nomad)
            return function(client, **rest)

        command: Any = call
        for add in reversed(_general_options(namespace=namespace, writes=writes)):
            command = add(command)
        return command  # type: ignore[no-any-return]

    return decorate


def _general_options(*, namespace: bool, writes: bool) -> list[Callable[[F], F]]:
    def text(name: str, value: str, variable: str, help: str, default: str = "") -> Callable[[F], F]:
        return option(
            name,
            value=value,
            envvar=variable,
            default=default,
            general=True,
            help=f"{help} Overrides the {variable} environment variable if set.",
        )

    options = [
        text(
            "address", "<addr>", "NOMAD_ADDR", f"The server to talk to, by default {DEFAULT_ADDRESS}.", DEFAULT_ADDRESS
        ),
        text("region", "<region>", "NOMAD_REGION", "The region to send the request to, by default the server's own."),
    ]
    if namespace:
        about = 'The namespace of the variables, by default "default".'
        options.append(text("namespace", "<namespace>", "NOMAD_NAMESPACE", about))
    options.append(text("token", "<secret id>", "NOMAD_TOKEN", "The token to authenticate with."))
    if writes:
        about = "Send the change even to a server that is not raftsim, which is refused otherwise."
        options.append(option("allow-real-nomad", general=True, help=about))
    return options


def _split(address: str) -> tuple[str, int, str]:
    """Host, port and path of an address. Raises Failure."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise Failure(f'Error initializing client: invalid address "{address}": {error}') from error
    if parts.scheme == "https":
        raise Failure(f'Error initializing client: TLS is not supported, use http instead of "{address}"')
    if parts.scheme != "http" or not parts.hostname:
        raise Failure(f'Error initializing client: invalid address "{address}": it has the form http://host:port')
    return parts.hostname, http.client.HTTP_PORT if port is None else port, parts.path.rstrip("/")


def _body(answer: http.client.HTTPResponse) -> bytes:
    body = answer.read(MAX_ANSWER_BYTES + 1)
    if len(body) > MAX_ANSWER_BYTES:
        raise ApiError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
    return body


def _unexpected(status: int, text: str) -> ApiError:
    trimmed = text.strip()
    message = f"Unexpected response code: {status}" + (f" ({trimmed})" if trimmed else "")
    hint = _NO_LEADER if trimmed.endswith("No cluster leader") else ""
    return ApiError(message, status=status, body=trimmed, hint=hint)
