"""From YAML to the settings of all servers: those of the core and of the node, by their names.

A time is called without the `_s` of its name, since a duration says its unit itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, Final

from raftsim.core.settings import Settings
from raftsim.node.settings import NodeSettings
from raftsim.scenario.fields import Field
from raftsim.scenario.model import Cluster

ELSEWHERE: Final = (  # keys of `cluster`
    "election_timeout_min_s",
    "election_timeout_max_s",
    "heartbeat_interval_s",
    "pre_vote",
    "check_quorum",
)
MAX_NUMBER: Final = 1 << 40


def settings(field: Field, cluster: Cluster) -> Cluster:
    """The cluster with these settings. Raises Mistake, also for settings that contradict each other."""
    block = field.block("'settings'", SETTINGS)
    changes: dict[type, dict[str, Any]] = {Settings: {}, NodeSettings: {}}
    for key, (of, name, read) in SETTINGS.items():
        value = block.get(key, read, None)
        if value is not None:
            changes[of][name] = value
    try:
        return replace(
            cluster,
            settings=replace(cluster.settings, **changes[Settings]),
            node_settings=replace(cluster.node_settings, **changes[NodeSettings]),
            settings_given=tuple(block.entries),
        )
    except ValueError as error:
        raise field.problem(str(error)) from None


def _reader(name: str, default: object) -> Callable[[Field], Any]:
    if isinstance(default, bool):
        return Field.boolean
    if name.endswith("_s"):
        return Field.duration_s
    if isinstance(default, float):
        return Field.share
    return lambda field: field.integer(0 if name == "trailing_entries" else 1, MAX_NUMBER)


SETTINGS: Final = {
    setting.name.removesuffix("_s"): (of, setting.name, _reader(setting.name, setting.default))
    for of in (Settings, NodeSettings)
    for setting in fields(of)
    if setting.name not in ELSEWHERE
}
