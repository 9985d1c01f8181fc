"""Configuration: files, flags, their order, and what is said when something is wrong."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from raftsim.agent.config import AgentConfig, choose_ports, load
from raftsim.agent.schema import ConfigError

SERVER = {"server": {"enabled": True}, "data_dir": "/data"}


def write(path: Path, document: object) -> Path:
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def load_one(tmp_path: Path, document: object, **flags: Any) -> AgentConfig:
    return load([write(tmp_path / "a.json", document)], flags, dev=False)


def error_of(tmp_path: Path, document: object) -> str:
    with pytest.raises(ConfigError) as raised:
        load_one(tmp_path, document)
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_defaults_are_of_a_rehearsal_on_this_machine() -> None:
    config = load([], {}, dev=True)
    assert (config.http_bind, config.rpc_bind) == (("127.0.0.1", 4646), ("127.0.0.1", 4647))
    assert (config.http_address, config.rpc_address) == ("127.0.0.1:4646", "127.0.0.1:4647")
    assert (config.region, config.datacenter, config.name) == ("global", "dc1", socket.gethostname())
    assert (config.raft_protocol, config.log_level, config.log_json) == (2, "INFO", False)
    assert (config.leave_on_interrupt, config.leave_on_terminate, config.faults) == (False, False, False)
    assert config.data_dir is None
    assert not config.warnings


def test_every_key_arrives(tmp_path: Path) -> None:
    document = {
        "name": "n1",
        "region": "eu",
        "datacenter": "dc9",
        "data_dir": str(tmp_path),
        "bind_addr": "127.0.0.2",
        "ports": {"http": 5646, "rpc": 5647, "serf": 5648},
        "addresses": {"http": "127.0.0.3"},
        "advertise": {"http": "10.0.0.1", "rpc": "10.0.0.1:99"},
        "server": {
            "enabled": True,
            "bootstrap_expect": 3,
            "raft_protocol": 3,
            "raft_multiplier": 2,
            "server_join": {"retry_join": ["10.0.0.2", "10.0.0.3:7", "[::1]"]},
        },
        "client": {"enabled": False},
        "log_level": "warn",
        "log_json": True,
        "leave_on_interrupt": True,
        "leave_on_terminate": True,
        "disable_update_check": True,
        "raftsim": {
            "cluster_id": "c",
            "servers": [{"id": "x", "address": "10.0.0.1:99", "name": "n1"}, {"address": "10.0.0.2:99"}],
            "election_timeout_min": "300ms",
            "election_timeout_max": "0.5s",
            "heartbeat_interval": "50ms",
            "faults": True,
        },
    }
    config = load_one(tmp_path, document)
    assert config.member_name == "n1.eu"
    assert config.datacenter == "dc9"
    assert config.data_dir == tmp_path
    assert config.http_bind == ("127.0.0.3", 5646)
    assert config.rpc_bind == ("127.0.0.2", 5647)
    assert config.http_address == "10.0.0.1:5646"
    assert config.rpc_address == "10.0.0.1:99"
    assert (config.bootstrap_expect, config.raft_protocol) == (3, 3)
    assert config.retry_join == ("10.0.0.2:4647", "10.0.0.3:7", "[::1]:4647")
    assert (config.log_level, config.log_json) == ("WARN", True)
    assert config.leave_on_interrupt
    assert config.leave_on_terminate
    assert config.cluster_id == "c"
    assert [(server.id, server.address, server.name) for server in config.servers] == [
        ("x", "10.0.0.1:99", "n1"),
        ("", "10.0.0.2:99", ""),
    ]
    settings = config.settings  # the multiplier of 2 is in
    assert (settings.election_timeout_min_s, settings.election_timeout_max_s) == (0.6, 1.0)
    assert settings.heartbeat_interval_s == 0.1
    assert config.faults
    assert not config.warnings


def test_leases_and_their_bound(tmp_path: Path) -> None:
    rules = {"lease_reads": True, "fast_failover": False, "max_clock_drift": 0.25}
    settings = load_one(tmp_path, SERVER | {"raftsim": rules}).settings
    assert (settings.lease_reads, settings.lease_s) == (True, 0.4)


def test_keys_raftsim_does_not_use_are_warnings_that_name_file_and_key(tmp_path: Path) -> None:
    document = SERVER | {
        "telemetry": {"prometheus_metrics": True, "statsd_address": "x"},
        "vault": {"enabled": False},
        "server": {"enabled": True, "encrypt": "x"},
        "client": {"enabled": True, "options": {}},
    }
    warnings = load_one(tmp_path, document).warnings
    file = tmp_path / "a.json"
    assert warnings == (
        f"{file}: server.encrypt is not used by raftsim",
        f"{file}: telemetry.statsd_address is not used by raftsim",
        f"{file}: vault is not used by raftsim",
        f"{file}: client.options is not used by raftsim",
        "client.enabled: there are no clients in raftsim; only the server is started",
    )


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"name": 3}, "name: must be a string"),
        ({"name": ""}, "name: must be a string that is not empty"),
        ({"name": "a b"}, "name: must be one word"),
        ({"ports": 3}, "ports: must be an object, got 3"),
        ({"ports": {"http": "4646"}}, 'ports.http: must be a whole number from 0 to 65535, got "4646"'),
        ({"ports": {"http": 65536}}, "ports.http: must be a whole number from 0 to 65535, got 65536"),
        ({"ports": {"rpc": True}}, "ports.rpc: must be a whole number from 0 to 65535, got true"),
        ({"server": {"enabled": "yes"}}, 'server.enabled: must be true or false, got "yes"'),
        ({"server": {"raft_protocol": 1}}, "server.raft_protocol: raft_protocol must be 2 or 3, got 1"),
        ({"server": {"raft_protocol": "3"}}, 'raft_protocol must be 2 or 3, got "3"'),
        ({"server": {"raft_multiplier": 11}}, "raft_multiplier cannot be 11. Must be between 1 and 10"),
        ({"server": {"raft_multiplier": -1}}, "raft_multiplier cannot be -1. Must be between 1 and 10"),
        ({"server": {"bootstrap_expect": -1}}, "server.bootstrap_expect: must be a whole number from 0"),
        ({"server": {"server_join": {"retry_join": "a"}}}, "server.server_join.retry_join: must be a list"),
        ({"server": {"retry_join": ["a:b"]}}, "server.server_join.retry_join: 'a:b' is not an address"),
        ({"advertise": {"rpc": "a:0"}}, "advertise.rpc: 'a:0' is not an address"),
        ({"log_level": "loud"}, 'log_level: Invalid log level: "loud". Valid log levels are: TRACE'),
        ({"raftsim": {"servers": []}}, "raftsim.servers: must be a list of 1 to 25 objects"),
        ({"raftsim": {"servers": [{"id": "a"}]}}, "raftsim.servers: a server is an object with address"),
        ({"raftsim": {"servers": [{"address": "x", "suffrage": "y"}]}}, "raftsim.servers: a server is an object"),
        ({"raftsim": {"servers": [{"address": "here"}]}}, "raftsim.servers: 'here' is not an address"),
        ({"raftsim": {"election_timeout_min": 5}}, "raftsim.election_timeout_min: must be a string"),
        ({"raftsim": {"heartbeat_interval": "5"}}, "raftsim.heartbeat_interval: not a duration"),
        ({"raftsim": {"max_clock_drift": 0}}, "raftsim.max_clock_drift: must be a number more than 0 and at most 10"),
        ({"raftsim": {"max_clock_drift": 10.5}}, "raftsim.max_clock_drift: must be a number more than 0"),
        ({"raftsim": {"max_clock_drift": float("nan")}}, "raftsim.max_clock_drift: must be a number more than 0"),
        ({"raftsim": {"max_clock_drift": True}}, "raftsim.max_clock_drift: must be a number more than 0"),
        ({"raftsim": {"max_clock_drift": "1%"}}, "raftsim.max_clock_drift: must be a number more than 0 and at most"),
        ([], "must be a JSON object, got []"),
        ("{", "not JSON: "),
        ("[" * 100_000, "not JSON: "),
        ('"\udc80"'.encode("utf-8", "surrogatepass").decode("latin-1"), "must be a JSON object"),
    ],
)
def test_wrong_values_are_errors_that_name_file_and_key(tmp_path: Path, document: object, expected: str) -> None:
    message = error_of(tmp_path, document)
    assert message.startswith(f"{tmp_path / 'a.json'}: ")
    assert expected in message


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"data_dir": "/d"}, "Must specify either server or dev mode"),
        ({"server": {"enabled": True}}, 'Must specify "data_dir" config option or "data-dir" CLI flag'),
        (
            SERVER | {"raftsim": {"heartbeat_interval": "2s"}},
            "heartbeat_interval_s must be less than election_timeout_min_s",
        ),
        (
            SERVER | {"raftsim": {"election_timeout_min": "300ms", "election_timeout_max": "200ms"}},
            "election_timeout_max_s must not be less than election_timeout_min_s",
        ),
        (SERVER | {"raftsim": {"lease_reads": True}}, "raftsim: lease_reads and fast_failover exclude each other"),
        (
            SERVER | {"raftsim": {"lease_reads": True, "fast_failover": False, "max_clock_drift": 9}},
            "with max_clock_drift 9 a lease is 0.05 s, which must be more than heartbeat_interval_s",
        ),
        (
            SERVER | {"raftsim": {"dead_after": "2s"}},
            "raftsim.dead_after must be more than two election timeouts, 2 s",
        ),
    ],
)
def test_what_is_missing_or_contradicts_itself(tmp_path: Path, document: object, expected: str) -> None:
    assert expected in error_of(tmp_path, document)


def test_later_files_win_and_flags_win_last(tmp_path: Path) -> None:
    directory = tmp_path / "conf"
    directory.mkdir()
    write(directory / "2.json", {"name": "second", "region": "second", "datacenter": "second"})
    write(directory / "1.json", SERVER | {"name": "first", "ports": {"http": 1, "rpc": 2}})
    (directory / "notes.txt").write_text("not read")
    last = write(tmp_path / "last.json", {"datacenter": "last", "ports": {"rpc": 3}})
    config = load([directory, last], {"region": "flag"}, dev=False)
    assert (config.name, config.region, config.datacenter) == ("second", "flag", "last")
    assert (config.http_bind[1], config.rpc_bind[1]) == (1, 3)
    assert config.sources == (str(directory / "1.json"), str(directory / "2.json"), str(last))


def test_a_wrong_flag_is_said_to_come_from_the_command_line() -> None:
    with pytest.raises(
        ConfigError, match=r"^command line: server\.raft_protocol: raft_protocol must be 2 or 3, got 4$"
    ):
        load([], {"server.raft_protocol": 4}, dev=True)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.json: No such file or directory$"):
        load([tmp_path / "absent.json"], {}, dev=True)
    with pytest.raises(ConfigError, match=r"a\.hcl: HCL is not read here"):
        load([write(tmp_path / "a.hcl", "name = 3")], {}, dev=True)
    with pytest.raises(ConfigError, match="larger than 1048576 bytes"):
        load([write(tmp_path / "big.json", " " * (1 << 20) + "{}")], {}, dev=True)


def test_one_timeout_alone_brings_the_other_with_it(tmp_path: Path) -> None:
    config = load_one(tmp_path, SERVER | {"raftsim": {"election_timeout_min": "2s"}})
    assert config.settings.election_timeout_max_s == 4.0


def test_the_autopilot_works_unless_it_is_told_not_to(tmp_path: Path) -> None:
    usual = load_one(tmp_path, SERVER).node_settings
    assert (usual.autopilot, usual.dead_after_s) == (True, 60.0)
    told = load_one(tmp_path, SERVER | {"raftsim": {"autopilot": False, "dead_after": "5s"}}).node_settings
    assert (told.autopilot, told.dead_after_s) == (False, 5.0)


def test_an_address_that_is_all_addresses_is_advertised_as_loopback(tmp_path: Path) -> None:
    config = load_one(tmp_path, SERVER | {"bind_addr": "0.0.0.0"})
    assert config.rpc_bind == ("0.0.0.0", 4647)
    assert config.rpc_address == "127.0.0.1:4647"


def test_ports_of_zero_are_chosen_unless_the_file_names_the_addresses(tmp_path: Path) -> None:
    zero = {"ports": {"http": 0, "rpc": 0}}
    config = choose_ports(load_one(tmp_path, SERVER | zero))
    assert config.rpc_bind[1] > 0
    assert config.http_bind[1] not in {0, config.rpc_bind[1]}
    assert config.rpc_address == f"127.0.0.1:{config.rpc_bind[1]}"
    listed = load_one(tmp_path, SERVER | zero | {"raftsim": {"servers": [{"address": "127.0.0.1:1"}]}})
    with pytest.raises(ConfigError, match=r"ports\.rpc cannot be 0"):
        choose_ports(listed)
