"""`raftsim operator raft compaction` against a scripted server."""

from __future__ import annotations

import json

import pytest

from tests.cli.stub import Stub
from tests.cli.terminal import run

PATH = "/v1/raftsim/compaction"
COMMAND = ("operator", "raft", "compaction")
POLICY = {"snapshot_threshold_entries": 100, "snapshot_threshold_bytes": 1000, "trailing_entries": 10}
SHOWN = """\
Policy                      Value
snapshot_threshold_entries  100
snapshot_threshold_bytes    1000
trailing_entries            10
"""


def test_without_numbers_it_is_shown(stub: Stub) -> None:
    stub.on("GET", PATH, POLICY)
    assert run(*COMMAND, NOMAD_ADDR=stub.address) == (0, SHOWN, "")
    assert stub.asked == [("GET", PATH)]


def test_what_is_given_is_changed(stub: Stub) -> None:
    stub.on("PUT", PATH, POLICY)
    code, out, err = run(*COMMAND, "-threshold-entries=100", "-trailing-entries=0", "-json", NOMAD_ADDR=stub.address)
    assert (code, json.loads(out), err) == (0, POLICY, "")
    assert json.loads(stub.requests[-1].body) == {"snapshot_threshold_entries": 100, "trailing_entries": 0}


@pytest.mark.parametrize("word", ["many", "-1", "1.5", "\u0663"])
def test_what_is_no_number_is_not_sent(stub: Stub, word: str) -> None:
    code, out, err = run(*COMMAND, f"-threshold-bytes={word}", NOMAD_ADDR=stub.address)
    assert (code, out) == (1, "")
    assert err.startswith("-threshold-bytes must be a whole number")
    assert stub.requests == []


def test_what_the_server_says_against_it(stub: Stub) -> None:
    stub.on("PUT", PATH, "trailing_entries must be between 0 and 9", status=400)
    told = "Error changing the policy: Unexpected response code: 400 (trailing_entries must be between 0 and 9)\n"
    assert run(*COMMAND, "-trailing-entries=99", NOMAD_ADDR=stub.address) == (1, "", told)
