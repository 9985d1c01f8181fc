"""Latency and throughput of a leader (dissertation chapter 10), by the number of servers and of clients.

What was published was measured with LogCabin on real machines; what a simulation can say of it follows from the costs
it names. Three of these are fitted to three of the published numbers: the way of a client and the processing of its
request to the latency of one server, the way between servers to that of two, and the leader's work with each entry to
the throughput of one server with a hundred clients. A durable write of 1 KiB took 0.25 ms there, and sending 1 KiB over
a gigabit link takes 8 us for each follower: both are printed. Everything else comes out.

What comes out: that a second server costs one way there and back and no second write, that more servers then cost
nothing to a single client, and how far many clients raise the throughput, which falls with each follower that has to be
sent everything. What does not: ten clients. LogCabin served them half as fast; what its threads cost each other is no
cost of this list.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from raftsim.experiments.curves import published_data
from raftsim.experiments.parts import Expected, Measured, Part
from raftsim.experiments.report import Axis, Chart, Point
from raftsim.machine.variables import put_command
from raftsim.node.requests import OK, Command, Outcome
from raftsim.sim.delays import Uniform
from raftsim.sim.disk import DiskModel
from raftsim.sim.network import NetworkModel
from raftsim.sim.world import World

WRITE_S: Final = 0.00025  # a durable write of 1 KiB, as printed
CLIENT_S: Final = 0.00042  # to a server and back, and all that is done with a request there: 0.67 ms less a write
ONE_WAY_S: Final = 0.000155  # between servers: half of 0.98 - 0.67 ms
ENTRY_S: Final = 0.000034  # the leader's work with each entry: 1 / 29,464
SEND_S: Final = 0.0000082  # for each follower, 1 KiB at a gigabit a second
JITTER: Final = 0.1  # ways and writes take up to so much more or less

SERVERS: Final = (1, 2, 3, 4, 5)
CLIENTS: Final = (1, 10, 100)
TRIALS: Final = 5
WARM_UP_S: Final = 0.02
RUN_S: Final = 0.2
WITHIN: Final = 0.15
EXACT: Final = 0.01
CHART: Final = Chart(
    "operations per second over the number of servers", Axis("servers", one="server"), Axis("/s", log=True)
)

PUBLISHED: Final[dict[str, list[float]]] = published_data("throughput")["operations_per_s"]
VALUE: Final = Command(put_command("default", "key", {"value": "x" * 1024}, None, 0))


def _cluster(servers: int, seed: int, jitter: float) -> tuple[World, str]:
    """Servers that have a leader, and its name."""

    def around(mean_s: float) -> tuple[float, float]:
        return mean_s * (1 - jitter), mean_s * (1 + jitter)

    network, disk = NetworkModel(Uniform(*around(ONE_WAY_S))), DiskModel(*around(WRITE_S))
    world = World(servers, seed=seed, network=network, disk=disk, judges=False)
    world.run_until(lambda: any(_ready(world, name) for name in world.names), 60)
    leader = world.leader()
    assert leader is not None
    return world, leader


def _ready(world: World, name: str) -> bool:
    node = world.hosts[name].node
    return node is not None and node.raft.ready


class _Clients:
    """A closed loop: each asks again when it has its answer. `done` counts the answers."""

    def __init__(self, world: World, leader: str, count: int) -> None:
        self.done = 0
        self._world, self._leader = world, leader
        for place in range(count):
            world.after(CLIENT_S * place / count, self._ask)

    def _ask(self) -> None:
        self._world.after(CLIENT_S / 2, self._arrive)

    def _arrive(self) -> None:
        self._world.submit(self._leader, VALUE, self._answered)

    def _answered(self, outcome: Outcome) -> None:
        assert outcome.kind == OK, outcome
        self._world.after(CLIENT_S / 2, self._count)

    def _count(self) -> None:
        self.done += 1
        self._ask()


def operations_per_s(servers: int, clients: int, seed: int) -> float:
    """With a cluster at rest, and so many clients that write as fast as they are answered."""
    world, leader = _cluster(servers, seed, JITTER)
    world.slow_apply(leader, ENTRY_S + SEND_S * (servers - 1))
    load = _Clients(world, leader, clients)
    world.run(WARM_UP_S)
    before = load.done
    world.run(RUN_S)
    return (load.done - before) / RUN_S


def _rates(clients: int, seed: int) -> Measured:
    rates = [operations_per_s(servers, clients, seed) for servers in SERVERS]
    return Measured((*rates, rates[0] / rates[-1]), _line(rates))


def _line(rates: list[float]) -> tuple[Point, ...]:
    return tuple((float(servers), rate) for servers, rate in zip(SERVERS, rates, strict=True))


def _of_clients(clients: int) -> Part:
    published = PUBLISHED[_name(clients)]
    bounds = [None if clients == 10 else WITHIN * rate for rate in published]
    rates = [
        Expected(_servers(servers), rate, bound, "/s")
        for servers, rate, bound in zip(SERVERS, published, bounds, strict=True)
    ]
    fall = published[0] / published[-1]
    ratio = Expected("1 server / 5 servers", fall, WITHIN * fall, "")
    return Part(partial(_rates, clients), (*rates, ratio), _line(published))


def _name(clients: int) -> str:
    return "1 client" if clients == 1 else f"{clients} clients"


def _servers(count: int) -> str:
    return "1 server" if count == 1 else f"{count} servers"


# one write, without clients' ways and without jitter


def as_it_is(world: World, leader: str) -> None:
    """A leader's Appends travel while its own disk works."""


def write_first(world: World, leader: str) -> None:
    """As if a leader sent nothing before its own disk has it: what it sends is on its way for a write longer."""
    for name in world.names:
        if name != leader:
            world.link(leader, name, NetworkModel(Uniform(ONE_WAY_S + WRITE_S, ONE_WAY_S + WRITE_S)))


def slow_leader(world: World, leader: str) -> None:
    """Its disk is four times as slow as the others'; it commits nothing that it does not hold itself."""
    world.disk(leader).slow(4)


def latency_ms(prepare: Callable[[World, str], Any], seed: int) -> Measured:
    """Of one write by three servers at rest, from the leader's taking it in to its answer."""
    world, leader = _cluster(3, seed, 0.0)
    prepare(world, leader)
    began = world.now
    world.ask(leader, VALUE)
    return Measured((1000 * (world.now - began),))


def _one_write(prepare: Callable[[World, str], Any], expected_s: float) -> Part:
    expected = Expected("latency", 1000 * expected_s, EXACT * 1000 * expected_s)
    return Part(partial(latency_ms, prepare), (expected,))


SERIES: Final = {
    "one write": _one_write(as_it_is, 2 * ONE_WAY_S + WRITE_S),
    "leader writes first": _one_write(write_first, 2 * ONE_WAY_S + 2 * WRITE_S),
    "leader 4 times as slow": _one_write(slow_leader, max(4 * WRITE_S, 2 * ONE_WAY_S + WRITE_S)),
    **{_name(clients): _of_clients(clients) for clients in CLIENTS},
}
