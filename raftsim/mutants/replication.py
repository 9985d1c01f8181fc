"""Planted bugs of replication and commitment."""

from __future__ import annotations

from raftsim.core import replication
from raftsim.core.quorum import committed_index
from raftsim.core.raft import Raft
from raftsim.mutants.mutant import mutant, replace


@mutant(
    "B24",
    "an entry of an older term committed by counting",
    source="Raft section 5.4.2, Figure 8; nebula#685",
    needs=("crash", "hold"),
    judge="commit quorum",
)
def commit_prior_term() -> None:
    """A leader takes an entry of an earlier term for committed because a majority has it. A server that never had the
    entry can still be elected and overwrite it.
    """

    def advance(raft: Raft, _: float) -> None:
        copies = {id: progress.match for id, progress in raft.progress.items()} | {raft.id: raft.durable.index}
        index = committed_index(raft.config.voters, (), copies)
        raft.commit_to(max(raft.commit, min(index or 0, raft.durable.index)))

    replace(replication, "advance_commit", advance)
