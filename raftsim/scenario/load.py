"""From a file to a `Scenario`, or to all that is wrong with it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from raftsim.core.settings import Settings
from raftsim.scenario import names, selectors
from raftsim.scenario.fields import Field
from raftsim.scenario.model import Cluster, Disks, Network, Scenario
from raftsim.scenario.names import Names
from raftsim.scenario.problems import BadScenario, Mistake, Problem
from raftsim.scenario.read_conditions import conditions
from raftsim.scenario.read_disks import disks
from raftsim.scenario.read_network import network
from raftsim.scenario.read_settings import settings
from raftsim.scenario.read_steps import steps

KEYS = ("name", "about", "paper", "violates", "cluster", "settings", "network", "disks", "steps", "expect")
CLUSTER_KEYS = ("nodes", "heartbeat", "election", "prevote", "check_quorum", "raft_protocol")
MAX_BYTES = 256 << 10
MAX_DEPTH = 16
MAX_NODES = 9
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
ZONE = re.compile(r"[a-z0-9]{1,16}")


def load(file: str) -> Scenario:
    """Read a scenario. Raises BadScenario for anything that is wrong with the file or in it."""
    try:
        if os.stat(file).st_size > MAX_BYTES:
            raise BadScenario(file, [Problem(1, 1, f"larger than {MAX_BYTES >> 10} KiB")])
        text = Path(file).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadScenario(file, [Problem(1, 1, f"not UTF-8 text: {error.reason} at byte {error.start}")]) from None
    except OSError as error:
        raise BadScenario(file, [Problem(1, 1, f"cannot be read: {error.strerror}")]) from None
    return parse(text, file)


def parse(text: str, file: str) -> Scenario:
    """The scenario in `text`. `file` is for messages. Raises BadScenario."""
    noted: list[Problem] = []
    try:
        scenario = _scenario(_document(text, noted), file, text)
    except Mistake as mistake:
        raise BadScenario(file, [*noted, mistake.problem]) from None
    if noted:
        raise BadScenario(file, noted)
    return scenario


def _document(text: str, noted: list[Problem]) -> Field:
    """The root of the one YAML document in `text`. Raises Mistake."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    def yaml() -> Any:
        return YAML(typ="safe", pure=True)

    try:
        _check_shape(yaml().parse(text))
        root = yaml().compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _mistake(mark, f"not YAML: {error.problem or error.context}") from None
    except YAMLError as error:
        raise Mistake(Problem(1, 1, f"not YAML: {str(error).splitlines()[0]}")) from None
    if root is None:
        raise Mistake(Problem(1, 1, "the file is empty"))
    return Field(root, noted)


def _check_shape(events: Any) -> None:
    """Refuse what could make a small file large or deep."""
    from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

    depth = 0
    for event in events:
        if isinstance(event, AliasEvent):
            raise _mistake(event.start_mark, "a scenario has no aliases; write it out")
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _mistake(event.start_mark, f"nested more than {MAX_DEPTH} deep")


def _mistake(mark: Any, text: str) -> Mistake:
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    return Mistake(Problem(line + 1, column + 1, text))


def _scenario(root: Field, file: str, text: str) -> Scenario:
    block = root.block("a scenario", KEYS)
    cluster = block.get("cluster", _cluster, Cluster())
    cluster = block.get("settings", lambda field: settings(field, cluster), cluster)
    known = Names(cluster.names)
    return Scenario(
        file=file,
        text=text,
        name=block.need("name", _name, ""),
        about=" ".join(block.get("about", Field.text, "").split()),
        paper=block.get("paper", Field.text, ""),
        violates=block.get("violates", Field.text, ""),
        cluster=cluster,
        network=block.get("network", lambda field: network(field, set(cluster.zone_of.values())), Network()),
        disks=block.get("disks", disks, Disks()),
        steps=block.need("steps", lambda field: steps(field, known), ()),
        # Read last: by then every name is bound.
        expect=block.get("expect", lambda field: conditions(field, known, acked=True), ()),
    )


def _name(field: Field) -> str:
    name = field.text()
    if not NAME.fullmatch(name):
        raise field.problem(f"a scenario's name is made of a-z, 0-9 and '-', got {field.show()}")
    return name


def _cluster(field: Field) -> Cluster:
    block = field.block("'cluster'", CLUSTER_KEYS)
    default = Settings()
    election = block.get("election", Field.durations, (default.election_timeout_min_s, default.election_timeout_max_s))
    heartbeat = block.get("heartbeat", Field.duration_s, min(default.heartbeat_interval_s, election[0] / 5))
    servers, zone_of = block.get("nodes", _nodes, (Cluster().names, {}))
    try:
        times = Settings(
            election_timeout_min_s=election[0],
            election_timeout_max_s=election[1],
            heartbeat_interval_s=heartbeat,
            pre_vote=block.get("prevote", Field.boolean, default.pre_vote),
            check_quorum=block.get("check_quorum", Field.boolean, default.check_quorum),
        )
    except ValueError:
        raise field.problem("the heartbeat must be shorter than the shortest election timeout") from None
    return Cluster(servers, zone_of, block.get("raft_protocol", lambda value: value.integer(2, 3), 2), times)


def _nodes(field: Field) -> tuple[tuple[str, ...], dict[str, str]]:
    """The servers, and the zones of those that are in one: a number, or a list such as `[{id: n1, zone: eu}]`."""
    if not field.is_sequence:
        return Cluster.numbered(field.integer(1, MAX_NODES)), {}
    zone_of: dict[str, str] = {}
    servers: list[str] = []
    for item in field.items("'nodes'"):
        block = item.block("a server", ("id", "zone"))
        name = block.need("id", _server, "")
        if name in servers:
            block.entries["id"][1].note(f"{name!r} is there twice")
        servers.append(name)
        zone = block.get("zone", _zone, None)
        if zone is not None:
            zone_of[name] = zone
    if not 1 <= len(servers) <= MAX_NODES:
        raise field.problem(f"expected 1 to {MAX_NODES} servers, got {len(servers)}")
    return tuple(servers), zone_of


def _server(field: Field) -> str:
    name = field.text()
    if not names.NAME.fullmatch(name) or name in selectors.WORDS:
        raise field.problem(f"a server's name begins with a letter and means nothing else, got {field.show()}")
    return name


def _zone(field: Field) -> str:
    zone = field.text()
    if not ZONE.fullmatch(zone):
        raise field.problem(f"a zone's name is made of a-z and 0-9, got {field.show()}")
    return zone
