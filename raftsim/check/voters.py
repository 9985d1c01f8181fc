"""Only voters stand for election, and only voters elect (dissertation 4.2.1): a majority of each half, if joint.

A vote belongs to one incarnation of a server.
"""

from __future__ import annotations

from typing import Any, Final

from raftsim.check.ghost import LEADER, Ghost, NodeGhost, incarnations

CANDIDATES: Final = ("pre-candidate", "candidate")


class VotersOnly:
    name = "voters only"

    def __init__(self, ghost: Ghost) -> None:
        self._ghost = ghost
        # (term, candidate's id) -> (id, incarnation) of those who granted
        self._granted: dict[tuple[int, str], set[tuple[str, int]]] = {}

    def on_send_vote_reply(self, _: NodeGhost, message: Any) -> str | None:
        if message.granted and not message.pre:
            self._granted.setdefault((message.term, message.dst), set()).add((message.src, message.incarnation))
        return None

    def on_role(self, node: NodeGhost, role: Any) -> str | None:
        if role.role in CANDIDATES:
            # One whose removal is not known to be committed may be needed, if its log alone holds it (4.2.2).
            _, committed = node.log.config_at(node.commit)
            configs = [committed, *(config for index, config in node.log.configs if index > node.commit)]
            if not any(self._has_vote(config, node) for config in configs if config is not None):
                return f"{node.name} stands for election in term {role.term} without being a voter"
        elif role.role == LEADER:
            return self._elected(node, role.term, role.leader)
        return None

    def _has_vote(self, config: Any, node: NodeGhost) -> bool:
        given = incarnations(config)
        voters = {(self._ghost.name(id), given[id]) for id in (*config.voters, *config.outgoing)}
        return (node.name, node.incarnation) in voters

    def _elected(self, node: NodeGhost, term: int, id: str) -> str | None:
        granted = {*self._granted.get((term, id), ())}
        if node.durable_hard == (term, id):
            granted.add((id, node.incarnation))
        if not node.halves:
            return f"{node.name} leads in term {term} without a configuration"
        given = incarnations(node.config)
        for voters in node.halves:
            votes = [self._ghost.name(voter) for voter in voters if (voter, given[voter]) in granted]
            if len(votes) * 2 <= len(voters):
                return f"{node.name} leads in term {term} with {len(votes)} of {len(voters)} votes ({', '.join(votes)})"
        return None
