"""Planted bugs of servers that lost their disk and kept their name."""

from __future__ import annotations

from raftsim.core import membership
from raftsim.core.config import Config
from raftsim.core.entry import Restored
from raftsim.core.founding import Founding
from raftsim.core.raft import Raft
from raftsim.mutants.mutant import mutant, replace

SOURCE = "Raft Figure 2 (persistent state); etcd#3504, braft#292, openraft#2002, nexus#3939"


@mutant(
    "B44", "the vote of a wiped server counts", source=SOURCE, needs=("wipe", "partition"), judge="leader completeness"
)
def wiped_server_votes() -> None:
    """The vote belongs to the name of a server, not to the disk that remembers. A server that was wiped has forgotten
    what it acknowledged, and elects one that never had it.
    """
    replace(Config, "has_vote", lambda config, id, _: config.is_voter(id))


@mutant(
    "B44",
    "a wiped server begins as if it were new",
    source=SOURCE,
    needs=("wipe", "partition"),
    judge="leader completeness",
)
def wiped_server_founds() -> None:
    """A server that finds its disk empty takes itself for one of the first, without asking whether the others have met
    it before. It votes again in terms in which it has voted, for logs it would have refused.
    """
    begin = Founding.__init__

    def alone(founding: Founding, restored: Restored, id: str, now: float) -> None:
        begin(founding, restored, id, now)
        founding.asks = ()

    replace(Founding, "__init__", alone)


@mutant("B44", "the copies of a wiped server count", source=SOURCE, needs=("wipe", "partition"), judge="commit quorum")
def wiped_server_counts() -> None:
    """A leader goes on counting what a wiped voter acknowledges, as if it still had all the rest. With the vote of the
    lost disk still on its way to somebody, the same name would stand for two majorities.
    """

    def judge(_: Raft, __: str, ___: float) -> None: ...

    replace(membership, "_judge", judge)
