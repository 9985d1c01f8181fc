"""Leadership transfer (dissertation 3.10): a leader tells a voter whose log is complete to stand for election at once.

From then on nothing new enters the leader's log, until the transfer is over. Votes with `force` are for those who were
told to stand, and for nobody else.
"""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import LEADER, Ghost, NodeGhost, incarnations


class LeadershipTransfer:
    name = "leadership transfer"

    def __init__(self, ghost: Ghost) -> None:
        self._ghost = ghost
        self._told: set[tuple[str, int]] = set()  # (server, term in which it was told to stand)
        self._asked: set[tuple[str, int]] = set()  # (server, number of a request to transfer leadership)
        self._handing_over: dict[str, int] = {}  # leader -> its term
        self._wrote: dict[str, int] = {}  # leader -> index it wrote meanwhile, unless its turn ends the transfer

    def on_request(self, node: NodeGhost, asked: Any) -> str | None:
        number, request = asked
        if type(request).__name__ == "TransferLeadership":
            self._asked.add((node.name, number))
        return None

    def on_outcome(self, node: NodeGhost, answered: Any) -> str | None:
        number, outcome = answered
        if (node.name, number) in self._asked:
            self._asked.discard((node.name, number))
            if outcome.reason != "transferring":  # which says that another one is not over
                self._over(node)
        return None

    def on_role(self, node: NodeGhost, role: Any) -> str | None:
        if role.role != LEADER:
            self._over(node)
        return None

    def on_start(self, node: NodeGhost, _: Any) -> str | None:
        self._over(node)
        return None

    def _over(self, node: NodeGhost) -> None:
        self._handing_over.pop(node.name, None)
        self._wrote.pop(node.name, None)

    def on_write(self, node: NodeGhost, _: Any) -> str | None:
        change = self._ghost.change
        if change.first_index and self._handing_over.get(node.name) == node.term:
            # The transfer may have failed in this very turn, of which the outcome tells at its end.
            self._wrote.setdefault(node.name, change.first_index)
        return None

    def on_synced(self, node: NodeGhost, _: Any) -> str | None:
        index = self._wrote.pop(node.name, 0)
        return f"{node.name} was handing leadership over in term {node.term} and wrote index {index}" if index else None

    def on_send_timeout_now(self, node: NodeGhost, message: Any) -> str | None:
        target = self._ghost.node(self._ghost.name(message.dst))
        self._told.add((target.name, message.term))
        if node.role != LEADER or node.term != message.term:
            return None  # a late word of a leader that was; who may say it at all is judged elsewhere
        self._handing_over[node.name] = node.term
        if not any(message.dst in voters for voters in node.halves):
            return f"{node.name} told {target.name}, which is not a voter, to stand for election"
        # One that has gone on to a later term will not listen, nor one whose disk was lost meanwhile.
        held = target.held(incarnations(node.config)[message.dst])
        if target.term <= node.term and not any(log.agrees(node.log, node.log.last) for log in held):
            return (
                f"{node.name} told {target.name} to stand for election, whose log ends at index "
                f"{target.durable_log.last}; its own goes to {node.log.last}"
            )
        return None

    def on_send_vote(self, node: NodeGhost, message: Any) -> str | None:
        if message.force and (message.pre or (node.name, message.term - 1) not in self._told):
            return f"{node.name} asked for votes with force in term {message.term}; nobody told it to stand"
        return None
