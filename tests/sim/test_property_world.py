"""Any sequence of faults and requests, found and shrunk by hypothesis, under all judges."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from raftsim.core.config import LEARNER, REMOVE, VOTER
from raftsim.core.settings import Settings
from raftsim.node.requests import ChangeMembership, RemovePeer, TransferLeadership
from raftsim.node.settings import NodeSettings
from raftsim.sim.delays import Exponential
from raftsim.sim.disk import BYTES, FORMS, DiskModel, Form
from raftsim.sim.host import PendingOutcome
from raftsim.sim.network import NetworkModel
from raftsim.sim.world import World
from raftsim.swarm.settle import get, put, settle
from raftsim.swarm.wipes import remember, wipeable

NAMES = ("n1", "n2", "n3", "n4")
ADDED = ("n5", "n6")
name = st.sampled_from(NAMES)
op = st.sampled_from([VOTER, LEARNER, REMOVE])


class AnyWorld(RuleBasedStateMachine):
    """The world is strict: every rule that runs it fails at the first violation."""

    @initialize(
        seed=st.integers(0, 2**16),
        loss=st.sampled_from([0.0, 0.1]),
        duplicate=st.sampled_from([0.0, 0.2]),
        pre_vote=st.booleans(),
        check_quorum=st.booleans(),
        stickiness=st.booleans(),
        fast_failover=st.booleans(),
        drift=st.sampled_from([None, 0.01, 1.0]),
        rates=st.lists(st.floats(0, 1), min_size=len(NAMES), max_size=len(NAMES)),
        threshold=st.sampled_from([2, 10]),
        form=st.sampled_from(FORMS),
        founded=st.booleans(),
    )
    def begin(
        self,
        seed: int,
        loss: float,
        duplicate: float,
        pre_vote: bool,
        check_quorum: bool,
        stickiness: bool,
        fast_failover: bool,
        drift: float | None,
        rates: list[float],
        threshold: int,
        form: Form,
        founded: bool,
    ) -> None:
        self.writes = 0
        self.changes: list[PendingOutcome] = []
        self.wiped = False
        rules: dict[str, Any] = {"stickiness": stickiness, "fast_failover": fast_failover}
        if drift is not None:
            stickiness = True
            rules = {"lease_reads": True, "max_clock_drift": drift, "fast_failover": False}
        self.protected = stickiness and (pre_vote or check_quorum)
        self.world = World(
            NAMES,
            seed=seed,
            network=NetworkModel(Exponential(0.01), loss=loss, duplicate=duplicate),
            disk=DiskModel(form=form),
            settings=Settings(pre_vote=pre_vote, check_quorum=check_quorum, **rules).scaled(0.3),
            node_settings=NodeSettings(
                snapshot_threshold_entries=threshold, trailing_entries=1, snapshot_chunk_bytes=100
            ),
            founded=founded or not pre_vote,
        )
        for name, rate in zip(NAMES, rates, strict=True):
            self.world.set_clock(name, rate=1 + rate * (drift or 0))

    @rule(for_s=st.sampled_from([0.001, 0.02, 0.2, 1.0]))
    def run(self, for_s: float) -> None:
        self.world.run(for_s)

    @rule()
    def run_until_there_is_a_leader(self) -> None:
        self.world.run_until(lambda: self.world.leader() is not None, 2)

    @rule(name=name)
    def put(self, name: str) -> None:
        self.writes += 1
        self.world.submit(name, put("key", str(self.writes)))

    @rule(name=name)
    def get(self, name: str) -> None:
        self.world.submit(name, get("key"))

    def members_may_change(self) -> bool:
        """A wiped server first gets its vote back: who else is given up meanwhile may be one too many."""
        self.wiped = self.wiped and not remember(self.world)
        return not self.wiped

    def nothing_is_in_motion(self) -> bool:
        return all(change.outcome for change in self.changes) and wipeable(self.world) and self.members_may_change()

    @precondition(nothing_is_in_motion)
    @rule(name=name)
    def wipe(self, name: str) -> None:
        raft = self.world.hosts[name].node
        if raft is not None and raft.raft.config.is_voter(self.world.ids[name]):
            self.wiped = True
            self.world.wipe(name)

    @precondition(members_may_change)
    @rule(name=name, gone=name)
    def remove(self, name: str, gone: str) -> None:
        self.changes.append(self.world.submit(name, RemovePeer(id=self.world.ids[gone])))

    @precondition(lambda self: len(self.world.names) < len(NAMES + ADDED))
    @rule()
    def add(self) -> None:
        self.world.add(ADDED[len(self.world.names) - len(NAMES)])

    @precondition(members_may_change)
    @rule(name=name, ops=st.dictionaries(st.sampled_from(NAMES + ADDED), op, min_size=1, max_size=4))
    def change(self, name: str, ops: dict[str, str]) -> None:
        hosts = self.world.hosts
        changes = [(op, hosts[other].id, hosts[other].info.address) for other, op in ops.items() if other in hosts]
        self.changes.append(self.world.submit(name, ChangeMembership(tuple(changes))))

    @rule(name=name, heir=st.none() | name)
    def transfer(self, name: str, heir: str | None) -> None:
        self.world.submit(name, TransferLeadership(id=heir and self.world.ids[heir]))

    @rule(name=name)
    def crash_or_restart(self, name: str) -> None:
        if name in self.world.alive:
            self.world.crash(name)
        else:
            self.world.restart(name)

    @rule(name=name)
    def stall_a_disk(self, name: str) -> None:
        self.world.disk(name).stall()

    @precondition(lambda self: self.world.hosts["n1"].disk.model.form == BYTES)
    @rule(name=name, operation=st.sampled_from(["write", "sync", "create"]))
    def break_a_disk(self, name: str, operation: str) -> None:
        self.world.disk(name).fail(operation)

    @precondition(lambda self: self.world.hosts["n1"].disk.model.form == BYTES)
    @rule(name=name, after=st.integers(0, 300))
    def cut_the_power(self, name: str, after: int) -> None:
        self.world.disk(name).cut_power(after)

    @rule(name=name)
    def mend_a_disk(self, name: str) -> None:
        self.world.disk(name).mend()

    @rule(name=name)
    def pause_or_resume(self, name: str) -> None:
        if self.world.hosts[name].paused:
            self.world.resume(name)
        elif name in self.world.alive:
            self.world.pause(name)

    @rule(name=name, refused=st.booleans())
    def isolate(self, name: str, refused: bool) -> None:
        self.world.isolate(name, refused=refused)

    @rule(group=st.sets(name, min_size=1, max_size=3))
    def partition(self, group: set[str]) -> None:
        self.world.partition([sorted(group)])

    @rule(src=name, dst=name)
    def cut(self, src: str, dst: str) -> None:
        self.world.cut(src, dst)

    @precondition(lambda self: self.world.network.cuts)
    @rule()
    def heal(self) -> None:
        self.world.heal()

    def teardown(self) -> None:
        if hasattr(self, "world") and not self.world.violations:
            settle(self.world, retire=not self.protected)
            assert self.world.run_until(lambda: remember(self.world), 10), "a vote is not given back"


AnyWorld.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
TestAnyWorld = AnyWorld.TestCase
