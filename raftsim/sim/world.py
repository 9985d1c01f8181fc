"""The simulated world: servers, network, disks and clients in virtual time, in one thread, from one seed.

The turn rule: an event (a delivery, a finished sync, a timer, a request) is handed to its server, and every server
that asked for a turn takes it right after, before the next event. Same seed, same arguments, same calls: same run.

Faults are methods, called between events. Servers are named by `name` ("n1"); messages and configurations speak of
ids, which are addresses in raft protocol 2 and UUIDs in 3 (`ids` maps one to the other). A server that is added has an
empty disk: it is nobody until a configuration names it. One that is wiped finds the first configuration on its new
disk if it was among the first servers, as an agent with the same configuration file does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any

from raftsim.check.ghost import Limits
from raftsim.check.judges import Judges
from raftsim.check.violation import InvariantViolated, Violation
from raftsim.core.config import Config, Server, initial
from raftsim.core.entry import Restored, bootstrapped
from raftsim.core.output import LEADER
from raftsim.core.settings import Settings
from raftsim.machine.base import Machine
from raftsim.machine.standard import standard_machine
from raftsim.node.presence import PING_INTERVAL_S
from raftsim.node.requests import Outcome, Request
from raftsim.node.restore import steps
from raftsim.node.settings import NodeSettings
from raftsim.sim.build import Build, Observer
from raftsim.sim.disk import DiskModel
from raftsim.sim.diskfaults import DiskFaults
from raftsim.sim.holds import Hold, Match
from raftsim.sim.host import Host, PendingOutcome
from raftsim.sim.members import Members
from raftsim.sim.network import Link, Network, NetworkModel
from raftsim.sim.timeline import Timeline
from raftsim.trace.events import FAULT, TOLD_BY_NODE, TOLD_BY_WORLD, Event


class World:
    """A cluster of `nodes` servers (a number, or their names) that starts at time 0.

    `judges`: watch every invariant; `strict`: raise InvariantViolated at the first violation (else they gather in
    `violations`). `observers` are told every Event, in order. `machine` makes the state machine of a starting server.
    `down`: names of servers that are not started. `held`: what the disk of a server holds at first, given its name and
    the configuration of all. `links`: one direction of one link (src, dst), by names, that differs from `network`.
    `founded`: the first servers know that they are founders; else they find out (core/founding.py).

    Attributes to read: `names`, `ids` and `hosts` (both by name), `network` (with its counters), `judges` (or None).
    """

    def __init__(
        self,
        nodes: int | Sequence[str] = 3,
        *,
        seed: int = 0,
        raft_protocol: int = 2,
        settings: Settings | None = None,
        node_settings: NodeSettings | None = None,
        network: NetworkModel | None = None,
        links: Mapping[tuple[str, str], NetworkModel] | None = None,
        disk: DiskModel | None = None,
        machine: Callable[[], Machine] = standard_machine,
        judges: bool = True,
        strict: bool = True,
        founded: bool = True,
        observers: Iterable[Observer] = (),
        down: Collection[str] = (),
        held: Callable[[str, Config], Restored] | None = None,
    ) -> None:
        self.names = tuple(f"n{number + 1}" for number in range(nodes)) if isinstance(nodes, int) else tuple(nodes)
        self.seed = seed
        self.ids: dict[str, str] = {}
        self.hosts: dict[str, Host] = {}
        self._members = Members(seed, raft_protocol)
        self._strict = strict
        self._timeline = Timeline()
        self._listeners: defaultdict[str, list[Observer]] = defaultdict(list)
        settings, node_settings = settings or Settings(), node_settings or NodeSettings()
        limits = Limits(settings.max_uncommitted_bytes, node_settings.max_pending_requests)
        self.judges = Judges(self._members.names, limits=limits) if judges else None
        self.violations: list[Violation] = self.judges.violations if self.judges else []
        if self.judges is not None:
            self._listen(self.judges.observe, self.judges.kinds)
        for observer in observers:
            self._listen(observer, TOLD_BY_NODE + TOLD_BY_WORLD)
        self._by_id: dict[str, Host] = {}
        self.network = Network(self._timeline, network or NetworkModel(), Random(f"{seed}/network"), self._by_id)
        common = (disk or DiskModel(), seed, self._listeners, self._timeline, self.network)
        self._build = Build(settings, node_settings, machine, *common)
        self._first = self.names
        self._genesis = initial(Server(info.id, info.address) for info in map(self._members.add, self.names))
        for name in self.names:
            store = bootstrapped(self._genesis) if founded else self._new_store(name)
            self._set_up(name, store if held is None else held(name, self._genesis))
        for (src, dst), model in (links or {}).items():
            self.network.usual[self.ids[src], self.ids[dst]] = model
        self.network.models.update(self.network.usual)
        for name in self.names:
            if name not in down:
                self._start(name)

    # time

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return self._timeline.now

    @property
    def events(self) -> int:
        """How many entries of the queue have been handled."""
        return self._timeline.events

    def run(self, for_s: float) -> None:
        """Run `for_s` seconds of virtual time. Raises InvariantViolated when strict."""
        self._advance(self.now + for_s, None)

    def run_until(self, predicate: Callable[[], bool], within_s: float) -> bool:
        """Run until `predicate()` holds (asked now and after every event): True, or False after `within_s` seconds."""
        return predicate() or self._advance(self.now + within_s, predicate)

    def step(self) -> bool:
        """Handle one event. False when there is none left."""
        queue = self._timeline.queue
        if not queue:
            return False
        self._advance(queue[0][0], lambda: True)
        return True

    def _advance(self, end: float, predicate: Callable[[], bool] | None) -> bool:
        alarms = self.violations if self._strict else []
        reached = self._timeline.advance(end, predicate, alarms)
        if alarms:
            raise InvariantViolated(alarms[0])
        return reached

    # clients

    def submit(self, name: str, request: Request, done: Callable[[Outcome], None] | None = None) -> PendingOutcome:
        """Ask server `name`; the handle's `outcome` is None until it is known, then `done` is called with it.

        `done` may submit more. A server that is down refuses (UNREACHABLE); one that crashes leaves its clients with
        unknown (LINK_LOST).
        """
        pending = PendingOutcome(name, request, done)
        self._timeline.at(self.now, self.hosts[name].ask, pending)
        return pending

    def ask(self, name: str, request: Request, within_s: float = 60.0) -> Outcome:
        """Submit and run until the outcome is known. Raises TimeoutError after `within_s` virtual seconds."""
        pending = self.submit(name, request)
        self.run_until(lambda: pending.outcome is not None, within_s)
        if pending.outcome is None:
            raise TimeoutError(f"no outcome from {name} within {within_s} s of virtual time")
        return pending.outcome

    def restore(self, name: str, state: Iterable[bytes]) -> PendingOutcome:
        """An operator's restore by way of server `name`: the state of the machine replaced on all servers.

        The handle's `request` is the step that is being worked on; its `outcome` is that of `node.restore.steps`.
        """
        requests = steps(state)
        restoring = PendingOutcome(name, next(requests))

        def go_on(outcome: Outcome) -> None:
            try:
                restoring.request = requests.send(outcome)
                self.submit(name, restoring.request, go_on)
            except StopIteration as end:
                restoring.outcome = end.value

        self.submit(name, restoring.request, go_on)
        return restoring

    def after(self, delay_s: float, act: Callable[[], None]) -> None:
        """Call `act()` in virtual time: the clock of those who are no servers."""
        self._timeline.at(self._timeline.now + delay_s, _call, act)

    def start_pings(self) -> None:
        """From now on servers tell each other that they live, as live ones do (node/presence.py): no trace is as
        before, so nobody does it unasked."""
        for host in self.hosts.values():
            host.ping()
        self.after(PING_INTERVAL_S, self.start_pings)

    # views

    def status(self, name: str) -> dict[str, Any] | None:
        """`Node.status()` of a server that is up, without what it measured, else None."""
        node = self.hosts[name].node
        return None if node is None else node.status(measured=False)

    def members(self, name: str) -> dict[str, str]:
        """Who is alive, failed or left, by name, in the eyes of the server `name`, which is up."""
        node = self.hosts[name].node
        assert node is not None, name
        return {self.name_of(member["id"]): member["status"] for member in node.members()}

    def leader(self) -> str | None:
        """The name of the leader with the highest term among the servers that are up (paused ones too), or None."""
        up = [(host.node.raft, name) for name, host in self.hosts.items() if host.node is not None]
        return max(((raft.term, name) for raft, name in up if raft.role == LEADER), default=(0, None))[1]

    @property
    def alive(self) -> tuple[str, ...]:
        """Names of the servers that are up, paused ones too."""
        return tuple(name for name in self.names if self.hosts[name].node is not None)

    def name_of(self, id: str) -> str:
        return self._members.names[id]

    # servers and faults

    def add(self, name: str) -> None:
        """Start one more server, with an empty disk, that no configuration knows yet. Raises ValueError: it exists."""
        self._members.add(name)
        self._tell("add", name)
        self.names += (name,)
        self._set_up(name, self._new_store(name))
        self._start(name)

    def crash(self, name: str) -> None:
        """Kill a server: memory is lost; the disk keeps every synced write and a random prefix of the others."""
        self._tell("crash", name)
        self.hosts[name].crash()

    def stop(self, name: str) -> None:
        """Stop a server in good order: its clients are answered and its disk is up to date."""
        self._tell("stop", name)
        self.hosts[name].stop()

    def wipe(self, name: str) -> None:
        """Lose the disk of a server; one that is up crashes first. It can be restarted, under its old name."""
        if self.hosts[name].node is not None:
            self.crash(name)
        self._tell("wipe", name)
        self.hosts[name].wipe(self._new_store(name))

    def restart(self, name: str) -> None:
        """Start a server that is down from what its disk holds. It stays down if that must not be (`Host.halted`)."""
        self._tell("restart", name)
        self._start(name)

    def pause(self, name: str) -> None:
        """Freeze a server: inputs wait, timers are late. Its disk goes on."""
        self.hosts[name].pause()

    def resume(self, name: str) -> None:
        """Let it go on, with everything that waited."""
        self.hosts[name].resume()

    def slow_apply(self, name: str, apply_s: float) -> None:
        """A server that is busy for so long with every entry it applies, through restarts too; 0: no more."""
        self._tell("slow apply", name, repr(apply_s))
        self.hosts[name].slow_apply(apply_s)

    def set_clock(self, name: str, *, rate: float = 1.0, jump_s: float = 0.0) -> None:
        """A bad clock: it jumps forward, then runs `rate` times as fast as true time, through restarts too.

        Raises ValueError for what no monotonic clock does.
        """
        self.hosts[name].clock.set(rate, jump_s)
        self._tell("clock", name, repr(rate), repr(jump_s))

    def isolate(self, name: str, *, refused: bool = False) -> None:
        """Cut a server off from all others, both ways. Its clients still reach it.

        With `refused` it finds its links broken and new ones refused, as if all others were dead; they notice nothing.
        """
        if refused:
            self.network.shut_out(self.hosts[name])
        self.partition([[name]])

    def partition(self, groups: Iterable[Iterable[str]]) -> None:
        """Cut all links between different groups; servers in no group form one more. Adds to earlier cuts."""
        group_of = {name: number for number, group in enumerate(groups) for name in group}
        for src in self.names:
            for dst in self.names:
                if group_of.get(src) != group_of.get(dst):
                    self.cut(src, dst)

    def cut(self, src: str, dst: str) -> None:
        """Cut the link one way. A cut link drops at delivery: what is in flight is lost too."""
        self._tell("cut", src, dst)
        self.network.cuts.add((self.ids[src], self.ids[dst]))

    def heal(self) -> None:
        """Mend every cut. Servers that could not make a link because of it make it now."""
        self._tell("heal")
        healed = sorted(self.network.cuts)
        self.network.cuts.clear()
        for src_id, dst_id in healed:
            src, dst = self._by_id[src_id], self._by_id[dst_id]
            if src.node is not None and dst.node is not None:
                self.network.introduce(src, dst)

    def link(self, src: str, dst: str, model: NetworkModel | None) -> None:
        """Give one direction of one link its own model; None: what it had at first."""
        self._tell("link", src, dst, repr(model))
        link: Link = (self.ids[src], self.ids[dst])
        self.network.models.pop(link, None)
        if (model := model or self.network.usual.get(link)) is not None:
            self.network.models[link] = model

    def clog(self, src: str, dst: str, for_s: float) -> None:
        """Let nothing arrive over the link, one way, for so long; then everything arrives, in order."""
        self._tell("clog", src, dst, repr(for_s))
        self.network.clogs[self.ids[src], self.ids[dst]] = self.now + for_s

    def hold(self, match: Match, limit: int | None = None) -> Hold:
        """From now on keep every message that fits, at most `limit`, until the hold is told what becomes of it."""
        parts = (match.kinds, match.src, match.dst)
        self._tell("hold", *("any" if part is None else " ".join(sorted(part)) for part in parts), str(limit))
        hold = Hold(match, limit, self.network, partial(self._tell, "held"))
        self.network.holds.append(hold)
        return hold

    def disk(self, name: str) -> DiskFaults:
        """What can be done to the disk of server `name`, up or down."""
        return DiskFaults(name, self.hosts[name].disk, self._tell)

    # within

    def _set_up(self, name: str, held: Restored) -> None:
        info = self._members.infos[name]
        self.ids[name] = info.id
        self.hosts[name] = self._by_id[info.id] = Host(info, name, held, self._build)

    def _new_store(self, name: str) -> Restored:
        store = bootstrapped(self._genesis) if name in self._first else Restored()
        store.incarnation = self._members.new_incarnation()
        return store

    def _start(self, name: str) -> None:
        host = self.hosts[name]
        host.start()
        if host.node is not None:
            self.network.connect(host)

    def _listen(self, observer: Observer, kinds: Iterable[str]) -> None:
        for kind in kinds:
            self._listeners[kind].append(observer)

    def _tell(self, *what: str) -> None:
        for listener in self._listeners[FAULT]:
            listener(Event(self.now, "", FAULT, what))


def _call(act: Callable[[], None]) -> None:
    act()
