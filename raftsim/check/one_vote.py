"""One vote per term (paper 5.2): a server votes at most once in a term, however often it restarts in between.

A server whose disk was wiped is another one; so is one that speaks as another incarnation.
"""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import Ghost, NodeGhost


class OneVotePerTerm:
    name = "one vote per term"

    def __init__(self, ghost: Ghost) -> None:
        self._ghost = ghost
        # (voter, its how manieth disk or which incarnation, term) -> id; known to others or durable
        self._votes: dict[tuple[str, str, int], str] = {}

    def on_write(self, node: NodeGhost, _: Any) -> str | None:
        hard = self._ghost.change.hard
        term, vote = node.hard
        if hard is not None and vote is not None and hard[0] == term and hard[1] != vote:
            return self._twice(node, term, vote, hard[1])
        return None

    def on_start(self, node: NodeGhost, restored: Any) -> str | None:
        return self._voted(node, restored.hard.term, restored.hard.vote) if restored.hard.vote is not None else None

    def on_send_vote(self, node: NodeGhost, message: Any) -> str | None:
        return None if message.pre else self._voted(node, message.term, message.src)

    def on_send_vote_reply(self, node: NodeGhost, message: Any) -> str | None:
        return self._voted(node, message.term, message.dst) if message.granted and not message.pre else None

    def _voted(self, node: NodeGhost, term: int, vote: str) -> str | None:
        for who in (f"disk {len(node.lost)}", f"incarnation {node.incarnation}"):
            first = self._votes.setdefault((node.name, who, term), vote)
            if first != vote:
                return self._twice(node, term, first, vote)
        return None

    def _twice(self, node: NodeGhost, term: int, first: str, second: str | None) -> str:
        name = self._ghost.name
        return f"{node.name} voted for {name(first)} and then for {name(second)} in term {term}"
