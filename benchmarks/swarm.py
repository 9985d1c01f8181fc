"""The swarm's part of benchmarks.simulation: complete runs, all judges and the start of the processes included."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import mean, median

from benchmarks.report import Cells, Row, progress
from benchmarks.systems import BenchmarkError
from raftsim.sweep.result import FAILED, Result
from raftsim.sweep.spread import processes, spread
from raftsim.sweep.subjects import Swarm


@dataclass(frozen=True, slots=True)
class Timed(Swarm):
    """The swarm, whose results tell of their CPU time instead of what was drawn."""

    def run(self, seed: int) -> Result:
        began = time.process_time()
        result = Swarm.run(self, seed)
        return replace(result, drawn={"cpu_s": time.process_time() - began})


def sweep(workers: int, seeds: int, storm_s: float) -> Row:
    """The seeds from 0 on, spread over so many processes. Raises BenchmarkError if one fails: nothing was measured."""
    results: list[Result] = []
    began = time.perf_counter()
    with processes(workers) as executor:
        spread(Timed(storm_s), range(seeds), executor, workers, results.append)
    took = time.perf_counter() - began
    failed = [result for result in results if result.verdict == FAILED]
    if failed:
        raise BenchmarkError(f"seed {failed[0].seed} of the swarm failed: {failed[0].text}")
    cpu_s = [result.drawn["cpu_s"] for result in results]
    row: Row = {
        "workers": workers,
        "seeds": seeds,
        "storm_s": storm_s,
        "seconds": took,
        "seeds_per_hour": 3600 * seeds / took,
        "cpu_s": cpu_s,
        "mean_cpu_s": mean(cpu_s),
        "median_cpu_s": median(cpu_s),
    }
    progress(f"swarm on {workers}: {row['seeds_per_hour']:,.0f} seeds/h, {row['mean_cpu_s']:.2f} CPU s a seed")
    return row


def table(rows: Sequence[Row]) -> Cells:
    """One line for each number of processes; their efficiency is beside the first, process for process."""
    cells = [["swarm, processes", "seeds/h", "efficiency", "CPU s a seed, mean", "median"]]
    first = rows[0]["seeds_per_hour"] / rows[0]["workers"]
    for row in rows:
        efficiency = row["seeds_per_hour"] / row["workers"] / first
        figures = (f"{row['seeds_per_hour']:,.0f}", f"{efficiency:.2f}")
        cells.append([str(row["workers"]), *figures, f"{row['mean_cpu_s']:.2f}", f"{row['median_cpu_s']:.2f}"])
    return cells
