"""Membership changes (dissertation chapter 4): at every step, the old and the new majorities overlap.

A change alters one voter, or enters or leaves a joint configuration; the configuration in force is the last one in
the log; a leader begins a change only when the one before is committed, and an entry of its own term too (the bug of
2015).
"""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import LEADER, Ghost, NodeGhost


class ConfigurationSafety:
    name = "configuration safety"

    def __init__(self, ghost: Ghost) -> None:
        self._ghost = ghost

    def on_config(self, node: NodeGhost, config: Any) -> str | None:
        if node.role != LEADER:
            return None
        if node.config_index > node.commit:
            return (
                f"{node.name} began a change at index {config.index} "
                f"while the one at index {node.config_index} is not committed"
            )
        if node.log.term_at(node.commit) != node.term:
            return (
                f"{node.name} began a change at index {config.index} "
                f"before it had committed an entry of its term {node.term}"
            )
        return None

    def on_write(self, node: NodeGhost, _: Any) -> str | None:
        change = self._ghost.change
        if not change.first_index:
            return None
        last, before = node.log.config_at(change.first_index - 1)
        for last, config in change.configs:
            if before is not None and not overlap(before, config):
                return f"{node.name} took the configuration at index {last}; majorities of it and the last may not meet"
            before = config
        return self._last_in_force(node, last)

    def on_restore(self, node: NodeGhost, _: Any) -> str | None:
        return self._last_in_force(node, node.log.config_at(node.log.last)[0])

    def _last_in_force(self, node: NodeGhost, last: int) -> str | None:
        if last != node.config_index:
            return f"{node.name} goes by the configuration at index {node.config_index}; its log has one at {last}"
        return None


def overlap(old: Any, new: Any) -> bool:
    """Whether every decision under `old` shares a voter with every decision under `new`."""
    if old.outgoing and new.outgoing:
        return bool(old.voters == new.voters and old.outgoing == new.outgoing)
    if new.outgoing:
        return bool(new.outgoing == old.voters)
    if old.outgoing:
        return bool(new.voters == old.voters)
    return len(set(old.voters) ^ set(new.voters)) <= 1
