"""Planted bugs of leadership transfer."""

from __future__ import annotations

from typing import Any

from raftsim.core import election, replication, transfer
from raftsim.core.entry import COMMAND, Entry
from raftsim.core.messages import TimeoutNow
from raftsim.core.raft import Raft
from raftsim.mutants.mutant import mutant, replace
from raftsim.mutants.scenes_transfer import (
    to_a_learner,
    to_one_that_died,
    to_one_that_lags,
    writes_meanwhile,
)


@mutant(
    "B18",
    "leadership handed to a server without a vote",
    source="Raft dissertation sections 3.10 and 4.2.1; hashicorp/raft#398",
    needs=("membership",),
    judge="leadership transfer",
    trap=to_a_learner,
)
def transfer_to_non_voter() -> None:
    """A leader hands over to any member that an operator names. A server that was added to learn only is told to stand
    for election.
    """
    begin = transfer.begin

    def to_anybody(raft: Raft, target: str | None, now: float) -> str:
        if target is None or target not in raft.progress or raft.transfer_target is not None:
            return begin(raft, target, now)
        raft.transfer_target = target
        raft.transfer_deadline = now + raft.settings.election_timeout_max_s
        transfer.nudge(raft)
        return target

    replace(transfer, "begin", to_anybody)


@mutant(
    "B20",
    "writes accepted while leadership is handed over",
    source="Raft dissertation section 3.10 (no requests are accepted meanwhile); hashicorp/raft#487, #570 and #581",
    needs=("transfer", "hold"),
    judge="leadership transfer",
    trap=writes_meanwhile,
)
def writes_during_transfer() -> None:
    """A leader takes commands while it hands over. They reach a log that the target was told is complete: its election
    fails for lack of them, or they are lost to the clients that wait for them.
    """
    propose = Raft.propose

    def eager(raft: Raft, data: bytes, kind: int = COMMAND) -> tuple[int, int]:
        if raft.transfer_target is None:
            return propose(raft, data, kind)
        return replication.append_own(raft, Entry(raft.term, kind, data)), raft.term

    replace(Raft, "propose", eager)


@mutant(
    "B20",
    "told to stand without a look at the log",
    source="Raft dissertation section 3.10 (the target's log is brought up to date first); hashicorp/raft#487",
    needs=("transfer", "hold"),
    judge="leadership transfer",
    trap=to_one_that_lags,
)
def told_to_stand_too_early() -> None:
    """A leader tells the target at once to stand for election. One whose log is behind cannot be elected: the leader
    is deposed by its term, and the cluster waits for an election timeout.
    """

    def blind(raft: Raft) -> None:
        if raft.transfer_target is not None:
            raft.told_to_stand = True
            raft.send(TimeoutNow(raft.term, raft.id, raft.transfer_target))

    replace(transfer, "nudge", blind)


@mutant(
    "B15",
    "every candidate asks by force",
    source="Raft dissertation sections 4.2.3 and 3.10 (only who was told to stand may disrupt a leader)",
    needs=("clock",),
    judge="leadership transfer",
)
def force_without_a_word() -> None:
    """Every request for votes says that the leader wished it. That overrides the loyalty of those who hear a leader, so
    any server whose timer runs out too early deposes it, and leases hold nobody.
    """
    ask: Any = election._ask

    def forceful(raft: Raft, now: float, term: int, *, pre: bool, force: bool = False) -> None:
        ask(raft, now, term, pre=pre, force=force or not pre)

    replace(election, "_ask", forceful)


@mutant(
    "B21",
    "a transfer is never given up",
    source="Raft dissertation section 3.10 (ends in an election timeout); etcd#4916; raft-rs#144; hashicorp/raft#413",
    needs=("transfer", "crash"),
    judge="liveness",
    trap=to_one_that_died,
)
def transfer_never_given_up() -> None:
    """A leader waits for ever for the target to take over, and accepts no commands meanwhile. If the target is dead the
    cluster has a leader and serves nobody.
    """
    replace(transfer, "expire", lambda *_: None)
