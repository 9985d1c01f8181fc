"""What conditions and selectors make of status documents."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from raftsim.scenario.load import parse
from raftsim.scenario.model import Check, Crash, Run
from raftsim.scenario.view import Cast, Status, View

NAMES = ("n1", "n2", "n3")


def status(name: str, role: str = "follower", **changes: Any) -> Status:
    """The document of a server in a healthy cluster led by n1."""
    servers = [{"id": f"id-{each}", "address": each, "voter": True} for each in NAMES]
    return {
        "id": f"id-{name}",
        "role": role,
        "term": 2,
        "leader": "id-n1",
        "ready": role == "leader",
        "commit_index": 9,
        "applied_index": 9,
        "last_log_index": 9,
        "last_log_term": 2,
        "configuration": {"index": 1, "committed": True, "servers": servers},
        **changes,
    }


HEALTHY: dict[str, Status | None] = {"n1": status("n1", "leader"), "n2": status("n2"), "n3": status("n3")}


def view(**changes: Status | None) -> View:
    cast = Cast(NAMES, Random(1), bound={"old": ("n1",), "pair": ("n2", "n3")})
    return View({**HEALTHY, **changes}, {f"id-{name}": name for name in NAMES}, cast)


def shrunk(*, committed: bool) -> dict[str, Any]:
    servers = [{"id": f"id-{name}", "address": name, "voter": name != "n3"} for name in NAMES]
    return {"index": 5, "committed": committed, "servers": servers}


RIVAL = status("n2", "leader", term=3)
NEWBORN = status("n2", "leader", term=3, ready=False)


@pytest.mark.parametrize(
    ("condition", "changes", "holds"),
    [
        ("{leader: one}", {}, True),
        ("{leader: one}", {"n1": None}, False),
        ("{leader: one}", {"n2": RIVAL}, False),
        ("{leader: one, not: [old]}", {"n2": RIVAL}, True),
        ("{leader: one, not: [old]}", {"n2": NEWBORN}, False),
        ("{leader: one, not: [old]}", {}, False),
        ("{leader: none}", {}, False),
        ("{leader: none}", {"n1": None}, True),
        ("{leader: n1}", {}, True),
        ("{leader: old}", {"n2": RIVAL}, False),
        ("{leader: n2}", {}, False),
        ("{node: pair, role: follower}", {}, True),
        ("{node: pair, role: follower}", {"n2": RIVAL}, False),
        ("{node: n2, role: follower}", {"n2": None}, False),
        ("{node: {others: old}, committed: 9}", {}, True),
        ("{node: all, committed: '>= 9'}", {"n3": status("n3", commit_index=8)}, False),
        ("{node: all, committed: '>= 9'}", {"n3": None}, False),
        ("{committed: '> 8', applied: '< 10', term: '!= 3'}", {}, True),
        ("{committed: 9}", {"n1": None}, False),  # no leader, no number
        ("{term: 3}", {"n2": RIVAL}, True),  # of the leader in the highest term
        ("{voters: 3}", {}, True),
        ("{voters: 2}", {"n1": status("n1", "leader", configuration=shrunk(committed=True))}, True),
        ("{voters: 2}", {"n1": status("n1", "leader", configuration=shrunk(committed=False))}, False),
        ("{converged: true}", {}, True),
        ("{converged: true}", {"n3": None}, False),
        ("{converged: true}", {"n3": status("n3", applied_index=8)}, False),
        ("{converged: true}", {"n3": status("n3", last_log_term=1)}, False),
        ("{converged: true}", {"n2": RIVAL}, False),
        ("{converged: true}", {name: status(name, role, last_log_index=10) for name, role in zip(
            NAMES, ("leader", "follower", "follower"), strict=True)}, False),
    ],
)  # fmt: skip
def test_a_condition_sees_status_documents(condition: str, changes: dict[str, Status | None], holds: bool) -> None:
    text = (
        "name: x\nsteps:\n  - crash: n1\n    as: old\n  - crash: n1\n    as: pair\n"
        f"  - check: {condition}\n  - run: 1s\n    throughout: {condition}\n"
    )
    check, run = (step.action for step in parse(text, "x").steps[2:])
    assert isinstance(check, Check)
    assert check.conditions[0].holds(view(**changes)) is holds
    assert isinstance(run, Run)
    pinned = run.throughout[0].pinned(view())
    assert pinned is not None
    assert pinned.holds(view(**changes)) is holds


@pytest.mark.parametrize(
    ("condition", "changes", "holds"),
    [
        ("{term: unchanged}", {"n2": status("n2", term=3)}, True),  # the leader's
        ("{term: unchanged}", {"n2": RIVAL}, False),
        ("{node: n2, term: unchanged}", {"n2": status("n2", term=3)}, False),
        ("{node: all, committed: unchanged}", {"n3": status("n3", commit_index=10)}, False),
        ("{node: n3, committed: unchanged}", {"n2": status("n2", commit_index=10)}, True),
        ("{node: n3, committed: unchanged}", {"n3": None}, False),
    ],
)
def test_unchanged_compares_with_the_beginning(condition: str, changes: dict[str, Status | None], holds: bool) -> None:
    (step,) = parse(f"name: x\nsteps:\n  - run: 1s\n    throughout: {condition}\n", "x").steps
    assert isinstance(step.action, Run)
    pinned = step.action.throughout[0].pinned(view())
    assert pinned is not None
    assert pinned.holds(view())
    assert pinned.holds(view(**changes)) is holds
    assert step.action.throughout[0].pinned(view(n1=None, n2=None, n3=None)) is None


@pytest.mark.parametrize(
    ("selector", "changes", "found"),
    [
        ("leader", {}, ["n1"]),
        ("leader", {"n2": RIVAL}, ["n2"]),
        ("leader", {"n1": None}, []),
        ("follower:2", {}, ["n3"]),
        ("follower:3", {}, []),
        ("follower", {"n2": None}, ["n3"]),
        ("follower", {"n2": status("n2", leader=None), "n3": None}, []),
        ("all", {}, ["n1", "n2", "n3"]),
        ("n2", {"n2": None}, ["n2"]),
        ("{others: leader}", {}, ["n2", "n3"]),
        ("{others: leader}", {"n1": None}, []),
    ],
)
def test_a_selector_finds_servers_by_their_part(
    selector: str, changes: dict[str, Status | None], found: list[str]
) -> None:
    (step,) = parse(f"name: x\nsteps:\n  - crash: {selector}\n", "x").steps
    assert isinstance(step.action, Crash)
    assert list(step.action.server.find(view(**changes))) == found


def test_any_is_one_in_service_and_is_drawn() -> None:
    (step,) = parse("name: x\nsteps:\n  - crash: any\n", "x").steps
    assert isinstance(step.action, Crash)
    looked = view()
    looked.cast.isolated.add("n2")
    assert {step.action.server.find(looked) for _ in range(40)} == {("n1",), ("n3",)}
    looked.cast.crashed.add("n1")
    looked.cast.removed.add("n3")
    assert step.action.server.find(looked) == ()
