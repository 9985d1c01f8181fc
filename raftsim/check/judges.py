"""All invariants at once, over one stream of events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from raftsim.check.append_only import LeaderAppendOnly
from raftsim.check.bounded import BoundedQueues
from raftsim.check.commit_durable import CommittedIsDurable
from raftsim.check.commit_immutable import CommittedImmutable
from raftsim.check.commit_quorum import CommitQuorum
from raftsim.check.configurations import ConfigurationSafety
from raftsim.check.durability import Durability
from raftsim.check.durable_before_send import DurableBeforeSend
from raftsim.check.election_safety import ElectionSafety
from raftsim.check.equal_snapshots import EqualSnapshots
from raftsim.check.ghost import Ghost, Limits, NodeGhost
from raftsim.check.leader_completeness import LeaderCompleteness
from raftsim.check.log_matching import LogMatching
from raftsim.check.messages import MessageSanity
from raftsim.check.no_exception import NoException
from raftsim.check.one_vote import OneVotePerTerm
from raftsim.check.ordering import Ordering
from raftsim.check.reads import ReadIndex
from raftsim.check.restored import RestoredAsWritten
from raftsim.check.snapshots_committed import SnapshotsCommitted
from raftsim.check.state_machine_safety import StateMachineSafety
from raftsim.check.transfer import LeadershipTransfer
from raftsim.check.up_to_date import UpToDateVotes
from raftsim.check.violation import Violation
from raftsim.check.voters import VotersOnly
from raftsim.trace.events import SEND, START, TOLD_BY_NODE, TOLD_BY_WORLD, WRITE, Event

INVARIANTS: tuple[type[Any], ...] = (
    ElectionSafety,
    OneVotePerTerm,
    LeaderAppendOnly,
    LogMatching,
    LeaderCompleteness,
    StateMachineSafety,
    CommitQuorum,
    CommittedIsDurable,
    CommittedImmutable,
    Ordering,
    ConfigurationSafety,
    VotersOnly,
    UpToDateVotes,
    DurableBeforeSend,
    MessageSanity,
    LeadershipTransfer,
    ReadIndex,
    SnapshotsCommitted,
    EqualSnapshots,
    RestoredAsWritten,
    Durability,
    BoundedQueues,
    NoException,
)
# What any of them, or the ghost, has a method for; sent messages are told apart by their types.
KINDS = tuple(
    kind
    for kind in TOLD_BY_NODE + TOLD_BY_WORLD
    if any(hasattr(listener, f"on_{kind}") for listener in (*INVARIANTS, Ghost))
)
MESSAGES = {
    "Vote": "vote",
    "VoteReply": "vote_reply",
    "Append": "append",
    "AppendReply": "append_reply",
    "Install": "install",
    "InstallReply": "install_reply",
    "TimeoutNow": "timeout_now",
}

Check = Callable[[NodeGhost, Any], str | None]
Update = Callable[[NodeGhost, Any], None]
Steps = tuple[Update | None, tuple[tuple[str, Check], ...], Update | None]


class Judges:
    """Give every event, in order, to `observe`; read `violations`.

    An invariant is a class with a method `on_<kind>` for each kind of event it needs (`on_send_<message>` for sent
    messages). It sees the event before the ghost takes it in, and returns a sentence if the event breaks it. `names`
    maps ids to the names of servers in events, where they differ. `invariants`: those that are watched; `Durability`
    has to be among them. `limits`: what queues are bounded by.
    """

    kinds = (*KINDS, SEND)

    def __init__(
        self,
        names: Mapping[str, str] | None = None,
        invariants: Sequence[type[Any]] = INVARIANTS,
        limits: Limits | None = None,
    ) -> None:
        self.ghost = Ghost(names, limits)
        self.violations: list[Violation] = []
        watching = [invariant(self.ghost) for invariant in invariants]
        self.durability = next(found for found in watching if isinstance(found, Durability))
        prepare: dict[str, Update] = {WRITE: self.ghost.prepare_write, START: self.ghost.prepare_start}
        # By kind of event, or by the type's name of a sent message: what comes before the checks, they, and after them.
        self._steps: dict[str, Steps] = {
            kind: (prepare.get(kind), _checks(watching, f"on_{kind}"), getattr(self.ghost, f"on_{kind}", None))
            for kind in KINDS
        }
        for name, suffix in MESSAGES.items():
            self._steps[name] = None, _checks(watching, f"on_send_{suffix}"), None

    def observe(self, event: Event) -> None:
        """Judge one event. Its subject is only read."""
        kind, subject = event.kind, event.subject
        steps = self._steps.get(kind if kind != SEND else type(subject).__name__)
        if steps is None:
            return
        prepare, checks, update = steps
        node = self.ghost.nodes.get(event.node) or self.ghost.node(event.node)
        if prepare is not None:
            prepare(node, subject)
        for name, check in checks:
            sentence = check(node, subject)
            if sentence is not None:
                self.violations.append(Violation(name, event.time, event.node, sentence))
        if update is not None:
            update(node, subject)


def _checks(invariants: list[Any], method: str) -> tuple[tuple[str, Check], ...]:
    return tuple((found.name, getattr(found, method)) for found in invariants if hasattr(found, method))
