"""Every bug of the list below has a test named after it, here, among the storms (tests/sim) or at the store."""

from __future__ import annotations

import re

import pytest

from tests.bugs import scenes_of_elections, scenes_of_reads, scenes_of_replication, scenes_of_wiped
from tests.bugs.bug import Bug, Patch, holds, is_caught
from tests.sim import test_planted_bugs, test_planted_changes
from tests.storage import test_planted_bugs as test_planted_in_storage

# Bugs that shipped implementations of Raft had, by the numbers that the tests use.
KNOWN = {
    "B01": "vote not durable before the reply",
    "B02": "term and vote written apart",
    "B03": "vote replies counted, not voters",
    "B04": "vote replies of an older term counted",
    "B05": "vote forgotten by stepping down in the same term",
    "B07": "up-to-date check of the log wrong",
    "B09": "timer reset by a stale append or a refused vote",
    "B12": "messages of a lower term dropped without a word",
    "B13": "leader kept by a pre-candidate",
    "B15": "removed server disrupts the others",
    "B16": "leader without a quorum keeps others loyal",
    "B17": "leader with a stalled disk stays leader",
    "B21": "transfer never given up",
    "B22": "lease kept during a transfer",
    "B24": "entry of an older term committed by counting",
    "B25": "old append truncates entries that agree",
    "B26": "follower commits beyond what was verified",
    "B27": "acknowledgement of the last index, not of the last that agrees",
    "B28": "commit index of a heartbeat believed",
    "B29": "match index goes back",
    "B31": "arithmetic of the quorum",
    "B35": "stale completion of a write",
    "B38": "acknowledged before the sync",
    "B39": "applied before it is durable",
    "B40": "failed sync swallowed or tried again",
    "B42": "torn tail and corruption treated alike",
    "B44": "wiped disk under the old name",
    "B46": "old snapshot over a newer state",
    "B47": "conflicting entries survive an install",
    "B49": "log cut beyond what a snapshot stands for",
    "B50": "compacted entry taken for a conflict",
    "B51": "chunks of two snapshots mixed",
    "B54": "membership change before a commit of the term",
    "B55": "two changes in flight",
    "B56": "one half of a joint configuration counted",
    "B58": "removed leader counts itself",
    "B60": "configuration not rolled back",
    "B61": "configuration of a snapshot ignored",
    "B66": "read index before a commit of the term",
    "B67": "late answer confirms a later read",
    "B68": "lease outlives the leadership",
    "B69": "retry applied twice",
    "B70": "client answered by index alone",
    "B72": "vote asked for before its term is durable",
}
STORMS = (test_planted_bugs.BUGS, test_planted_changes.BUGS, test_planted_changes.SCENES)


SCENES = (scenes_of_elections, scenes_of_replication, scenes_of_reads, scenes_of_wiped)
BUGS: list[Bug] = [bug for scenes in SCENES for bug in scenes.BUGS]


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_the_scene_holds(bug: Bug) -> None:
    holds(bug)


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_the_planted_bug_is_caught(bug: Bug, monkeypatch: Patch) -> None:
    is_caught(bug, monkeypatch)


def test_none_is_forgotten() -> None:
    scenes = {bug.id for bug in BUGS}
    storms = {
        plant.__name__[:3].upper() for table in STORMS for plant, *_ in table if re.match(r"b\d\d_", plant.__name__)
    }
    stored = {name[:3].upper() for name in test_planted_in_storage.IDS}
    assert scenes | storms | stored >= KNOWN.keys()
