"""What is tried again, and what is not: against a server of the test that says what the test wants."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from raftsim.client import Client, ClientError, Refused, Unknown
from raftsim.client.sessions import WINDOW, ClientSession
from raftsim.machine.sessions import FORGOTTEN, UNKNOWN_SESSION
from raftsim.machine.sessiontable import Limits
from raftsim.node.requests import BUSY, LEADERSHIP_LOST, OK, REFUSED, UNKNOWN, Command, Outcome, Query
from raftsim.wire.clients import ClientRequest, Dismissal, Welcome, encode_hello
from raftsim.wire.frames import frame
from tests.client.helpers import IMPATIENT, QUICK, scripted

OPENED = Outcome(OK, {"outcome": "ok", "value": 7})
DONE = Outcome(OK, {"outcome": "ok", "value": {"result": "ok", "variable": None, "index": 9}})
BUSY_NOW = Outcome(REFUSED, reason=BUSY, detail="a limit")
IN_DOUBT = Outcome(UNKNOWN, reason=LEADERSHIP_LOST)


def script(*outcomes: Outcome | None) -> Callable[[ClientRequest], Outcome | None]:
    """These, one after another; the last one for ever."""
    rest = list(outcomes)
    return lambda _: rest.pop(0) if len(rest) > 1 else rest[0]


async def test_in_a_session_the_very_same_command_is_sent_again() -> None:
    async with scripted(script(OPENED, IN_DOUBT, None, BUSY_NOW, DONE)) as server:
        async with Client([server.address], settings=QUICK) as client:
            await client.delete("key")
        copies = server.asked[1:5]
        assert len(copies) == 4
        assert all(copy == copies[0] for copy in copies)


async def test_without_a_session_what_is_unknown_stays_unknown() -> None:
    async with (
        scripted(script(BUSY_NOW, IN_DOUBT, DONE)) as server,
        Client([server.address], session=False, settings=QUICK) as client,
    ):
        with pytest.raises(Unknown, match="leadership lost: it may have happened"):
            await client.delete("key")
        assert len(server.asked) == 2


async def test_a_lost_connection_is_unknown_for_a_change_and_tried_again_for_a_read() -> None:
    found = Outcome(OK, {"variable": None, "index": 1})
    async with (
        scripted(script(None, None, found)) as server,
        Client([server.address], session=False, settings=QUICK) as client,
    ):
        with pytest.raises(Unknown, match="link lost"):
            await client.delete("key")
        assert await client.get("key") is None


@pytest.mark.parametrize("reason", [UNKNOWN_SESSION, FORGOTTEN])
async def test_a_lost_session_is_replaced_when_nothing_is_in_doubt(reason: str) -> None:
    lost = Outcome(OK, {"outcome": "refused", "reason": reason})
    async with scripted(script(OPENED, BUSY_NOW, lost, OPENED, DONE)) as server:
        async with Client([server.address], settings=QUICK) as client:
            await client.delete("key")
        assert len(server.asked) == 6  # the last one closes the session


async def test_a_lost_session_leaves_what_was_in_doubt_unknown() -> None:
    lost = Outcome(OK, {"outcome": "refused", "reason": UNKNOWN_SESSION})
    async with (
        scripted(script(OPENED, IN_DOUBT, lost, OPENED, DONE)) as server,
        Client([server.address], settings=QUICK) as client,
    ):
        with pytest.raises(Unknown, match=UNKNOWN_SESSION):
            await client.delete("key")
        await client.delete("key")  # in a session of its own


async def test_what_stays_refused_is_refused_and_what_was_in_doubt_once_is_unknown() -> None:
    async with scripted(script(OPENED, BUSY_NOW)) as server, Client([server.address], settings=IMPATIENT) as client:
        with pytest.raises(Refused, match="busy: a limit"):
            await client.delete("key")
    async with (
        scripted(script(OPENED, IN_DOUBT, BUSY_NOW)) as server,
        Client([server.address], settings=IMPATIENT) as client,
    ):
        with pytest.raises(Unknown):
            await client.delete("key")


async def test_a_frozen_server_is_given_up() -> None:
    """It takes requests and never answers: the watchdog of the link ends it."""
    frozen = asyncio.Event()

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(encode_hello(Welcome("c", "n1", "")))
        while await reader.read(1 << 16):
            frozen.set()
        writer.close()

    ice = await asyncio.start_server(swallow, "127.0.0.1", 0)
    where = f"127.0.0.1:{ice.sockets[0].getsockname()[1]}"
    async with ice, Client([where], settings=IMPATIENT, session=False) as client:
        with pytest.raises(Unknown, match="link lost"):
            await client.command(b"x")
        assert frozen.is_set()


@pytest.mark.parametrize(
    ("hello", "why"),
    [
        (encode_hello(Dismissal("no room")), "turned this client away: no room"),
        (frame(b"\x93\x01\x02\x03"), "does not speak the raftsim client protocol"),
        (frame(b"\xc1"), "not msgpack"),
        (b"\xff\xff\xff\xff", "exceeds the limit"),
    ],
)
async def test_who_answers_the_hello_otherwise_is_not_talked_to(hello: bytes, why: str) -> None:
    async with scripted(script(DONE)) as server, Client([server.address], settings=IMPATIENT) as client:
        server.hello = hello
        with pytest.raises(Refused, match=why):
            await client.delete("key")
        assert not server.asked


async def test_a_machine_without_sessions_is_told_apart() -> None:
    async with scripted(script(Outcome(OK, 5))) as server, Client([server.address], settings=QUICK) as client:
        with pytest.raises(ClientError, match="has no sessions"):
            await client.command(b"x")


async def test_a_leader_that_cannot_be_reached_is_asked_through_others() -> None:
    async with scripted(script(DONE)) as server, Client([server.address], settings=QUICK, session=False) as client:
        server.leader_address = "127.0.0.1:1"
        await client.command(b"x")
        await client.command(b"x")
        assert server.asked == [Command(b"x")] * 2


async def test_a_cancelled_call_gives_its_number_back() -> None:
    async with scripted(script(OPENED, DONE)) as server, Client([server.address], settings=QUICK) as client:
        calls = [asyncio.ensure_future(client.delete(f"key{number}")) for number in range(3 * WINDOW)]
        await asyncio.sleep(0)
        for call in calls[::2]:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert all(call.cancelled() or call.exception() is None for call in calls)
        await client.delete("last")


async def test_no_number_is_used_that_could_push_out_an_unanswered_one() -> None:
    session = ClientSession(1)
    numbers = [await session.number() for _ in range(WINDOW)]
    late = asyncio.ensure_future(session.number())
    session.done(numbers[1])
    await asyncio.sleep(0)
    assert not late.done()
    session.done(numbers[0])
    assert await late == WINDOW + 1
    assert Limits().results == WINDOW


async def test_a_query_that_waits_is_not_taken_for_a_frozen_server() -> None:
    async with scripted(script(Outcome(OK, {"index": 4}))) as server, Client([server.address]) as client:
        assert await client.query(("anything",), stale=True, after=3) == {"index": 4}
        assert server.asked == [Query(("anything",), stale=True, after=3, wait_s=60.0)]
