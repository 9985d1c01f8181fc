"""When a server takes snapshots of its machine, and how they travel (paper section 7).

Invariants: a snapshot shows the machine as of an applied index, with the configuration in force there; the server
goes on applying while it is written; the log is cut only when it is durable.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from raftsim.core.entry import SnapshotMeta
from raftsim.core.output import ChunkWanted
from raftsim.core.progress import SNAPSHOT
from raftsim.core.raft import Raft
from raftsim.machine.base import Machine
from raftsim.node.ports import Disk
from raftsim.node.requests import INVALID, OK, REFUSED, Outcome, SetCompaction
from raftsim.node.restore import Staging
from raftsim.node.settings import NodeSettings

_PATIENCE: Final = 8  # thresholds
MAX_THRESHOLD: Final = 1 << 53  # what every reader of JSON can say
_POLICY: Final = ("snapshot_threshold_entries", "snapshot_threshold_bytes", "trailing_entries")


class Compaction:
    """`policy` may change while the server runs; the rest of `settings` does not."""

    def __init__(self, raft: Raft, machine: Machine, staging: Staging, disk: Disk, settings: NodeSettings) -> None:
        self.settings = settings
        self.applied_bytes = 0  # of commands, since the last snapshot was begun
        self._raft = raft
        self._machine = machine
        self._staging = staging
        self._disk = disk
        self._begun = raft.snapshot.index if raft.snapshot else 0
        self._saving = False

    @property
    def policy(self) -> dict[str, int]:
        return {name: getattr(self.settings, name) for name in _POLICY}

    def set_policy(self, request: SetCompaction) -> Outcome:
        given = {name: getattr(request, name) for name in _POLICY if getattr(request, name) is not None}
        for name, value in given.items():
            least = 0 if name == "trailing_entries" else 1
            if not least <= value <= MAX_THRESHOLD:
                detail = f"{name} must be between {least} and {MAX_THRESHOLD}, not {value}"
                return Outcome(REFUSED, reason=INVALID, detail=detail)
        self.settings = replace(self.settings, **given)
        return Outcome(OK, self.policy)

    def consider(self, applied: int, now: float) -> None:
        """After entries were applied: begin a snapshot if enough has come together since the last one."""
        if applied != self._raft.commit:
            return  # more is committed already: the configuration in force at `applied` may be a past one
        if self._staging.holds(applied):
            return  # a snapshot would not hold what is kept aside
        many = applied - self._begun >= self.settings.snapshot_threshold_entries
        large = self.applied_bytes >= self.settings.snapshot_threshold_bytes
        restored = self._staging.replaced > self._begun  # the log holds the whole state: it is let go soon
        if (many or large or restored) and not self._saving and not self._sending(applied, now):
            self.begin(applied)

    def _sending(self, applied: int, now: float) -> bool:
        """Whether a follower is receiving a snapshot: only two are kept, so a new one could take it away (B52).

        Not for ever, and not for one that is silent: they must not keep the log from being cut.
        """
        few = applied - self._begun < _PATIENCE * self.settings.snapshot_threshold_entries
        small = self.applied_bytes < _PATIENCE * self.settings.snapshot_threshold_bytes
        heard = now - self._raft.settings.election_timeout_max_s
        followers = self._raft.progress.values()
        receiving = any(p.state == SNAPSHOT and p.offset > 0 and p.contact > heard for p in followers)
        return few and small and receiving

    def begin(self, applied: int) -> None:
        raft = self._raft
        assert applied == raft.commit, (applied, raft.commit)
        config_index, config = raft.configs[0]  # the last committed one, so the one in force at `applied`
        term = raft.log.term_at(applied)
        assert term is not None, applied
        self._saving, self._begun, self.applied_bytes = True, applied, 0
        self._disk.save_snapshot(SnapshotMeta(applied, term, config, config_index), self._machine.snapshot())

    def saved(self, meta: SnapshotMeta) -> None:
        self._saving = False
        since = meta.index - self._staging.replaced  # what led to a state that was replaced is of no use to anybody
        trailing = self.settings.trailing_entries
        self._raft.compacted(meta, min(trailing, since) if since >= 0 else trailing)
        self._disk.compact(self._raft.log.base_index)

    def restored(self, meta: SnapshotMeta) -> None:
        """The machine has become what `meta` stands for."""
        self._begun, self.applied_bytes = max(self._begun, meta.index), 0

    def read(self, wanted: ChunkWanted) -> None:
        self._disk.read_chunk(wanted, self.settings.snapshot_chunk_bytes)
