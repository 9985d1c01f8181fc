"""The keys of a configuration file: their names, types and ranges.

A file is JSON with Nomad's keys, plus one block of our own, `raftsim`. A key that is not here is a warning, since files
written for a Nomad agent have many that mean nothing to a rehearsal; a value that is wrong is an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from raftsim.agent.addresses import MAX_PORT, RPC_PORT, join_address, split_address
from raftsim.agent.durations import parse_duration
from raftsim.wire.address import endpoint

LOG_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "OFF")
MAX_FILE_BYTES = 1 << 20
MAX_SERVERS = 25
MAX_MULTIPLIER = 10


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names where it comes from and the key."""


@dataclass(frozen=True, slots=True)
class Layer:
    """The values of one source, by dotted key, and what it said that was not understood."""

    source: str
    values: Mapping[str, Any]
    warnings: list[str] = field(default_factory=list)


def read_layers(path: Path) -> list[Layer]:
    """The layers of a file, or of all JSON files of a directory in the order of their names. Raises ConfigError."""
    if path.is_dir():
        return [_read_file(file) for file in sorted(path.iterdir()) if file.suffix in {".json", ".hcl"}]
    return [_read_file(path)]


def check_layer(source: str, document: Mapping[str, Any]) -> Layer:
    """`document`, nested as in a file, checked and flattened to dotted keys. Raises ConfigError."""
    layer: dict[str, Any] = {}
    warnings: list[str] = []
    _flatten(source, "", document, layer, warnings)
    return Layer(source, layer, warnings)


def check_value(source: str, key: str, value: object) -> Any:
    """One value for the dotted `key`, as its type. Raises ConfigError."""
    try:
        return _KEYS[key](value)
    except ValueError as error:
        raise ConfigError(f"{source}: {key}: {error}") from None


def _read_file(path: Path) -> Layer:
    if path.suffix == ".hcl":
        raise ConfigError(f"{path}: HCL is not read here; write the same keys as JSON")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not JSON: {error}") from None
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: must be a JSON object, got {_show(document)}")
    return check_layer(str(path), document)


def _flatten(source: str, prefix: str, block: Mapping[str, Any], values: dict[str, Any], warnings: list[str]) -> None:
    for name, value in block.items():
        key = _ALIASES.get(prefix + name, prefix + name)
        if key in _KEYS:
            values[key] = check_value(source, key, value)
        elif key not in _BLOCKS:
            warnings.append(f"{source}: {key} is not used by raftsim")
        elif isinstance(value, dict):
            _flatten(source, f"{key}.", value, values, warnings)
        else:
            raise ConfigError(f"{source}: {key}: must be an object, got {_show(value)}")


def _show(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"must be a string that is not empty, got {_show(value)}")
    return value


def _word(value: object) -> str:
    text = _text(value)
    if any(character.isspace() or not character.isprintable() for character in text):
        raise ValueError(f"must be one word, got {_show(text)}")
    return text


def _join_addresses(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or len(value) > MAX_SERVERS:
        raise ValueError(f"must be a list of at most {MAX_SERVERS} addresses, got {_show(value)}")
    return tuple(join_address(*split_address(_word(item), RPC_PORT)) for item in value)


def _advertised(value: object) -> str:
    split_address(_word(value), default_port=1)
    return _word(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, got {_show(value)}")
    return value


def _whole(lowest: int, highest: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        if type(value) is not int or not lowest <= value <= highest:  # a bool is an int that is not meant
            raise ValueError(f"must be a whole number from {lowest} to {highest}, got {_show(value)}")
        return value

    return check


def _fraction(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 10:
        raise ValueError(f"must be a number more than 0 and at most 10, got {_show(value)}")
    return float(value)


def _raft_protocol(value: object) -> int:
    if type(value) is not int or value not in {2, 3}:
        raise ValueError(f"raft_protocol must be 2 or 3, got {_show(value)}")
    return value


def _raft_multiplier(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MAX_MULTIPLIER:
        raise ValueError(f"raft_multiplier cannot be {_show(value)}. Must be between 1 and {MAX_MULTIPLIER}")
    return value or 1  # 0 asks for the default


def _log_level(value: object) -> str:
    level = _text(value).upper()
    if level == "ERR":  # the name in older files
        return "ERROR"
    if level not in LOG_LEVELS:
        raise ValueError(f"Invalid log level: {_show(value)}. Valid log levels are: {', '.join(LOG_LEVELS)}")
    return level


def _duration(value: object) -> float:
    return parse_duration(_text(value))


def _servers(value: object) -> tuple[dict[str, str], ...]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_SERVERS:
        raise ValueError(f"must be a list of 1 to {MAX_SERVERS} objects, got {_show(value)}")
    return tuple(_server(item) for item in value)


def _server(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not {"address"} <= value.keys() <= {"id", "address", "name"}:
        raise ValueError(f"a server is an object with address, and id and name if need be, got {_show(value)}")
    server = {key: _word(item) for key, item in value.items()}
    endpoint(server["address"])
    return server


def _factory(value: object) -> str:
    path = _text(value)
    module, colon, name = path.partition(":")
    if not (colon and name.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        raise ValueError(f"must be package.module:factory, got {_show(value)}")
    return path


_port = _whole(0, MAX_PORT)
_KEYS: dict[str, Callable[[object], Any]] = {
    "name": _word,
    "region": _word,
    "datacenter": _word,
    "data_dir": _text,
    "bind_addr": _word,
    "ports.http": _port,
    "ports.rpc": _port,
    "ports.serf": _port,  # no gossip here; accepted because every Nomad file has it
    "addresses.http": _word,
    "addresses.rpc": _word,
    "addresses.serf": _word,
    "advertise.http": _advertised,
    "advertise.rpc": _advertised,
    "advertise.serf": _advertised,
    "server.enabled": _flag,
    "server.bootstrap_expect": _whole(0, MAX_SERVERS),
    "server.raft_protocol": _raft_protocol,
    "server.raft_multiplier": _raft_multiplier,
    "server.raft_snapshot_threshold": _whole(1, 1 << 31),
    "server.raft_trailing_logs": _whole(0, 1 << 31),
    "server.server_join.retry_join": _join_addresses,
    "client.enabled": _flag,
    "limits.http_max_conns_per_client": _whole(0, 1 << 16),
    "telemetry.prometheus_metrics": _flag,
    "log_level": _log_level,
    "log_json": _flag,
    "leave_on_interrupt": _flag,
    "leave_on_terminate": _flag,
    "disable_update_check": _flag,  # nothing here looks for updates
    "raftsim.cluster_id": _word,
    "raftsim.servers": _servers,
    "raftsim.join": _flag,
    "raftsim.election_timeout_min": _duration,
    "raftsim.election_timeout_max": _duration,
    "raftsim.heartbeat_interval": _duration,
    "raftsim.fast_failover": _flag,
    "raftsim.pre_vote": _flag,
    "raftsim.check_quorum": _flag,
    "raftsim.lease_reads": _flag,
    "raftsim.max_clock_drift": _fraction,
    "raftsim.autopilot": _flag,
    "raftsim.dead_after": _duration,
    "raftsim.faults": _flag,
    "raftsim.machine": _factory,
}
_ALIASES = {"server.retry_join": "server.server_join.retry_join"}  # the form before server_join
_BLOCKS = frozenset(key.rsplit(".", depth)[0] for key in _KEYS for depth in range(1, key.count(".") + 1))
