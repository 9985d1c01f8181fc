"""`raftsim cluster`: local clusters that stay when the command has ended."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from raftsim.cli.go import Failure, GoGroup, option
from raftsim.cli.output import columnize, show_json

if TYPE_CHECKING:
    from raftsim.cluster.local import LocalCluster

F = TypeVar("F", bound=Callable[..., Any])

_LEADER_WAIT_S = 30.0


def _name_option(command: F) -> F:
    return option("name", value="NAME", help="The cluster. Default: the only one there is, or default.")(command)


def _node_argument(command: F) -> F:
    return click.argument("node", metavar="NODE")(command)


@click.group("cluster", cls=GoGroup)
def cluster() -> None:
    """Create, start and break local clusters."""


@cluster.command("start", examples=[("Start a cluster of three", "raftsim cluster start")])
@option("name", value="NAME", default="default", help="The cluster. Default: default.")
@option("nodes", value="N", type=int, help="How many servers. Default: 3.")
@option("http-port", value="PORT", type=int, help="The first HTTP port, 0: any free ones. Default: 4646.")
@option("rpc-port", value="PORT", type=int, help="The first port for peers, 0: any free ones. Default: 4647.")
@option("raft-protocol", value="2|3", type=int, help="The dialect of the operator API. Default: 2.")
@option("data-dir", value="DIR", help="Where the servers keep their data. Default: in the cluster's own directory.")
@option("autopilot", default=None, help="Let the leader promote stable servers and remove dead ones.")
def start(*, name: str, **wishes: Any) -> None:
    """Start a cluster, or those of its servers that are down.

    The first start makes the cluster; what it is made of cannot be changed later. Server i listens on the given
    ports + 10 * (i - 1) of 127.0.0.1.
    """
    with _failures():
        from raftsim.cluster.home import cluster_dir

        if wishes["data_dir"]:
            wishes["data_dir"] = str(Path(wishes["data_dir"]).absolute())
        wishes = {key: wish for key, wish in wishes.items() if wish is not None}
        found, is_new = _open_or_create(cluster_dir(name), wishes)
        try:
            started = found.start()
        except BaseException:
            if is_new:
                found.destroy()
            raise
        print(f"==> Cluster {name}: {len(started)} of {len(found.nodes)} servers started, state in {found.directory}")
        for node in found.plan.nodes:
            print(f"    {node.name:<3} http {node.http_address}  rpc {node.rpc_address}")
        leader = found.await_leader(_LEADER_WAIT_S)
        if leader is None:
            raise Failure(f"No leader within {_LEADER_WAIT_S:g} s", "see the logs: raftsim cluster logs NODE")
        print(f"==> Leader elected: {leader.name}, term {leader.term}")
        print(f"export NOMAD_ADDR=http://{leader.http_address}")


@cluster.command("status", examples=[("For a script", "raftsim cluster status -json")])
@_name_option
@option("json", dest="as_json", help="Output a JSON list, one object for each node.")
def status(*, name: str | None, as_json: bool) -> None:
    """Show every node: its process, its addresses, and what its server says of itself."""
    with _failures():
        statuses = _open(name).status()
    if as_json:
        show_json([status.plain() for status in statuses])
        return
    rows = [["Name", "Pid", "Process", "HTTP", "RPC", "Role", "Term", "Commit", "Applied"]]
    keys = ("name", "pid", "process", "http_address", "rpc_address", "role", "term", "commit_index", "applied_index")
    rows += [["" if (value := status.plain()[key]) is None else str(value) for key in keys] for status in statuses]
    print(columnize(rows, empty="-"))


@cluster.command("stop")
@_name_option
def stop(*, name: str | None) -> None:
    """Stop all servers of a cluster. Their data stays."""
    with _failures():
        found = _open(name)
        found.stop()
    print(f"Stopped cluster {found.directory.name}")


@cluster.command("destroy")
@_name_option
def destroy(*, name: str | None) -> None:
    """Stop a cluster and remove it, data included. Data in a directory given with -data-dir stays."""
    with _failures():
        found = _open(name)
        found.destroy()
    kept = f" (the data in {found.plan.spec.data_dir} is kept)" if found.plan.spec.data_dir else ""
    print(f"Destroyed cluster {found.directory.name}{kept}")


@cluster.command("env", examples=[("Point this shell at the cluster", "eval $(raftsim cluster env)")])
@_name_option
def env(*, name: str | None) -> None:
    """Print the environment for clients of a cluster: the address of a server that runs."""
    with _failures():
        from raftsim.cluster.local import entry_point

        print(f"export NOMAD_ADDR=http://{entry_point(_open(name).status()).http_address}")


@cluster.command("logs", examples=[("What the leader did", "raftsim cluster logs leader")])
@_name_option
@_node_argument
def logs(*, name: str | None, node: str) -> None:
    """Print the log of a node. NODE is a name or leader."""
    with _failures():
        path = _open(name).select(node).log_path
        try:
            with path.open(errors="replace") as log:
                shutil.copyfileobj(log, sys.stdout)
        except FileNotFoundError:
            raise Failure(f"{node} has no log yet") from None


@cluster.group("node", cls=GoGroup)
def node_group() -> None:
    """Break and mend one server of a cluster. NODE is a name or leader."""


@node_group.command("kill", examples=[("Take the leader's power away", "raftsim cluster node kill leader")])
@_name_option
@_node_argument
def kill(*, name: str | None, node: str) -> None:
    """End a server's process at once (SIGKILL)."""
    with _failures():
        print(f"Killed {_open(name).kill(node)}")


