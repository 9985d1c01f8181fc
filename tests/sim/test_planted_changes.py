"""The judges find known mistakes with snapshots, memberships and transfers, as in test_planted_bugs.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest

from raftsim.core import election, membership, raft, replication, snapshots, transfer
from raftsim.core.config import Config
from raftsim.core.entry import COMMAND, Entry, SnapshotMeta
from raftsim.core.errors import NO_OWN_COMMIT, Rejected
from raftsim.core.messages import Install, TimeoutNow
from raftsim.core.output import ConfigChanged
from raftsim.core.quorum import committed_index, vote_result
from raftsim.core.raft import Raft
from raftsim.machine.base import Slices
from raftsim.machine.variables import Variables
from raftsim.node.compaction import Compaction
from tests.bugs.scenes_of_wiped import (
    nobody_is_a_stranger,
    whoever_begins_is_a_founder,
    whoever_has_the_name_has_the_vote,
)
from tests.sim.planted import DISK, SEEDS, Patch, Plant, Scenario, first_found
from tests.sim.scenes import change_by_a_deposed_leader, joint_halves_apart


def b46_old_snapshot_over_a_newer_state(patch: Patch) -> None:
    on_install, install = snapshots.on_install, snapshots.install

    def take(raft: Raft, message: Install, now: float) -> None:
        commit, raft.commit = raft.commit, min(raft.commit, message.meta.index - 1)
        on_install(raft, message, now)
        raft.commit = max(commit, raft.commit)

    def overwrite(raft: Raft, meta: SnapshotMeta) -> None:
        raft.commit = min(raft.commit, meta.index - 1)
        install(raft, meta)

    patch.setitem(raft.HANDLERS, Install, take)
    patch.setattr(snapshots, "install", overwrite)


def b49_log_cut_beyond_the_snapshot(patch: Patch) -> None:
    compacted = snapshots.compacted

    def greedy(raft: Raft, meta: SnapshotMeta, trailing: int) -> None:
        compacted(raft, meta, trailing)
        raft.log.compact(raft.commit)

    patch.setattr(snapshots, "compacted", greedy)


def b51_chunks_of_two_snapshots_mixed(patch: Patch) -> None:
    take = snapshots._take

    def careless(raft: Raft, message: Install) -> None:
        if raft.incoming is not None:
            raft.incoming = ((message.term, message.meta), raft.incoming[1])
        take(raft, message)

    patch.setattr(snapshots, "_take", careless)


def b61_configuration_of_a_snapshot_ignored(patch: Patch) -> None:
    install = snapshots.install

    def stubborn(raft: Raft, meta: SnapshotMeta) -> None:
        configs, events = raft.configs, list(raft.events)
        install(raft, meta)
        raft.configs, raft.events = configs, [*events, raft.events[-1]]

    patch.setattr(snapshots, "install", stubborn)


def b62_snapshot_with_the_configuration_in_force(patch: Patch) -> None:
    begin = Compaction.begin

    def hasty(self: Compaction, applied: int) -> None:
        configs = self._raft.configs
        self._raft.configs = configs[-1:]
        begin(self, applied)
        self._raft.configs = configs

    patch.setattr(Compaction, "begin", hasty)


def snapshot_shows_what_was_applied_meanwhile(patch: Patch) -> None:
    snapshot = Variables.snapshot

    def lazy(self: Variables) -> Iterator[bytes]:
        yield from snapshot(self)

    patch.setattr(Variables, "snapshot", lazy)


def state_restored_in_part(patch: Patch) -> None:
    restore = Variables.restore

    def forgetful(self: Variables, state: Iterable[bytes]) -> Slices[None]:
        yield from restore(self, state)
        if self._variables:
            namespace, path = max(self._variables)
            del self._variables[namespace, path]
            self._paths[namespace].remove(path)

    patch.setattr(Variables, "restore", forgetful)


def b56_joint_commit_by_the_new_half_alone(patch: Patch) -> None:
    patch.setattr(replication, "committed_index", lambda voters, _, copies: committed_index(voters, None, copies))


def b56_joint_election_by_the_new_half_alone(patch: Patch) -> None:
    patch.setattr(election, "vote_result", lambda voters, _, votes: vote_result(voters, None, votes))


def copies_of_non_voters_count(patch: Patch) -> None:
    def generous(_: object, __: object, copies: dict[str, int]) -> int | None:
        return committed_index(copies.keys(), None, copies)

    patch.setattr(replication, "committed_index", generous)


def b60_configuration_not_rolled_back(patch: Patch) -> None:
    def keep(raft: Raft, first_index: int, entries: Sequence[Entry]) -> None:
        for index, entry in enumerate(entries, first_index):
            if isinstance(entry.data, Config):
                raft.configs.append((index, entry.data))
                raft.events.append(ConfigChanged(index, entry.data))

    patch.setattr(membership, "on_append", keep)


def b54_change_before_a_commit_in_the_own_term(patch: Patch) -> None:
    gate = membership._gate

    def open_gate(raft: Raft) -> None:
        try:
            gate(raft)
        except Rejected as rejected:
            if rejected.reason != NO_OWN_COMMIT:
                raise

    patch.setattr(membership, "_gate", open_gate)
    patch.setattr(Raft, "open_to_change", property(lambda raft: raft.config_index <= raft.commit))


def b20_proposals_taken_while_leadership_is_handed_over(patch: Patch) -> None:
    propose = Raft.propose

    def eager(raft: Raft, data: bytes, kind: int = COMMAND) -> tuple[int, int]:
        if raft.transfer_target is not None:
            return replication.append_own(raft, Entry(raft.term, kind, data)), raft.term
        return propose(raft, data, kind)

    patch.setattr(Raft, "propose", eager)


def told_to_stand_without_a_look_at_the_log(patch: Patch) -> None:
    def blind(raft: Raft) -> None:
        if raft.transfer_target is not None:
            raft.send(TimeoutNow(raft.term, raft.id, raft.transfer_target))

    patch.setattr(transfer, "nudge", blind)


def every_candidate_asks_with_force(patch: Patch) -> None:
    ask: Any = election._ask

    def forceful(raft: Raft, now: float, term: int, *, pre: bool, force: bool = False) -> None:
        del force
        ask(raft, now, term, pre=pre, force=not pre)

    patch.setattr(election, "_ask", forceful)


BUGS: list[tuple[Plant, set[str]]] = [
    (b46_old_snapshot_over_a_newer_state, {"ordering", "no exception"}),
    (b49_log_cut_beyond_the_snapshot, {"no exception"}),
    (b51_chunks_of_two_snapshots_mixed, {DISK}),
    (b61_configuration_of_a_snapshot_ignored, {"configuration safety"}),
    (b62_snapshot_with_the_configuration_in_force, {"snapshots are committed"}),
    (snapshot_shows_what_was_applied_meanwhile, {"equal snapshots"}),
    (state_restored_in_part, {"equal snapshots", "no exception"}),  # or a client misses what it wrote, first
    (b56_joint_commit_by_the_new_half_alone, {"commit quorum"}),
    (copies_of_non_voters_count, {"commit quorum"}),
    (b54_change_before_a_commit_in_the_own_term, {"configuration safety"}),
    (b20_proposals_taken_while_leadership_is_handed_over, {"leadership transfer"}),
    (told_to_stand_without_a_look_at_the_log, {"leadership transfer"}),
    (every_candidate_asks_with_force, {"leadership transfer"}),
    (whoever_has_the_name_has_the_vote, {"voters only"}),
    (whoever_begins_is_a_founder, {"one vote per term", "election safety", "leader completeness"}),
    (nobody_is_a_stranger, {"commit quorum"}),
]


SCENES: list[tuple[Plant, Scenario, str]] = [
    (b56_joint_election_by_the_new_half_alone, joint_halves_apart, "voters only"),
    (b60_configuration_not_rolled_back, change_by_a_deposed_leader, "configuration safety"),
]


@pytest.mark.parametrize(("plant", "caught_by"), BUGS, ids=[plant.__name__ for plant, _ in BUGS])
def test_a_planted_bug_is_found(plant: Plant, caught_by: set[str], monkeypatch: Patch) -> None:
    plant(monkeypatch)
    found = first_found()
    assert found is not None, f"not found with {SEEDS} seeds"
    assert found.startswith(tuple(caught_by)), found


@pytest.mark.parametrize(("plant", "scene", "caught_by"), SCENES, ids=[plant.__name__ for plant, *_ in SCENES])
def test_a_planted_bug_shows_in_its_scene(plant: Plant, scene: Scenario, caught_by: str, monkeypatch: Patch) -> None:
    plant(monkeypatch)
    found = first_found(scene)
    assert found is not None
    assert found.startswith(caught_by), found
