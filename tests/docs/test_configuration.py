"""The reference of the configuration has every key, with its range, its default and its option."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from raftsim.agent import schema
from raftsim.agent.config import AgentConfig, load
from raftsim.agent.durations import parse_duration
from raftsim.agent.schema import ConfigError, check_value
from raftsim.cli.agent import _KEYS as OPTIONS
from tests.docs.tables import REFERENCE, marked, table

PAGE = REFERENCE / "configuration.md"
KEYS = table(PAGE, "Keys")
WITHOUT = {"data_dir", "name"}  # no default, and the host's name
NO_VALUE: dict[str, object] = {"none": (), "as bound": "", "made from the first members": ""}


def defaults() -> AgentConfig:
    return load([], {"server.enabled": True, "data_dir": "/tmp"}, dev=False)


def default(config: AgentConfig, key: str) -> object:
    """What `key` is when nobody says it."""
    times = {f"raftsim.{name}": getattr(config.settings, f"{name}_s") for name in protocol_times()}
    return {
        "region": config.region,
        "datacenter": config.datacenter,
        "bind_addr": config.http_bind[0],
        "ports.http": config.http_bind[1],
        "ports.rpc": config.rpc_bind[1],
        "advertise.http": config.http_advertise,
        "advertise.rpc": config.rpc_advertise,
        "server.bootstrap_expect": config.bootstrap_expect,
        "server.raft_protocol": config.raft_protocol,
        "server.raft_multiplier": 1,
        "server.raft_snapshot_threshold": config.node_settings.snapshot_threshold_entries,
        "server.raft_trailing_logs": config.node_settings.trailing_entries,
        "server.server_join.retry_join": config.retry_join,
        "server.enabled": False,
        "client.enabled": False,
        "limits.http_max_conns_per_client": config.http_max_conns_per_client,
        "telemetry.prometheus_metrics": config.prometheus_metrics,
        "log_level": config.log_level,
        "log_json": config.log_json,
        "leave_on_interrupt": config.leave_on_interrupt,
        "leave_on_terminate": config.leave_on_terminate,
        "raftsim.cluster_id": config.cluster_id,
        "raftsim.servers": config.servers,
        "raftsim.join": config.join,
        "raftsim.fast_failover": config.settings.fast_failover,
        "raftsim.pre_vote": config.settings.pre_vote,
        "raftsim.check_quorum": config.settings.check_quorum,
        "raftsim.lease_reads": config.settings.lease_reads,
        "raftsim.max_clock_drift": config.settings.max_clock_drift,
        "raftsim.autopilot": config.node_settings.autopilot,
        "raftsim.dead_after": config.node_settings.dead_after_s,
        "raftsim.faults": config.faults,
        "raftsim.machine": config.machine,
        **times,
    }[key]


def protocol_times() -> list[str]:
    return ["election_timeout_min", "election_timeout_max", "heartbeat_interval"]


def schema_times() -> list[str]:
    return [*protocol_times(), "dead_after"]


def read(key: str, text: str) -> object:
    """The value that a cell of the page shows."""
    if text in NO_VALUE:
        return NO_VALUE[text]
    word = marked(text)[0]
    if word in ("true", "false"):
        return word == "true"
    if key.removeprefix("raftsim.") in schema_times():
        return parse_duration(word)
    if re.fullmatch(r"\d+\.\d+", word):
        return float(word)
    return int(word) if word.isdigit() else word


def test_every_key_is_there() -> None:
    assert list(KEYS.column("Means")) == list(schema._KEYS)


@pytest.mark.parametrize(("key", "text"), KEYS.column("Default").items())
def test_default(key: str, text: str) -> None:
    if text == "unused" or text == "as `bind_addr`" or key in WITHOUT:
        return
    assert default(defaults(), key) == read(key, text)


def test_addresses_are_by_default_the_bound_one() -> None:
    config = load([], {"server.enabled": True, "data_dir": "/tmp", "bind_addr": "127.0.0.2"}, dev=False)
    assert config.http_bind[0] == config.rpc_bind[0] == "127.0.0.2"
    assert KEYS.column("Default")["addresses.http"] == KEYS.column("Default")["addresses.rpc"] == "as `bind_addr`"


def test_what_is_called_unused_changes_nothing() -> None:
    unused = [key for key, text in KEYS.column("Default").items() if text == "unused"]
    samples = {
        "ports.serf": 1,
        "addresses.serf": "127.0.0.9",
        "advertise.serf": "127.0.0.9",
        "disable_update_check": True,
    }
    assert sorted(unused) == sorted(samples)
    assert load([], {"server.enabled": True, "data_dir": "/tmp", **samples}, dev=False) == defaults()


@pytest.mark.parametrize(("key", "text"), KEYS.column("Value").items())
def test_range(key: str, text: str) -> None:
    limits = re.match(r"(\d+) to (\d+)(.*)", text)
    if not limits:
        assert not re.match(r"\d", text)
        return
    low, high = int(limits[1]), int(limits[2])

    def of(count: int) -> object:
        return [{"address": f"127.0.0.1:{port}"} for port in range(1, count + 1)] if "objects" in limits[3] else count

    for value in (low, high):
        check_value("test", key, of(value))
    for value in (low - 1, high + 1):
        with pytest.raises(ConfigError):
            check_value("test", key, of(value))


def test_words_that_are_listed_are_those_that_are_taken() -> None:
    assert tuple(marked(KEYS.column("Value")["log_level"])) == schema.LOG_LEVELS
    assert schema.MAX_SERVERS == 25
    assert KEYS.column("Value")["server.server_join.retry_join"] == f"up to {schema.MAX_SERVERS} addresses"


def test_options_are_those_of_the_command() -> None:
    documented = {key: text.strip("`") for key, text in KEYS.column("Option").items() if text}
    assert documented == {key: f"-{name.replace('_', '-')}" for name, key in OPTIONS.items()}


def test_a_shortest_timeout_alone_doubles_the_longest(tmp_path: Path) -> None:
    file = tmp_path / "agent.json"
    file.write_text('{"data_dir": "x", "server": {"enabled": true}, "raftsim": {"election_timeout_min": "2s"}}')
    assert load([file], {}, dev=False).settings.election_timeout_max_s == 4
