"""Planted bugs of the autopilot: it removes what the others cannot do without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace as changed

from raftsim.machine.autopilot import AutopilotConfig
from raftsim.mutants.mutant import mutant, replace
from raftsim.mutants.scenes_autopilot import one_of_two_dead_comes_back, servers_die_one_by_one
from raftsim.node import autopilot
from raftsim.node.health import Health


@mutant(
    "B65",
    "more servers removed than the quorum can bear",
    source="Raft section 6; consul#4017 and #8118, raft-autopilot#55",
    needs=("crash",),
    judge="liveness",
    trap=one_of_two_dead_comes_back,
)
def dead_majority_removed() -> None:
    """The autopilot removes a dead server although most of the others are dead, too. The configuration without it is in
    force at once and cannot be committed. When that very server comes back, it is one too many to be counted, and the
    two that are alive cannot do what two of three could.
    """
    replace(autopilot, "_quorum_at_risk", lambda _: "")


@mutant(
    "B65",
    "servers removed below the least number",
    source="Nomad's MinQuorum; consul#5922",
    needs=("crash",),
    judge="quorum margin",
    trap=servers_die_one_by_one,
)
def min_quorum_ignored() -> None:
    """Servers die one after the other, and each is removed while the rest is still a majority. The cluster shrinks
    below the number that its operator wanted to keep, and when they are back, they have no vote to help it with.
    """
    still_needed = autopilot._still_needed

    def without_a_least(server: Health, config: AutopilotConfig, servers: Mapping[str, Health]) -> str:
        return still_needed(server, changed(config, min_quorum=0), servers)

    replace(autopilot, "_still_needed", without_a_least)
