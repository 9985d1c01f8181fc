"""Durations, addresses and log lines."""

from __future__ import annotations

import io
import json
import logging
import re
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from raftsim.agent.addresses import free_ports, join_address, split_address
from raftsim.agent.durations import format_duration, parse_duration
from raftsim.agent.logs import EventLog, Logs
from raftsim.agent.observers import together
from raftsim.core.config import Config, Server
from raftsim.core.output import ConfigChanged, MemoryLost, RoleChanged
from raftsim.trace import events


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("1m30s", 90.0),
        ("0.5s", 0.5),
        ("1h", 3600.0),
        ("250us", 0.00025),
        ("250µs", 0.00025),
        ("0s", 0.0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "-1s", "1.s", "1 s", "1d", "1s\n", "1" * 80 + "s"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("a", ("a", 9)), ("a:1", ("a", 1)), ("[::1]", ("::1", 9)), ("[::1]:2", ("::1", 2))]
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    assert split_address(text, 9) == expected
    assert split_address(join_address(*expected), 1) == expected


def test_free_ports_are_different_and_free() -> None:
    ports = free_ports("127.0.0.1", 20)
    assert len(set(ports)) == 20
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", ports[0]))


def test_no_free_ports_on_an_address_of_another_machine() -> None:
    with pytest.raises(OSError, match=r"no free port found on 192\.0\.2\.1"):
        free_ports("192.0.2.1", 1)


@pytest.fixture(autouse=True)
def own_logger() -> Iterator[None]:
    logger = logging.getLogger("raftsim")
    before = (logger.handlers, logger.level, logger.propagate)
    yield
    logger.handlers, logger.level, logger.propagate = before


def test_lines_wait_for_the_banner_and_have_nomads_layout() -> None:
    stream = io.StringIO()
    logs = Logs("INFO", as_json=False, stream=stream)
    logging.getLogger("raftsim.x").info("one %d", 1)
    logging.getLogger("raftsim.x").debug("not this")
    assert not stream.getvalue()
    logs.release()
    logging.getLogger("raftsim.y").warning("two")
    logs.set_level("ERROR")
    logging.getLogger("raftsim.y").warning("not this")
    logging.getLogger("raftsim.y").error("three")
    lines = stream.getvalue().splitlines()
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    expected = ["[INFO]  raftsim.x: one 1", "[WARN]  raftsim.y: two", "[ERROR] raftsim.y: three"]
    assert len(lines) == 3
    for line, end in zip(lines, expected, strict=True):
        assert re.fullmatch(f"{time} {re.escape(end)}", line)


def test_lines_in_json() -> None:
    stream = io.StringIO()
    logs = Logs("DEBUG", as_json=True, stream=stream)
    logs.release()
    logging.getLogger("raftsim.x").debug('a "quote"')
    line = json.loads(stream.getvalue())
    assert (line["@level"], line["@module"], line["@message"]) == ("debug", "raftsim.x", 'a "quote"')


def test_changes_of_role_leader_and_configuration_are_logged() -> None:
    stream = io.StringIO()
    Logs("INFO", as_json=False, stream=stream).release()
    observe = together(EventLog().acts)
    observe(events.ROLE, RoleChanged("follower", 1, None))
    observe(events.ROLE, RoleChanged("follower", 1, "b"))
    observe(events.ROLE, RoleChanged("leader", 2, "a"))
    config = Config(voters=("a",), learners=("b",), servers=(Server("a", "a"), Server("b", "b")))
    observe(events.CONFIG, ConfigChanged(7, config))
    observe(events.SYNCED, 3)
    observe(events.MEMORY, MemoryLost("c"))
    observe(events.CONFIG, ConfigChanged(8, replace(config, returning=("b",))))
    assert [line.partition(": ")[2] for line in stream.getvalue().splitlines()] == [
        "entering follower state: term=1 leader=none",
        "leader known: term=1 leader=b",
        "entering leader state: term=2 leader=a",
        "configuration in force: index=7 voters=a non-voters=b",
        "this server has lost its data: c knows of its past. It has no vote until it has caught up",
        "configuration in force: index=8 voters=a non-voters=b",
        "b came back without its data: it has no vote until it has caught up",
    ]
