"""Split votes (dissertation section 9.1): how often a first election comes to nothing, with a fixed latency.

Timeouts are drawn from [1, 2]; the latency is one way. The probability is a binomial tail (closed_form.py) and needs no
simulation: it judges the simulator.
"""

from __future__ import annotations

from math import sqrt
from typing import Final

from raftsim.experiments.closed_form import split_probability
from raftsim.experiments.elections import Election, elect
from raftsim.sim.delays import Uniform

SERIES: Final = {  # servers, failed, latency as a share of the range of the timeouts
    f"{servers} servers, {failed} failed, latency {latency:.0%}": (servers, failed, latency)
    for servers, failed in ((3, 1), (5, 1), (5, 2), (7, 1), (9, 2), (9, 4))
    for latency in (0.05, 0.1, 0.2)
}
TRIALS: Final = 2000
SIGMAS: Final = 3.5  # of 18 series one is outside by chance in 120 runs


def probability(series: str) -> float:
    """That the first election splits."""
    return split_probability(*SERIES[series])


def setup(series: str) -> Election:
    servers, failed, latency = SERIES[series]
    return Election(
        servers=servers,
        failed=failed,
        unequal=False,
        timeout_min_s=1.0,
        timeout_max_s=2.0,
        delay=Uniform(latency, latency),
    )


def is_split(series: str, seed: int) -> bool:
    return elect(setup(series), seed).terms > 1


def tolerance(series: str, trials: int) -> float:
    """How far chance may take the share of split votes from its probability."""
    p = probability(series)
    return SIGMAS * sqrt(p * (1 - p) / trials)
