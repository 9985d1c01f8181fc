"""Messages tell the truth: a server speaks for itself, in no term it has not reached, and only a leader leads."""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import LEADER, Ghost, NodeGhost


class MessageSanity:
    name = "message sanity"

    def __init__(self, ghost: Ghost) -> None:
        self._ghost = ghost
        self._led: dict[int, str] = {}  # term -> who was seen to lead in it

    def on_role(self, node: NodeGhost, role: Any) -> str | None:
        if role.role == LEADER:
            self._led.setdefault(role.term, node.name)
        return None

    def on_send_vote(self, node: NodeGhost, message: Any) -> str | None:
        return self._sent(node, message, node.term + 1 if message.pre else node.term)

    def on_send_vote_reply(self, node: NodeGhost, message: Any) -> str | None:
        # A granted pre-vote carries the term that was asked for, which the voter has not entered.
        return self._sent(node, message, message.term if message.pre else node.term)

    def on_send_append_reply(self, node: NodeGhost, message: Any) -> str | None:
        return self._sent(node, message, node.term)

    on_send_install_reply = on_send_append_reply

    def on_send_append(self, node: NodeGhost, message: Any) -> str | None:
        term = message.term
        if message.commit > node.commit:
            return f"{node.name} told of commit index {message.commit}; its own is {node.commit}"
        if node.role == LEADER and node.term == term and node.log.term_at(message.prev_index) != message.prev_term:
            return (
                f"{node.name} sent entries after index {message.prev_index} of term {message.prev_term}; "
                f"its own log has term {node.log.term_at(message.prev_index)} there"
            )
        return self._led_by(node, message, "sent entries")

    def on_send_install(self, node: NodeGhost, message: Any) -> str | None:
        if message.meta.index > node.commit:
            return f"{node.name} sent a snapshot at index {message.meta.index}; its commit index is {node.commit}"
        return self._led_by(node, message, "sent a snapshot")

    def on_send_timeout_now(self, node: NodeGhost, message: Any) -> str | None:
        return self._led_by(node, message, "handed leadership over")

    def _led_by(self, node: NodeGhost, message: Any, did: str) -> str | None:
        if self._led.get(message.term) != node.name:
            return f"{node.name} {did} in term {message.term}, in which it does not lead"
        return self._sent(node, message, node.term)

    def _sent(self, node: NodeGhost, message: Any, reached: int) -> str | None:
        if message.term > reached:
            return f"{node.name} spoke in term {message.term}; it has reached term {node.term}"
        if self._ghost.name(message.src) != node.name:
            return f"{node.name} spoke in the name of {self._ghost.name(message.src)}"
        return None
