"""One run of the swarm: all of it is drawn from the seed, and it must end well.

First a storm, with clients at work: safety. Then all is mended, or only a majority drawn by lot while the rest stays
broken; what is well must converge within a bound, and serve: liveness. In the end every acknowledged write must be
there, or have been replaced, and what the clients saw of all this must be linearizable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from random import Random
from typing import Any, Final, Literal

from raftsim.check import UNKNOWN, Map, linearizable
from raftsim.check.clients.durable import lost_writes
from raftsim.check.clients.exactly_once import exactly_once
from raftsim.check.clients.freshness import freshness
from raftsim.check.violation import InvariantViolated
from raftsim.node.requests import OK, TransferLeadership
from raftsim.sim.build import Observer
from raftsim.sim.clients import Clients, Load
from raftsim.sim.workload import ITEM, Mix
from raftsim.swarm import settle
from raftsim.swarm.settle import demand
from raftsim.swarm.storm import Steadiness, Storm
from raftsim.swarm.wipes import remember
from raftsim.trace.events import Event
from raftsim.trace.record import plain

STORM_S: Final = 60.0
SIZES: Final = (1, 2, 3, 3, 3, 3, 4, 5, 5, 5, 5, 6, 7)
RETURN_S: Final = 10.0  # until a server that lost its disk has its vote again
LINES: Final = 1024  # that go into the digest at once
IDLE_S: Final = 20.0  # until the last call has ended: more than any client's patience and any server's

LINEARIZABILITY: Final = "linearizability"

Verdict = Literal["pass", "violated", "undecided", "unrecoverable"]


@dataclass(frozen=True, slots=True)
class Ending:
    """`judge` and `text` say what is wrong, or what could not be decided. `unrecoverable` is no bug: it came after more
    disks were lost than leave a quorum's copies, and `text` says which. `facts`: how often what rare thing was seen.

    `drawn` is what the run was like, as plain data. The same seed gives the same ending, `digest` and all.
    """

    verdict: Verdict
    judge: str
    text: str
    facts: Mapping[str, int]
    drawn: Mapping[str, Any]
    operations: int
    events: int
    virtual_s: float
    digest: str


def play(seed: int, for_s: float = STORM_S, *, keep_copies: bool = True) -> Ending:
    """The run of `seed`, whose storm lasts `for_s` seconds of virtual time. Without `keep_copies` disks are lost beyond
    what can be repaired; what is broken after that is unrecoverable, and rightly so."""
    return Run(seed, keep_copies=keep_copies).play(for_s)


class Run:
    """One run of the swarm, to be played once. The `observers` are told every event of its `storm`."""

    def __init__(self, seed: int, observers: Iterable[Observer] = (), *, keep_copies: bool = True) -> None:
        rng = Random(f"{seed}/swarm")
        self._hash = blake2b(digest_size=16)
        self._lines: list[str] = []  # not in it yet
        self._time, self._stamp = -1.0, ""  # of the last event: most come several at a time
        steady = {
            "up_s": rng.choice([0, 0.2, 2]),
            "down_s": rng.choice([0, 0.2, 2]),
            "windows": rng.choice([0, 0.5, 1]),
        }
        self.steadiness = Steadiness(**steady)
        self.load = _load(rng)
        self.storm = Storm(
            seed,
            sizes=SIZES,
            steadiness=self.steadiness,
            keep_copies=keep_copies,
            observers=[self._note, *observers],
        )
        self.world = self.storm.world
        self._servers = len(self.world.names)
        self.broken = self._broken(rng)
        self.clients = Clients(self.world, self.load, seed)
        self._rng = rng

    def play(self, for_s: float) -> Ending:
        verdict: Verdict = "pass"
        judge = text = ""
        try:
            self.storm.storm(for_s)
            self.clients.stop()
            self._heal()
            judge, text = self._judge_clients(self._final())
            verdict = "undecided" if judge else "pass"
        except InvariantViolated as violated:
            found = violated.violation
            verdict, judge, text = "violated", found.invariant, f"at {found.time:.6f} s: {found.sentence}"
            if beyond := self.storm.copies.beyond:
                verdict, text = "unrecoverable", f"{beyond}; {text}"
        history = self.clients.history()
        self._lines.extend(f"{operation}\n" for operation in history)
        self._flush()
        return Ending(
            verdict, judge, text, dict(sorted(self.storm.seen.items())), self._drawn(for_s), len(history),
            self.world.events, self.world.now, self._hash.hexdigest(),
        )  # fmt: skip

    def _heal(self) -> None:
        """Mend all there is, or only a majority, and see it work."""
        world, broken = self.world, self._with_the_leader()
        if not broken:
            weather = self.storm.weather
            # A wiped server has heard of no leader yet, so a removed one can disturb the others through it.
            through = weather.wipe > 0 and not weather.settings.pre_vote
            settle.settle(world, retire=not weather.protected or through, copies=self.storm.copies)
            returned = world.run_until(lambda: remember(world), RETURN_S)
            demand(world, returned, settle.CONVERGENCE, "a lost vote is not given back")
        else:
            settle.mend(world, broken)
            for name in sorted(broken):
                self._break_for_good(name)
            world.run(settle.CALM_S)
            self._hand_over_to_the_broken()
            well = next(name for name in world.names if name not in broken)
            world.ask(well, settle.put("first", ""))  # by which a leader notices that its disk hangs; it may be lost
            settle.converge(world, broken)
            settle.serve(world, broken)
        idle = world.run_until(lambda: self.clients.idle, IDLE_S)
        demand(world, idle, settle.SERVICE, "a client never has an answer, not even that there is none")

    def _break_for_good(self, name: str) -> None:
        """It is dead, or frozen, or alone: nobody hears it and it hears nobody. Or its disk hangs. Or only one of the
        others hears it, where that is no quorum, and where a leader looks whether it has one: others stay for ever."""
        world, checked = self.world, self.storm.weather.settings.check_quorum
        odd = ["stuck", "bridged"] if len(world.names) > 3 else ["stuck"]
        how = self._rng.choice(["dead", "frozen", "alone", *(odd if checked else [])])
        if how == "stuck":
            world.disk(name).stall()
            return
        if name in world.alive and how == "dead":
            world.crash(name)
        elif name in world.alive and how == "frozen" and not world.hosts[name].paused:
            world.pause(name)
        bridge = self._rng.choice([other for other in world.names if other not in self.broken])
        for other in world.names:
            if other != name and (how != "bridged" or other != bridge):
                world.cut(name, other)
                world.cut(other, name)

    def _hand_over_to_the_broken(self) -> None:
        """One of them is asked for as the new leader. That comes to nothing, and must not stop the others."""
        world, leader = self.world, self.world.leader()
        if leader is not None and self._rng.random() < 0.5:
            world.submit(leader, TransferLeadership(id=world.ids[min(self.broken)]))

    def _final(self) -> dict[str, Any]:
        """What every key of the clients holds in the end."""
        final = {}
        for key in self.load.mix.names():
            found = self.world.ask(settle.elected(self.world), settle.get(key))
            demand(self.world, found.kind == OK, settle.SERVICE, f"a last read: {found.kind}, {found.reason}")
            variable = found.value["variable"]
            final[key] = variable and variable["Items"][ITEM]
        return final

    def _judge_clients(self, final: Mapping[str, Any]) -> tuple[str, str]:
        """Raises InvariantViolated; returns which judge could not decide, and why, if one could not."""
        history, model, world = self.clients.history(), Map(), self.world
        found = [
            *freshness(history, model),
            *exactly_once(history, model),
            *lost_writes(history, final, world.now, model),
        ]
        if found:
            raise InvariantViolated(found[0])
        judgement = linearizable(history, model)
        demand(world, judgement.verdict != "violated", LINEARIZABILITY, str(judgement))
        return (LINEARIZABILITY, str(judgement)) if judgement.verdict == UNKNOWN else ("", "")

    def _broken(self, rng: Random) -> frozenset[str]:
        """Servers that stay broken in the end: a minority, where the membership is that of the beginning."""
        weather, names = self.storm.weather, self.world.names
        most = (len(names) - 1) // 2
        if weather.change or weather.wipe or not self.storm.founded or not most or rng.random() < 0.3:
            return frozenset()
        return frozenset(rng.sample(names, rng.randint(1, most)))

    def _with_the_leader(self) -> frozenset[str]:
        """Half of the time the leader of this moment is among those that stay broken: its loss is felt most."""
        leader = self.world.leader()
        if self.broken and leader is not None and self._rng.random() < 0.5:
            self.broken = self.broken - {min(self.broken)} | {leader}
        return self.broken

    def _drawn(self, for_s: float) -> dict[str, Any]:
        storm = self.storm
        drawn = {
            "servers": self._servers,
            "storm_s": for_s,
            "founded": storm.founded,
            "disk_form": storm.form,
            "disk_faults": storm.disk_faults,
            "clock_drift": storm.drift,
            "stay_broken": sorted(self.broken),
            "weather": storm.weather,
            "steadiness": self.steadiness,
            "load": self.load,
        }
        found: dict[str, Any] = plain(drawn)
        return found

    def _note(self, event: Event) -> None:
        if event.time != self._time:
            self._time, self._stamp = event.time, repr(event.time)
        self._lines.append(f"{self._stamp} {event.node} {event.kind}\n")
        if len(self._lines) == LINES:
            self._flush()

    def _flush(self) -> None:
        self._hash.update("".join(self._lines).encode())
        self._lines.clear()


def _load(rng: Random) -> Load:
    """Few clients or many, patient or not; all together ask a few times a second, or a dozen times."""
    clients, rate = rng.choice([1, 2, 4, 8]), rng.choice([3, 12, 36])
    answer_timeout_s, patience_s = rng.choice([(0.05, 0.2), (0.5, 5.0), (2.0, 5.0)])
    # An open loop goes on asking of a cluster that cannot answer, which becomes slow to simulate: not too often.
    open_loop = rng.random() < 0.3
    return Load(
        clients=clients,
        mix=Mix(
            keys=rng.choice([1, 2, 4, 8]),
            deletes=rng.choice([0, 1]),
            cas=rng.choice([0, 4]),
            lists=rng.choice([0, 0, 1]),
        ),
        sessions=rng.random() < 0.7,
        open_loop_interval_s=clients / min(rate, 6) if open_loop else None,
        think_s=clients / rate,
        answer_timeout_s=answer_timeout_s,
        patience_s=patience_s,
    )
