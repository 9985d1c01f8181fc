"""Planted bugs that keep a cluster from having a leader, or from having one that can work."""

from __future__ import annotations

from typing import Any

from raftsim.core import election, replication
from raftsim.core.durable import Durable
from raftsim.core.log import Log
from raftsim.core.messages import Append, Vote
from raftsim.core.output import PRE_CANDIDATE
from raftsim.core.raft import Raft
from raftsim.mutants.mutant import mutant, replace
from raftsim.mutants.scenes_elections import ties


@mutant(
    "B07",
    "a log must be newer in both term and length",
    source="Raft section 5.4.1; openraft before a48a3282",
    needs=("crash", "hold"),
    judge="liveness",
)
def newer_in_both_gets_the_vote() -> None:
    """A voter wants a last term and a last index that are both at least its own. Of two logs one may be longer and the
    other of a later term: then neither server gets the vote of the other, for ever.
    """

    def both(log: Log, last_index: int, last_term: int) -> bool:
        return last_term >= log.last_term and last_index >= log.last_index

    replace(Log, "is_up_to_date", both)


@mutant(
    "B08",
    "the election timeout drawn once",
    source="Raft section 5.2 (each candidate restarts its randomized timeout); openraft#1838; fluree/db#1845",
    judge="liveness",
    trap=ties,
)
def timeout_drawn_once() -> None:
    """A server draws its election timeout when it starts, in ticks of 10 ms as many do, and keeps it. Two that drew the
    same stand at the same time in one election after the other, and split the votes every time.
    """

    def rest(raft: Raft, now: float) -> None:
        shortest, longest = raft.settings.election_timeout_min_s, raft.settings.election_timeout_max_s
        drawn_s = vars(raft).setdefault("drawn_s", round(raft.rng.uniform(shortest, longest), 2))
        raft.election_deadline = now + drawn_s

    replace(election, "rest", rest)


@mutant(
    "B09",
    "the election timer reset by any message",
    source="Raft section 5.2, Figure 2 (rules for followers); miniraft-cpp#28; raft-rs#14; dotNext#89",
    needs=("crash", "partition", "clock"),
    judge="liveness",
)
def timer_reset_by_anything() -> None:
    """A server begins its timeout anew with every request, also when it refuses the vote or the term is over. One that
    asks often and can never be elected keeps quiet the only one that could.
    """

    def patiently(handler: Any) -> Any:
        def handle(raft: Raft, message: Any, now: float) -> None:
            handler(raft, message, now)
            election.rest(raft, now)

        return handle

    replace(election, "on_vote", patiently(election.on_vote))
    replace(replication, "on_append", patiently(replication.on_append))


@mutant(
    "B12",
    "requests of a lower term dropped without an answer",
    source="Raft section 5.1 (a reply says which term it is); etcd#8243 and #8501; openraft#1796; canonical/raft#142",
    needs=("crash", "hold"),
    judge="liveness",
)
def lower_terms_dropped() -> None:
    """What is of a lower term is ignored. With pre-vote nobody learns of a higher term by itself: a server with the
    longer log and a lower term asks for ever and is not heard, and its own log keeps it from voting for the others.
    """

    def deaf(handler: Any) -> Any:
        def handle(raft: Raft, message: Vote | Append, now: float) -> None:
            if message.term >= raft.term:
                handler(raft, message, now)

        return handle

    replace(election, "on_vote", deaf(election.on_vote))
    replace(replication, "on_append", deaf(replication.on_append))


@mutant(
    "B13",
    "the leader not forgotten by who asks for pre-votes",
    source="Raft dissertation sections 9.6 and 4.2.3; raft-rs#84; etcd#10355",
    needs=("crash",),
    judge="liveness",
)
def leader_kept_by_pre_candidate() -> None:
    """A server that has given up on its leader goes on naming it while it asks for pre-votes, and whoever names a
    leader helps nobody to replace it. When the leader is dead, all refuse each other.
    """
    become = Raft.become

    def loyal(raft: Raft, role: str, *, leader: str | None) -> None:
        become(raft, role, leader=raft.leader if role == PRE_CANDIDATE else leader)

    replace(Raft, "become", loyal)
    replace(election, "_sticky", lambda raft, _: raft.settings.stickiness and raft.leader is not None)


@mutant(
    "B15",
    "a server that was removed deposes leaders",
    source="Raft dissertation section 4.2.3; etcd#9241; hashicorp/raft#524, #525 and #526",
    needs=("partition", "membership"),
    judge="expectation",
)
def nobody_is_loyal() -> None:
    """Servers that hear a leader take over the higher term of anybody who asks for votes. A server that was removed
    while it was cut off asks for ever, and every time the leader has to be elected again.
    """
    replace(election, "_sticky", lambda *_: False)


@mutant(
    "B16",
    "a leader without a quorum stays",
    source="Raft dissertation section 6.2 (check quorum); openraft#2079 and #2080; jgroups-raft#211",
    needs=("crash", "partition"),
    judge="liveness",
)
def leader_without_quorum_stays() -> None:
    """A leader does not notice that no majority answers it. Whoever still hears it stays loyal, and without them a
    majority that is well connected elects nobody.
    """
    keeps_quorum = election.keeps_quorum

    def stays(raft: Raft, now: float) -> bool:
        stalled = raft.durable.stalled(now) > raft.settings.election_timeout_max_s
        return not stalled or keeps_quorum(raft, now)

    replace(election, "keeps_quorum", stays)


@mutant(
    "B17",
    "a leader whose disk hangs stays",
    source="hashicorp/raft#503, #612 and #666; cockroach#23734; tarantool#9399; etcd#7617",
    needs=("disk stall",),
    judge="liveness",
)
def leader_with_stuck_disk_stays() -> None:
    """Heartbeats need no disk. A leader whose disk hangs keeps all others quiet with them, while nothing can be
    committed.
    """
    replace(Durable, "stalled", lambda *_: 0.0)
