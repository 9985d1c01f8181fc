"""`raftsim agent`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from raftsim.cli.go import GoCommand, option

_KEYS = {
    "data_dir": "data_dir",
    "node": "name",
    "region": "region",
    "dc": "datacenter",
    "bind": "bind_addr",
    "http_port": "ports.http",
    "rpc_port": "ports.rpc",
    "server": "server.enabled",
    "bootstrap_expect": "server.bootstrap_expect",
    "retry_join": "server.server_join.retry_join",
    "join": "raftsim.join",
    "cluster_id": "raftsim.cluster_id",
    "raft_protocol": "server.raft_protocol",
    "log_level": "log_level",
    "log_json": "log_json",
    "faults": "raftsim.faults",
}


@click.command(
    "agent",
    cls=GoCommand,
    examples=[
        ("Start a single server whose data is gone when it ends", "raftsim agent -dev"),
        ("Start the server that a file describes", "raftsim agent -config=n1.json"),
    ],
)
@option("config", value="FILE", multiple=True, help="A JSON file, or a directory of them. May be repeated: later wins.")
@option("dev", help="A cluster of this one server; without a data directory, on a temporary one.")
@option("server", help="Run a server.", default=None)
@option("data-dir", value="DIR", help="Where the server keeps its data.")
@option("node", value="NAME", help="The name of this server.")
@option("region", value="NAME", help="The region.")
@option("dc", value="NAME", help="The datacenter.")
@option("bind", value="ADDR", help="The address to listen on. Default: 127.0.0.1.")
@option("http-port", value="PORT", type=int, help="The port of the operator API, 0: any free one. Default: 4646.")
@option("rpc-port", value="PORT", type=int, help="The port for peers, 0: any free one. Default: 4647.")
@option("bootstrap-expect", value="N", type=int, help="How many servers the cluster begins with.")
@option("retry-join", value="ADDR", multiple=True, help="The RPC address of a first server. May be repeated.")
@option("join", help="Begin no cluster, but wait to be added to the one with -cluster-id.", default=None)
@option("cluster-id", value="ID", help="The id of the cluster. Default: made from its first servers.")
@option("raft-protocol", value="2|3", type=int, help="The dialect of the operator API. Default: 2.")
@option("log-level", value="LEVEL", help="TRACE, DEBUG, INFO, WARN, ERROR or OFF. Default: INFO.")
@option("log-json", help="Log in JSON.", default=None)
@option("faults", help="Allow faults to be injected from this machine.", default=None)
@option("ready-fd", value="FD", type=int, help="Write a line of JSON to this file descriptor once the agent serves.")
@option("die-with-parent", help="End when the process that started this one ends.")
def agent(*, config: tuple[str, ...], dev: bool, ready_fd: int | None, die_with_parent: bool, **values: Any) -> int:
    """Run one server in the foreground.

    Its configuration is JSON with the keys of a Nomad agent; options win over files. Everything is bound to 127.0.0.1
    unless asked otherwise. Ctrl-C stops the server.
    """
    from raftsim.agent.config import load
    from raftsim.agent.main import run

    paths = [Path(path) for path in config]
    flags = {_KEYS[name]: value for name, value in values.items() if value not in {None, ()}}
    return run(lambda: load(paths, flags, dev=dev), ready_fd=ready_fd, die_with_parent=die_with_parent)
