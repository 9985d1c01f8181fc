"""Nothing is promised before it is durable (paper Figure 2): votes, acknowledgements, and what a candidate claims."""

from __future__ import annotations

from typing import Any, Final

from raftsim.check.ghost import Ghost, NodeGhost

CANDIDATE: Final = "candidate"


class DurableBeforeSend:
    name = "durable before send"

    def __init__(self, ghost: Ghost) -> None:
        self._ghost = ghost

    def on_send_vote(self, node: NodeGhost, message: Any) -> str | None:
        if message.pre or node.role != CANDIDATE or node.term != message.term:
            return None  # a late request of an election that is over misleads nobody
        if node.durable_hard != (message.term, message.src):
            return f"{node.name} asked for votes in term {message.term} before its own vote was durable"
        if node.durable_log.term_at(message.last_index) != message.last_term:
            return (
                f"{node.name} asked for votes in term {message.term} with a log up to index {message.last_index} "
                f"of term {message.last_term} that was not durable"
            )
        return None

    def on_send_vote_reply(self, node: NodeGhost, message: Any) -> str | None:
        if message.pre or not message.granted:
            return None
        term, vote = node.durable_hard
        if term > message.term or (term == message.term and vote == message.dst):
            return None
        candidate = self._ghost.name(message.dst)
        return f"{node.name} told {candidate} of its vote in term {message.term} before the vote was durable"

    def on_send_append_reply(self, node: NodeGhost, message: Any) -> str | None:
        if not message.ok or message.term != node.term or node.durable_log.agrees(node.log, message.index):
            return None
        return self._acknowledged(node, message)

    def on_send_install_reply(self, node: NodeGhost, message: Any) -> str | None:
        committed = self._ghost.committed
        if not message.done or message.term != node.term or node.durable_log.agrees(committed, message.index):
            return None
        return self._acknowledged(node, message)

    def _acknowledged(self, node: NodeGhost, message: Any) -> str:
        leader = self._ghost.name(message.dst)
        return f"{node.name} acknowledged index {message.index} to {leader} before it was durable"
