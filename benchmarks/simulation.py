"""The speed of the simulator: python -m benchmarks.simulation -help

The standard load is 5 servers with heartbeats of 50 ms and election timeouts of 150 to 300 ms, 10 clients that ask 20
times a second each, 1 % of the messages lost, and delays drawn from an exponential distribution with a mean of 5 ms.
An event is an entry of the simulator's queue whose handler ran; a delivery is a message handed to a server. A seed of
the swarm is a complete run of `raftsim sweep swarm`, whose storm lasts 60 seconds of virtual time.
"""

from __future__ import annotations

import gc
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from benchmarks import swarm
from benchmarks.options import count, counts, duration, parser, run
from benchmarks.report import Cells, Row, progress, publish
from raftsim.check.durability import Durability
from raftsim.check.judges import INVARIANTS, Judges
from raftsim.core.settings import Settings
from raftsim.sim.clients import Clients, Load
from raftsim.sim.delays import Exponential
from raftsim.sim.network import NetworkModel
from raftsim.sim.world import World
from raftsim.swarm.run import STORM_S
from raftsim.trace.events import Event

SETTINGS: Final = Settings(election_timeout_min_s=0.15, election_timeout_max_s=0.3, heartbeat_interval_s=0.05)
NETWORK: Final = NetworkModel(Exponential(0.005), loss=0.01)
START_S: Final = 2.0  # until a leader was elected and links were made
LOAD: Final = Load(clients=10, open_loop_interval_s=0.05)


@dataclass(frozen=True, slots=True)
class Run:
    """`for_s`: of virtual time."""

    servers: int
    judges: bool
    for_s: float
    load: Load | None = LOAD
    seed: int = 1

    def world(self, *observers: Callable[[Event], None]) -> World:
        return World(
            self.servers,
            seed=self.seed,
            settings=SETTINGS,
            network=NETWORK,
            judges=self.judges,
            observers=observers,
        )


def measure(what: Run) -> Row:
    """One run: its events, deliveries and simulated seconds of servers, per second of CPU time.

    One at rest is measured once it is: many servers begin with a link between any two of them.
    """
    world = what.world()
    if what.load is None:
        world.run(START_S)
    else:
        Clients(world, what.load, what.seed)
    events, delivered = world.events, world.network.delivered
    gc.collect()
    began = time.process_time()
    world.run(what.for_s)
    took = time.process_time() - began
    events, delivered = world.events - events, world.network.delivered - delivered
    return {
        "servers": what.servers,
        "judges": what.judges,
        "events": events,
        "seconds": took,
        "events_per_s": events / took,
        "deliveries_per_s": delivered / took,
        "server_seconds_per_s": what.servers * what.for_s / took,
        "us_per_delivery": 1e6 * took / delivered,
    }


def judge_costs(for_s: float, rounds: int) -> list[Row]:
    """What each invariant adds to an event of the standard load, apart from the ghost that all of them share."""
    events: list[Event] = []
    world = Run(5, judges=False, for_s=for_s).world(events.append)
    Clients(world, LOAD, 1)
    world.run(for_s)
    names = {id: name for name, id in world.ids.items()}

    def cost_us(*invariants: type) -> float:
        found = []
        for _ in range(rounds):
            judges = Judges(names, invariants)
            began = time.process_time()
            for event in events:
                if event.kind in Judges.kinds:
                    judges.observe(event)
            found.append(1e6 * (time.process_time() - began) / world.events)
            assert not judges.violations
        return median(found)

    least = cost_us(Durability)
    rows: list[Row] = [{"judge": "the ghost, and durability", "us_per_event": least}]
    for invariant in INVARIANTS:
        if invariant is not Durability:
            rows.append({"judge": invariant.name, "us_per_event": cost_us(invariant, Durability) - least})
            progress(f"{invariant.name:<24} {rows[-1]['us_per_event']:.2f} us")
    rows.append({"judge": "all together", "us_per_event": cost_us(*INVARIANTS)})
    return rows


def main(args: Sequence[str]) -> None:
    options = parser("simulation", "Events per second of CPU time.", ())
    options.add_argument("-seconds", type=duration, default=60.0, help="of virtual time, for each run (60)")
    options.add_argument("-rounds", type=count, default=3)
    options.add_argument("-servers", type=counts, default=[3, 5, 7, 31, 101], help="sizes to compare (3,5,7,31,101)")
    options.add_argument("-seeds", type=count, default=40, help="of the swarm, for each number of processes (40)")
    options.add_argument("-storm", type=duration, default=STORM_S, help="seconds of virtual time of each seed (60)")
    options.add_argument("-workers", type=counts, default=[1, 2], help="processes that share the seeds (1,2)")
    chosen = options.parse_args(args)
    rows = _runs(chosen)
    costs = judge_costs(min(chosen.seconds, 20.0), chosen.rounds)
    seeds = [swarm.sweep(workers, chosen.seeds, chosen.storm) for workers in chosen.workers]
    tables = [_speed(rows), _sizes(rows, chosen.servers), _costs(costs), swarm.table(seeds)]
    publish(chosen, "simulation", args, rows + costs + seeds, tables)


def _runs(chosen: Namespace) -> list[Row]:
    standard = [Run(5, judges, chosen.seconds) for judges in (False, True)]
    # Many servers for a shorter time, and at rest: the cost of a delivery is what is compared.
    sizes = [
        Run(servers, judges=False, for_s=chosen.seconds * min(1.0, 5 / servers), load=None)
        for servers in chosen.servers
    ]
    rows = []
    for _ in range(chosen.rounds):
        for what in standard + sizes:
            rows.append(measure(what) | {"at_rest": what.load is None})
            progress(f"{what.servers:>4} servers  judges {what.judges}  {rows[-1]['events_per_s']:>9,.0f} events/s")
    return rows


def _median(rows: Sequence[Row], key: str, **place: object) -> float:
    figures: list[float] = [row[key] for row in rows if place.items() <= row.items()]
    return median(figures)


def _speed(rows: Sequence[Row]) -> Cells:
    cells = [["standard load", "events/s", "deliveries/s", "server-seconds/s"]]
    for judges, name in ((False, "no judges"), (True, "every invariant")):
        keys = ("events_per_s", "deliveries_per_s", "server_seconds_per_s")
        found = [_median(rows, key, judges=judges, at_rest=False) for key in keys]
        cells.append([name, *(f"{figure:,.0f}" for figure in found)])
    return cells


def _sizes(rows: Sequence[Row], sizes: Sequence[int]) -> Cells:
    cells = [["servers, at rest", "us a delivery", "beside the first", "server-seconds/s"]]
    first = _median(rows, "us_per_delivery", servers=sizes[0], at_rest=True)
    for servers in sizes:
        us = _median(rows, "us_per_delivery", servers=servers, at_rest=True)
        speed = _median(rows, "server_seconds_per_s", servers=servers, at_rest=True)
        cells.append([str(servers), f"{us:.1f}", f"{us / first:.2f}", f"{speed:,.0f}"])
    return cells


def _costs(rows: Sequence[Row]) -> Cells:
    return [["judge", "us an event"], *([row["judge"], f"{row['us_per_event']:.2f}"] for row in rows)]


if __name__ == "__main__":
    run(lambda: main(sys.argv[1:]))
