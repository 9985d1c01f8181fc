"""A command that only talks HTTP starts at once: it never loads what servers need."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.stub import Stub
from tests.cli.terminal import TIMEOUT_S, environment
from tests.http.test_why import status

SERVERS_ONLY = ("httptools", "asyncio", "msgpack", "ruamel", "hypothesis", "uvloop", "logging")


def imported(*args: str, **variables: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "raftsim", *args],
        capture_output=True,
        text=True,
        env=environment(**variables),
        timeout=TIMEOUT_S,
        check=True,
    )
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


def heavy(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] in SERVERS_ONLY}


def test_version_loads_nothing_heavy_and_no_http() -> None:
    modules = imported("version")
    assert "raftsim.cli.output" in modules
    assert not heavy(modules)
    assert "http.client" not in modules


@pytest.mark.parametrize("args", [["operator", "raft", "list-peers", "-json"], ["var", "list"], ["why"]])
def test_client_commands_load_nothing_heavy(stub: Stub, args: list[str]) -> None:
    stub.on("GET", "/v1/operator/raft/configuration", {"Servers": []})
    stub.on("GET", "/v1/vars", [])
    stub.on("GET", "/v1/raftsim/status", status())
    modules = imported(*args, NOMAD_ADDR=stub.address)
    assert "http.client" in modules
    assert not heavy(modules)


def test_help_loads_no_command() -> None:
    modules = imported("-help")
    assert "raftsim.cli.go" in modules
    assert not modules & {"raftsim.cli.client", "raftsim.cluster", "raftsim.scenario", "raftsim.agent"}
