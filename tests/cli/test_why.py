"""`raftsim why` against a scripted server: the streams and the exit codes. The sentences: tests/http/test_why.py."""

from __future__ import annotations

import json

import pytest

from tests.cli.stub import Stub
from tests.cli.terminal import run
from tests.http.test_why import N2, status

PATH = "/v1/raftsim/status"


def test_nothing_is_wrong(stub: Stub) -> None:
    stub.on("GET", PATH, status())
    assert run("why", NOMAD_ADDR=stub.address) == (0, "Nothing is wrong.\n", "")


def test_a_follower_says_that_the_leader_knows_more(stub: Stub) -> None:
    stub.on("GET", PATH, status("follower", N2))
    told = "Nothing is wrong as far as n1.global knows; the leader, n2.global, knows more.\n"
    assert run("why", NOMAD_ADDR=stub.address) == (0, told, "")


def test_what_the_leader_knows_is_fetched_from_it(stub: Stub) -> None:
    stub.on("GET", PATH, status("follower", N2))
    stub.on("GET", f"{PATH}?leader=true", status())
    told = "Nothing waits: every entry up to 7 is committed.\n"
    assert run("why", "commit", NOMAD_ADDR=stub.address) == (0, told, "")
    assert [entry.target for entry in stub.requests] == [PATH, f"{PATH}?leader=true"]


@pytest.mark.parametrize(
    ("subject", "told"),
    [
        ("leader", "n1.global leads in term 3."),
        ("commit", "Nothing waits: every entry up to 7 is committed."),
        ("change", "No membership change has to wait."),
        ("n2", "n2.global could be elected."),
        ("autopilot", "All 2 servers are healthy; the cluster can lose 0."),
    ],
)
def test_subjects(stub: Stub, subject: str, told: str) -> None:
    stub.on("GET", PATH, status())
    assert run("why", subject, NOMAD_ADDR=stub.address) == (0, f"{told}\n", "")


def test_json(stub: Stub) -> None:
    stub.on("GET", PATH, status())
    code, out, err = run("why", "-json", "leader", NOMAD_ADDR=stub.address)
    assert (code, err) == (0, "")
    assert json.loads(out) == {"Server": "n1.global", "Subject": "leader", "Reasons": ["n1.global leads in term 3."]}


def test_an_unknown_member(stub: Stub) -> None:
    stub.on("GET", PATH, status())
    assert run("why", "n9", NOMAD_ADDR=stub.address) == (1, "", 'No member, or more than one, is called "n9"\n')


@pytest.mark.parametrize("answer", [{}, {"id": "x"}, {"id": "x", "configuration": 3}])
def test_an_answer_that_is_no_status(stub: Stub, answer: object) -> None:
    stub.on("GET", PATH, answer)
    code, out, err = run("why", NOMAD_ADDR=stub.address)
    assert (code, out) == (1, "")
    assert err.startswith("Error reading the status: the answer is not the status of a raftsim server: ")
