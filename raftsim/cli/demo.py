"""`raftsim demo`."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raftsim.cli.go import Failure, GoCommand, option

if TYPE_CHECKING:
    from raftsim.cluster.local import LocalCluster
    from raftsim.cluster.plan import ClusterSpec

_LEADER_WAIT_S = 30.0
_LOOK_EVERY_S = 0.1


@click.command(
    "demo",
    cls=GoCommand,
    examples=[
        ("Start three servers and watch them", "raftsim demo"),
        ("Five servers on other ports, with the data kept", "raftsim demo -nodes=5 -http-port=5646 -data-dir=./data"),
    ],
)
@option("nodes", value="N", type=int, default=3, help="How many servers. Default: 3.")
@option("http-port", value="PORT", type=int, default=4646, help="The first HTTP port, 0: any. Default: 4646.")
@option("rpc-port", value="PORT", type=int, default=4647, help="The first port for peers, 0: any. Default: 4647.")
@option("raft-protocol", value="2|3", type=int, default=2, help="The dialect of the operator API. Default: 2.")
@option("data-dir", value="DIR", help="Keep the data here. Default: a directory that is removed at the end.")
def demo(*, nodes: int, http_port: int, rpc_port: int, raft_protocol: int, data_dir: str | None) -> None:
    """Start a local cluster and show what happens in it.

    Server i listens on the given ports + 10 * (i - 1) of 127.0.0.1, each in a process of its own. Ctrl-C stops all.
    """
    from raftsim.cluster.errors import ClusterError
    from raftsim.cluster.home import cluster_dir
    from raftsim.cluster.plan import ClusterSpec

    data_dir = str(Path(data_dir).absolute()) if data_dir else None
    spec = ClusterSpec(nodes, http_port, rpc_port, raft_protocol, data_dir, faults=True)
    try:
        with _interruptible():
            _run(cluster_dir(f"demo-{http_port or os.getpid()}"), spec)
    except ClusterError as error:
        raise Failure(str(error)) from None


def _run(directory: Path, spec: ClusterSpec) -> None:
    from raftsim.cluster.local import LocalCluster

    _remove_abandoned(directory)
    cluster = LocalCluster.create(directory, spec, tied=True)
    try:
        kept = f"data in {spec.data_dir} (kept)" if spec.data_dir else f"state in {directory} (deleted on exit)"
        print(f"==> Starting raftsim demo: {spec.nodes} servers on 127.0.0.1, {kept}")
        for node in cluster.plan.nodes:
            print(f"    {node.name:<3} http {node.http_address}  rpc {node.rpc_address}", flush=True)
        cluster.start()
        _watch(cluster)
    except KeyboardInterrupt:
        _stop_at_once_if_interrupted(cluster)
        print("==> Stopping...", flush=True)
    finally:
        _stop_at_once_if_interrupted(cluster)
        cluster.destroy()


def _remove_abandoned(directory: Path) -> None:
    """A demo that was killed leaves its directory, and nothing that runs."""
    from raftsim.cluster.local import owner_of

    owner = owner_of(directory)
    if owner:
        raise Failure(f"a demo with the same HTTP port is running already (pid {owner.pid})")
    shutil.rmtree(directory, ignore_errors=True)


def _watch(cluster: LocalCluster) -> None:
    from raftsim.cluster.watch import Watcher

    began = time.monotonic()
    leader = cluster.await_leader(_LEADER_WAIT_S)
    if leader:
        print(
            f"==> Leader elected: {leader.name}, term {leader.term}, after {(time.monotonic() - began) * 1000:.0f} ms"
        )
    else:
        print(f"==> No leader after {_LEADER_WAIT_S:g} s; see the logs: raftsim cluster logs n1")
    _show_next_steps(cluster)
    watcher = Watcher(cluster, cluster.status())
    while True:
        for line in watcher.changes():
            print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True)
        cluster.serve_requests()
        time.sleep(_LOOK_EVERY_S)


def _show_next_steps(cluster: LocalCluster) -> None:
    from raftsim.cluster.home import cluster_names

    name = "" if len(cluster_names()) == 1 else f" -name={cluster.directory.name}"
    print("==> In another terminal:")
    print(f"      export NOMAD_ADDR=http://{cluster.plan.nodes[0].http_address}")
    print("      raftsim operator raft list-peers")
    print(f"      raftsim cluster node kill{name} leader")
    print("==> Ctrl-C to stop.", flush=True)


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM, and SIGHUP unless it is ignored (nohup), end the demo as Ctrl-C does."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop_at_once_if_interrupted(cluster: LocalCluster) -> None:
    def kill_all(*_: object) -> None:
        for node in cluster.nodes.values():
            node.signal(signal.SIGKILL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, kill_all)
