"""Planted bugs of what clients are told, and of how much is taken from them."""

from __future__ import annotations

from raftsim.core.entry import COMMAND, Entry
from raftsim.core.raft import Raft
from raftsim.mutants.mutant import mutant, replace
from raftsim.node.clients import Clients


@mutant(
    "B70",
    "a client answered by index alone",
    source="Raft section 8; openraft 43dd8b6f, libraft#5",
    needs=("partition",),
    judge="durability",
)
def answer_by_index() -> None:
    """Whoever waits for an index is told ok when something is applied there. A deposed leader's entry was replaced at
    its place by another, and its client takes that for its own.
    """
    applied = Clients.applied

    def trusting(self: Clients, index: int, entry: Entry) -> None:
        job = self._proposed.get(index)
        if job is not None:
            job.term = entry.term
        applied(self, index, entry)

    replace(Clients, "applied", trusting)
    replace(Clients, "role_changed", lambda _: None)


@mutant(
    "B71",
    "no limit for what is not committed",
    source="etcd Config.MaxUncommittedEntriesSize, raft-rs max_uncommitted_size",
    needs=("partition",),
    judge="bounded queues",
)
def log_without_limit() -> None:
    """A leader takes whatever it is given while nothing can be committed. Its log grows until its memory is full."""

    propose = Raft.propose

    def unlimited(raft: Raft, data: bytes, kind: int = COMMAND) -> tuple[int, int]:
        raft.uncommitted_bytes = 0
        return propose(raft, data, kind)

    replace(Raft, "propose", unlimited)
