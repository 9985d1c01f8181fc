"""The page of limits has all of them, with their values."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import raftsim
from raftsim.agent import logs, main, metrics, recovery, schema
from raftsim.cli import client, items, shrink, sweep
from raftsim.client.settings import ClientSettings
from raftsim.cluster import node as cluster_node
from raftsim.core.settings import Settings
from raftsim.http import body, connection, head, members
from raftsim.http import server as http
from raftsim.http.server import HttpServer
from raftsim.live import complaints, listener
from raftsim.live.limits import RpcLimits
from raftsim.machine import locks, variables, varstate
from raftsim.node import measures, presence, restore
from raftsim.node import server as node
from raftsim.node.settings import NodeSettings
from raftsim.storage import snapshots
from raftsim.storage.wal import WalSettings
from raftsim.sweep import state, tally
from raftsim.trace import causes, file
from raftsim.wire import handshake
from tests.docs.tables import REFERENCE, tables

PAGE = REFERENCE / "limits.md"
SECTIONS = (
    "Times of the protocol",
    "Replication",
    "Snapshots",
    "Requests",
    "HTTP",
    "Variables",
    "Locks",
    "Links between servers",
    "Python client",
    "Disk",
    "Clusters, files and commands",
)
UNITS = {"s": 1, "KiB": 1 << 10, "MiB": 1 << 20}
CONSTANTS: dict[str, float] = {
    "snapshots kept": snapshots.KEPT,
    "bytes of a state that an operator brings back": restore.MAX_BYTES,
    "entries from the first step of that to the last": restore.MAX_ENTRIES,
    "members remembered by name": node.MAX_SEEN,
    "times of its disk, and of each follower, that a server remembers": measures.SAMPLES,
    "writes whose times are taken for the metrics at once": metrics.MAX_ON_THEIR_WAY,
    "request line and headers": head.MAX_HEAD_BYTES,
    "headers": head.MAX_HEADERS,
    "request body": body.MAX_BODY_BYTES,
    "chunk size with extensions, or trailer": body.MAX_LINE_BYTES,
    "trailers": body.MAX_TRAILERS,
    "sent ahead of an answer": connection.MAX_WAITING_BYTES,
    "request line and headers in": connection.HEAD_S,
    "request body in": connection.BODY_S,
    "between two requests": connection.IDLE_S,
    "answers that are not read": connection.UNREAD_S,
    "rest of a refused request": connection.LINGER_S,
    "changes of the membership in one request": members.MAX_CHANGES,
    "connections per client address": (HttpServer.__init__.__kwdefaults__ or {})["max_connections_per_client"],
    "connections waiting to be accepted": http.BACKLOG,
    "stopping": http.STOP_TIMEOUT_S,
    "keys and values of one variable": varstate.MAX_ITEMS_BYTES,
    "path or namespace named in a deletion": variables.MAX_NAME_BYTES,
    "locks held at once": locks.MAX_LOCKS,
    "characters of the name of a lock or an owner": locks.MAX_NAME_CHARS,
    "connections waiting to be accepted by a peer": listener.BACKLOG,
    "telling every peer that this server lives": presence.PING_INTERVAL_S,
    "silence of a peer": presence.SILENCE_S,
    "first message of a connection": handshake.MAX_HELLO_BYTES,
    "warnings about peers": complaints.MAX_LINES,
    "servers of a cluster": schema.MAX_SERVERS,
    "configuration file": schema.MAX_FILE_BYTES,
    "peers.json": recovery.MAX_FILE_BYTES,
    "log lines held back while an agent starts": logs._MAX_HELD_LINES,
    "an agent's log in a local cluster": cluster_node._MAX_LOG_BYTES,
    "an answer to a command": client.MAX_ANSWER_BYTES,
    "waiting for an answer to a command": client.TIMEOUT_S,
    "a line of a trace": file.MAX_LINE_BYTES,
    "messages on their way while a trace is written": causes.MAX_ON_THEIR_WAY,
    "a value for `var put` from a file or standard input": items.MAX_VALUE_BYTES,
    "seeds of one sweep": sweep.MAX_SEEDS,
    "a storm of the swarm": sweep.MAX_STORM_S,
    "runs of one shrink": shrink.MAX_RUNS,
    "failures of a sweep that are told apart": tally.MAX_GROUPS,
    "the state of a sweep that is resumed": state.MAX_BYTES,
    "stopping an agent": main.STOP_TIMEOUT_S,
}
# Constants with MAX in their names that are no limit anybody meets, or have their place elsewhere.
NOT_HERE = {
    "node/compaction.py": {"MAX_THRESHOLD"},  # what a number may be
    "machine/varstate.py": {"MAX_UINT64", "MAX_INT64"},  # what a number may be
    "machine/sessiontable.py": {"MAX_NUMBER"},
    "http/query.py": {"MAX_UINT64", "MAX_INT64", "MAX_DURATION_CHARS"},
    "wire/forms.py": {"MAX_NUMBER"},
    "wire/frames.py": {"MAX_FRAME_BYTES"},  # the default of max_frame_bytes
    "agent/addresses.py": {"MAX_PORT"},  # in the configuration's ranges
    "agent/schema.py": {"MAX_MULTIPLIER"},
    "agent/durations.py": {"_MAX_CHARS"},
    "agent/identity.py": {"_NODE_ID_MAX_BYTES"},  # a UUID is shorter
    "cli/run.py": {"MAX_SEED"},
    "swarm/storm.py": {"MAX_SERVERS"},  # how far a storm lets a cluster grow
    "cluster/status.py": {"_MAX_BODY_BYTES"},  # answers of our own servers
}
HERE = {
    "http/members.py": {"MAX_CHANGES"},
    "node/server.py": {"MAX_SEEN"},
    "node/restore.py": {"MAX_BYTES", "MAX_ENTRIES"},
    "machine/varstate.py": {"MAX_ITEMS_BYTES"},
    "machine/variables.py": {"MAX_NAME_BYTES"},
    "machine/locks.py": {"MAX_LOCKS", "MAX_NAME_CHARS"},
    "agent/metrics.py": {"MAX_ON_THEIR_WAY"},
    "agent/recovery.py": {"MAX_FILE_BYTES"},
    "agent/schema.py": {"MAX_FILE_BYTES", "MAX_SERVERS"},
    "agent/logs.py": {"_MAX_HELD_LINES"},
    "http/body.py": {"MAX_BODY_BYTES", "MAX_LINE_BYTES", "MAX_TRAILERS"},
    "http/connection.py": {"MAX_WAITING_BYTES"},
    "http/head.py": {"MAX_HEAD_BYTES", "MAX_HEADERS"},
    "cli/client.py": {"MAX_ANSWER_BYTES"},
    "cli/items.py": {"MAX_VALUE_BYTES"},
    "cli/sweep.py": {"MAX_SEEDS", "MAX_STORM_S"},
    "cli/shrink.py": {"MAX_RUNS"},
    "sweep/tally.py": {"MAX_GROUPS"},
    "sweep/state.py": {"MAX_BYTES"},
    "wire/handshake.py": {"MAX_HELLO_BYTES"},
    "live/complaints.py": {"MAX_LINES"},
    "cluster/node.py": {"_MAX_LOG_BYTES"},
    "trace/file.py": {"MAX_LINE_BYTES"},
    "trace/causes.py": {"MAX_ON_THEIR_WAY"},
}


def limits_in_code() -> dict[str, float]:
    """Every limit that is a number: those of the settings by their names, and the constants."""
    found = {
        field.name: getattr(settings, field.name)
        for settings in (Settings(), NodeSettings(), RpcLimits(), WalSettings(), ClientSettings())
        for field in fields(settings)
    }
    return {name: value for name, value in found.items() if not isinstance(value, bool)} | CONSTANTS


def number(text: str) -> float:
    digits, _, unit = text.partition(" ")
    return float(digits.replace(",", "")) * (UNITS[unit] if unit else 1)


def test_every_limit_is_there_with_its_value() -> None:
    documented = {
        name: number(value)
        for section in SECTIONS
        for found in tables(PAGE, section)
        for name, value in found.column("Value").items()
    }
    assert documented == limits_in_code()


def test_no_limit_is_forgotten() -> None:
    package = Path(raftsim.__path__[0])
    for source in sorted(package.rglob("*.py")):
        name = str(source.relative_to(package))
        if name.startswith("scenario/"):
            continue  # see test_scenario_language.py
        constants = set(re.findall(r"^(_?(?:\w+_)?MAX_\w+)\b.*=", source.read_text(), re.MULTILINE))
        assert constants == NOT_HERE.get(name, set()) | HERE.get(name, set()), name


def test_the_window_of_warnings() -> None:
    assert complaints.WINDOW_S == 10
    assert "in 10 seconds" in PAGE.read_text()


def test_the_paths_of_variables() -> None:
    assert variables._PATH.pattern == "[a-zA-Z0-9_~/-]{1,128}"
    assert variables._NAMESPACE.pattern == "[a-zA-Z0-9-]{1,128}"
