"""A copy of the package is a world of its own: whatever is planted in it, the real one does not feel it."""

from __future__ import annotations

import sys

import pytest

from raftsim.core import quorum, replication
from raftsim.core.raft import Raft
from raftsim.mutants.copy import Copy
from raftsim.mutants.planted import planted
from raftsim.swarm.run import play


@pytest.fixture
def copy() -> Copy:
    return Copy()


def test_its_classes_and_functions_are_its_own(copy: Copy) -> None:
    assert copy.module("core.raft").Raft is not Raft
    assert copy.module("core.raft").Raft is copy.module("node.clients").Raft
    assert copy.module("core.replication").committed_index is copy.module("core.quorum").committed_index
    assert copy.module("core.replication").committed_index is not quorum.committed_index
    copy.close()


def test_what_it_imports_late_is_of_the_copy_too(copy: Copy) -> None:
    scenario = copy.module("scenario.load").parse("name: x\nsteps:\n  - run: 1s\n", "x.yaml")
    report = copy.module("scenario.play").play_simulated(scenario, 1, lambda _: None)
    assert type(report).__module__ == f"{copy.name}.scenario.report"
    assert report.verdict == "pass"
    copy.close()


def test_it_does_what_the_package_does(copy: Copy) -> None:
    assert copy.module("swarm.run").play(3, 2.0).digest == play(3, 2.0).digest
    copy.close()


def test_nothing_of_it_is_left_when_it_is_closed(copy: Copy) -> None:
    copy.module("core.raft")
    copy.close()
    assert not [name for name in sys.modules if name.partition(".")[0] == copy.name]
    with pytest.raises(ImportError):
        copy.module("core.raft")


def test_a_mutant_is_felt_by_all_of_its_copy_and_by_nobody_else() -> None:
    before = replication.advance_commit
    copy = planted("commit-prior-term")
    changed = copy.module("core.replication").advance_commit
    assert changed.__module__ == f"{copy.name}.mutants.commitment"
    assert replication.advance_commit is before
    copy.close()


def test_tables_refer_to_what_was_planted(copy: Copy) -> None:
    raft, election = copy.module("core.raft"), copy.module("core.election")
    kinds = [kind for kind, handler in raft.HANDLERS.items() if handler is election.on_vote]

    def deaf(*_: object) -> None: ...

    copy.module("mutants.mutant").replace(election, "on_vote", deaf)
    assert election.on_vote is deaf
    assert kinds
    assert all(raft.HANDLERS[kind] is deaf for kind in kinds)
    copy.close()


def test_a_mutant_that_has_gone_stale_is_known(copy: Copy) -> None:
    replace, raft = copy.module("mutants.mutant").replace, copy.module("core.raft").Raft
    with pytest.raises(AttributeError, match="no_such_method"):
        replace(raft, "no_such_method", lambda: None)
    copy.close()


def test_judges_and_world_are_out_of_reach(copy: Copy) -> None:
    replace = copy.module("mutants.mutant").replace
    with pytest.raises(AssertionError, match=r"check\.violation is not to be changed"):
        replace(copy.module("check.violation").Violation, "__str__", lambda _: "")
    copy.close()
