"""What happens in a cluster, as lines for a person: each look compares with the one before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from raftsim.cluster.local import LEADER, LocalCluster, leader_of
from raftsim.cluster.process import PAUSED, RUNNING
from raftsim.cluster.status import NodeStatus
from raftsim.core.output import CANDIDATE, FOLLOWER, PRE_CANDIDATE

_SHOWN_ROLES = {LEADER: "LEADER", FOLLOWER: "FOLLOWER", CANDIDATE: "CANDIDATE", PRE_CANDIDATE: "CANDIDATE"}


class Watcher:
    """Starts from `first`, the statuses the caller has shown already."""

    def __init__(self, cluster: LocalCluster, first: Sequence[NodeStatus]) -> None:
        self._cluster = cluster
        self._names = {node.id: node.name for node in cluster.plan.nodes}
        self._processes = {status.name: (status.pid, status.process) for status in first}
        self._roles = {status.name: (_shown(status), status.term) for status in first if status.raft}
        self._members = frozenset(self._names)

    def changes(self) -> list[str]:
        """What has changed since the last look, one line each."""
        statuses = self._cluster.status()
        lines = [line for status in statuses for line in (*self._process(status), *self._role(status))]
        return lines + list(self._membership(statuses))

    def _process(self, now: NodeStatus) -> Iterator[str]:
        old_pid, old_state = self._processes[now.name]
        self._processes[now.name] = (now.pid, now.process)
        if now.pid != old_pid:
            self._roles.pop(now.name, None)
            if now.pid is None:
                yield _line(now.name, "DOWN", self._cluster.nodes[now.name].ending())
            else:
                yield _line(now.name, "RESTARTED", f"pid {now.pid}")
        elif (old_state, now.process) == (RUNNING, PAUSED):
            yield _line(now.name, "PAUSED")
        elif (old_state, now.process) == (PAUSED, RUNNING):
            yield _line(now.name, "RESUMED")

    def _role(self, now: NodeStatus) -> Iterator[str]:
        if now.raft is None:  # no answer is no news of the server
            return
        old_role, old_term = self._roles.get(now.name, ("FOLLOWER", now.term))
        role = _shown(now)
        self._roles[now.name] = (role, now.term)
        if role == "LEADER" and (old_role, old_term) != (role, now.term):
            yield _line(now.name, role, f"term {now.term}  commit {now.raft['commit_index']}")
        elif role == "FOLLOWER" and old_role != role:
            leader = self._names.get(now.raft["leader"], now.raft["leader"])
            yield _line(now.name, role, f"term {now.term}" + (f"  leader {leader}" if leader else ""))
        elif role != old_role:
            yield _line(now.name, role, f"term {now.term}")

    def _membership(self, statuses: Sequence[NodeStatus]) -> Iterator[str]:
        leader = leader_of(statuses)
        if leader is None or leader.raft is None or not leader.raft["configuration"]["committed"]:
            return
        members = frozenset(server["id"] for server in leader.raft["configuration"]["servers"])
        before, self._members = self._members, members
        for word, ids in (("REMOVED", before - members), ("ADDED", members - before)):
            for id in sorted(ids):
                yield _line(self._names.get(id, id), word, f"the cluster has {len(members)} servers")


def _shown(status: NodeStatus) -> str:
    return _SHOWN_ROLES.get(status.role or "", "")


def _line(name: str, word: str, detail: str = "") -> str:
    return f"{name:<3} {word:<9} {detail}".rstrip()
