"""A local cluster: a directory, and the processes of its nodes.

    DIRECTORY/cluster.json      what it is made of, written once
    DIRECTORY/owner             the process the nodes are tied to, if there is one
    DIRECTORY/lock              held while somebody starts or stops nodes
    DIRECTORY/requests/NODE     asks the owner to restart a node, which must be its own child to die with it
    DIRECTORY/NODE/             see node.py

Any process may open the directory and act on the nodes; nothing is kept in memory that is not found again there.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from raftsim.cluster.errors import ClusterError
from raftsim.cluster.node import ClusterNode
from raftsim.cluster.plan import ClusterSpec, NodePlan, Plan, load_plan, make_plan
from raftsim.cluster.process import DEAD, PAUSED, RUNNING, ProcessId
from raftsim.cluster.status import NodeStatus, ask_all

READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0
_POLL_S = 0.05
LEADER = "leader"  # the selector


class LocalCluster:
    """Methods raise ClusterError with one sentence when they cannot do what they are asked."""

    def __init__(self, directory: Path, plan: Plan, *, tied: bool) -> None:
        self.directory = directory
        self.plan = plan
        self.nodes = {node.name: ClusterNode(node, directory / node.name, tied=tied) for node in plan.nodes}
        self._tied = tied

    @classmethod
    def create(cls, directory: Path, spec: ClusterSpec, *, tied: bool = False) -> LocalCluster:
        """A new cluster in `directory`, not started yet. `tied`: its nodes die with this process, whatever happens."""
        try:
            directory.mkdir(parents=True)
        except FileExistsError:
            raise ClusterError(f"{directory} exists already") from None
        except OSError as error:
            raise ClusterError(f"{directory}: {error.strerror}") from None
        try:
            plan = make_plan(spec, directory)
            cluster = cls(directory, plan, tied=tied)
            for node in cluster.nodes.values():
                node.write_config(plan.agent_config(node.plan))
            if tied:
                (directory / "owner").write_text(f"{ProcessId.of(os.getpid())}\n")
            plan.save(directory)
        except BaseException as error:
            shutil.rmtree(directory, ignore_errors=True)
            if isinstance(error, OSError):
                raise ClusterError(f"{error.filename or directory}: {error.strerror}") from None
            raise
        return cluster

    @classmethod
    def open(cls, directory: Path) -> LocalCluster:
        """The cluster in `directory`, running or not."""
        return cls(directory, load_plan(directory), tied=False)

    def owner(self) -> ProcessId | None:
        """The other process that this cluster's nodes are tied to, while it lives."""
        return None if self._tied else owner_of(self.directory)

    def start(self) -> list[str]:
        """Start every node that does not run; their names. When one cannot be started, none of them stays running."""
        self._refuse_if_owned()
        with self._alone():
            dead = [node for node in self.nodes.values() if node.state() == DEAD]
            self._start(dead)
        return [node.plan.name for node in dead]

    def stop(self) -> None:
        """Stop all nodes: politely, and after `STOP_TIMEOUT_S` by force."""
        self._refuse_if_owned()
        with self._alone():
            self._stop(list(self.nodes.values()))

    def destroy(self) -> None:
        """Stop all nodes and remove the directory. Data in a directory of the user's own stays."""
        self.stop()
        shutil.rmtree(self.directory)

    def kill(self, selector: str) -> str:
        """End a node's process at once, as a power cut would. Here and below: returns the name of the node."""
        node = self.select(selector)
        if not node.kill():
            raise ClusterError(f"{node.plan.name} is not running")
        return node.plan.name

    def add(self) -> NodePlan:
        """Start one more node, which waits to be added to the cluster by an operator."""
        self._refuse_if_owned()
        cluster_id = next((status.raft["cluster_id"] for status in self.status() if status.raft), None)
        if cluster_id is None:
            raise ClusterError("no node answers that could tell the id of the cluster")
        with self._alone():
            self.plan = load_plan(self.directory).with_one_more(self.directory)
            added = self.plan.nodes[-1]
            node = self.nodes[added.name] = ClusterNode(added, self.directory / added.name, tied=self._tied)
            try:
                node.write_config(self.plan.agent_config(added, cluster_id))
                node.write_id()
                self.plan.save(self.directory)
            except OSError as error:
                raise ClusterError(f"{error.filename or self.directory}: {error.strerror}") from None
            self._start([node])
        return added

    def wipe(self, selector: str) -> str:
        """Kill a node and remove what Raft keeps on its disk. It stays down until it is restarted."""
        node = self.select(selector)
        node.kill()
        node.wipe()
        return node.plan.name

    def restart(self, selector: str) -> str:
        """Start a node again on the data it left; one that runs is stopped first."""
        node = self.select(selector)
        if self.owner():
            self._ask_owner_to_restart(node)
            return node.plan.name
        with self._alone():
            self._stop([node])
            self._start([node])
        return node.plan.name

    def pause(self, selector: str) -> str:
        """Freeze a node's process (SIGSTOP): its connections stay, it does nothing."""
        return self._signal(selector, signal.SIGSTOP, RUNNING, PAUSED)

    def resume(self, selector: str) -> str:
        """Let a paused node go on."""
        return self._signal(selector, signal.SIGCONT, PAUSED, RUNNING)

    def select(self, selector: str) -> ClusterNode:
        """The node with this name, or the present `leader`."""
        if selector != LEADER:
            if selector not in self.nodes:
                raise ClusterError(f"no node {selector!r} (there are {', '.join(self.nodes)}, and leader)")
            return self.nodes[selector]
        leader = leader_of(self.status())
        if leader is None:
            raise ClusterError("there is no leader now")
        return self.nodes[leader.name]

    def status(self) -> list[NodeStatus]:
        """Every node, in order."""
        return ask_all(list(self.nodes.values()))

    def await_leader(self, timeout_s: float) -> NodeStatus | None:
        """Wait for a leader that has met all who answer; the leader there is, if any, after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while True:
            statuses = self.status()
            leader = leader_of(statuses)
            if (leader and has_met(leader, statuses)) or time.monotonic() > deadline:
                return leader
            time.sleep(_POLL_S)

    def serve_requests(self) -> None:
        """For the owner, every now and then: restart the nodes that others asked for."""
        for name in sorted(self.nodes):
            request = self._request_path(name)
            if request.exists():
                # A node that does not start says why in its log; who asked reads it there.
                with suppress(ClusterError):
                    self.restart(name)
                request.unlink(missing_ok=True)

    def _ask_owner_to_restart(self, node: ClusterNode) -> None:
        before = node.process()
        request = self._request_path(node.plan.name)
        request.parent.mkdir(exist_ok=True)
        request.touch()
        deadline = time.monotonic() + READY_TIMEOUT_S + STOP_TIMEOUT_S
        while request.exists():
            if not self.owner() or time.monotonic() > deadline:
                request.unlink(missing_ok=True)
                raise ClusterError(f"{node.plan.name} was not restarted: the process it belongs to does not answer")
            time.sleep(_POLL_S)
        if node.process() == before or node.state() == DEAD:
            raise ClusterError(f"{node.plan.name} did not start: {node.failure()}")

    def _request_path(self, name: str) -> Path:
        return self.directory / "requests" / name

    def _signal(self, selector: str, number: signal.Signals, before: str, after: str) -> str:
        node = self.select(selector)
        state = node.state()
        if state != before or not node.signal(number):
            raise ClusterError(f"{node.plan.name} is {state}, not {before}")
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while node.state() == before and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        if node.state() != after:
            raise ClusterError(f"{node.plan.name} is {node.state()}, not {after}")
        return node.plan.name

    def _start(self, nodes: Sequence[ClusterNode]) -> None:
        launched: list[ClusterNode] = []
        try:
            for node in nodes:
                node.launch()
                launched.append(node)
            deadline = time.monotonic() + READY_TIMEOUT_S
            for node in launched:
                node.await_ready(deadline)
        except BaseException as error:
            for node in launched:
                node.abandon()
            if isinstance(error, OSError):
                raise ClusterError(f"cannot start a node: {error}") from None
            raise

    def _stop(self, nodes: Sequence[ClusterNode]) -> None:
        for node in nodes:
            if node.signal(signal.SIGTERM):
                node.signal(signal.SIGCONT)  # a paused one must wake up to hear it
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for node in nodes:
            if not node.wait(max(0.0, deadline - time.monotonic())):
                node.kill()

    def _refuse_if_owned(self) -> None:
        owner = self.owner()
        if owner:
            raise ClusterError(f"this cluster belongs to a running raftsim demo (pid {owner.pid}): stop that one")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.directory / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def owner_of(directory: Path) -> ProcessId | None:
    """The process that the nodes of the cluster in `directory` are tied to, while it lives."""
    try:
        owner = ProcessId.parse((directory / "owner").read_text())
    except OSError:
        return None
    return owner if owner and owner.state() != DEAD else None


def leader_of(statuses: Sequence[NodeStatus]) -> NodeStatus | None:
    """Who leads: of several that believe it, the one of the newest term."""
    leaders = [status for status in statuses if status.role == LEADER]
    return max(leaders, key=lambda status: status.term, default=None)


def has_met(leader: NodeStatus, statuses: Sequence[NodeStatus]) -> bool:
    """Whether the leader knows the names of all members that answer: each made a link with it, or soon will have."""
    assert leader.raft is not None
    here = {status.rpc_address for status in statuses if status.raft is not None}
    return all(server["name"] or server["address"] not in here for server in leader.raft["configuration"]["servers"])


def entry_point(statuses: Sequence[NodeStatus]) -> NodeStatus:
    """A server for clients to ask: one that runs and that the leader, if there is one, counts as a member."""
    leader = leader_of(statuses)
    servers = leader.raft["configuration"]["servers"] if leader is not None and leader.raft is not None else []
    members = {server["address"] for server in servers}
    running = [status for status in statuses if status.process == RUNNING]
    inside = [status for status in running if status.rpc_address in members]
    return (inside or running or statuses)[0]