@node_group.command("restart", examples=[("Bring a server back", "raftsim cluster node restart n2")])
@_name_option
@_node_argument
def restart(*, name: str | None, node: str) -> None:
    """Start a server again on the data it left. One that runs is stopped first."""
    with _failures():
        print(f"Restarted {_open(name).restart(node)}")


@node_group.command("add", examples=[("Start a fourth server", "raftsim cluster node add")])
@_name_option
def add(*, name: str | None) -> None:
    """Start one more server, with an empty disk. It waits until it is added to the configuration."""
    with _failures():
        node = _open(name).add()
    print(f"Started {node.name}  http {node.http_address}  rpc {node.rpc_address}")
    id = f" -peer-id={node.id}" if node.id != node.rpc_address else ""
    print(f"It is no member yet: raftsim operator raft add-peer -peer-address={node.rpc_address}{id}")


@node_group.command("wipe", examples=[("Lose the disk of a server", "raftsim cluster node wipe n2")])
@_name_option
@_node_argument
def wipe(*, name: str | None, node: str) -> None:
    """Kill a server and remove its log and snapshots, as if its disk was lost. Restart it to see it come back."""
    with _failures():
        print(f"Wiped {_open(name).wipe(node)}")


@node_group.command("pause", examples=[("Freeze the leader", "raftsim cluster node pause leader")])
@_name_option
@_node_argument
def pause(*, name: str | None, node: str) -> None:
    """Freeze a server's process (SIGSTOP): its connections stay, it does nothing."""
    with _failures():
        print(f"Paused {_open(name).pause(node)}")


@node_group.command("resume", examples=[("Let it go on", "raftsim cluster node resume n1")])
@_name_option
@_node_argument
def resume(*, name: str | None, node: str) -> None:
    """Let a paused server go on."""
    with _failures():
        print(f"Resumed {_open(name).resume(node)}")


def _open(name: str | None) -> LocalCluster:
    from raftsim.cluster.home import existing_cluster
    from raftsim.cluster.local import LocalCluster

    return LocalCluster.open(existing_cluster(name))


def _open_or_create(directory: Path, wishes: dict[str, Any]) -> tuple[LocalCluster, bool]:
    """The cluster, and whether it is new. Raises Failure when there is one that is not as wished."""
    from raftsim.cluster.local import LocalCluster
    from raftsim.cluster.plan import ClusterSpec

    if not directory.exists():
        return LocalCluster.create(directory, ClusterSpec(**wishes, faults=True)), True
    found = LocalCluster.open(directory)
    if replace(found.plan.spec, **wishes) != found.plan.spec:
        different = [
            f"-{key.replace('_', '-')}" for key, wish in wishes.items() if getattr(found.plan.spec, key) != wish
        ]
        raise Failure(
            f"Cluster {directory.name} exists and was made otherwise ({', '.join(different)})",
            f"start it without these options, or remove it: raftsim cluster destroy -name={directory.name}",
        )
    return found, False


@contextmanager
def _failures() -> Iterator[None]:
    from raftsim.cluster.errors import ClusterError

    try:
        yield
    except ClusterError as error:
        raise Failure(str(error)) from None
