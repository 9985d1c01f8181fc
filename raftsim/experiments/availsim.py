"""AvailSim (dissertation chapter 9): elections over a wide area, with fresh timers and infinitely fast disks.

Five servers, one-way latency of 30 to 40 ms, timeouts of 300 to 600 ms; it ends when a candidate has its majority.
Where logs differ they all have different lengths, so two of the survivors cannot win.
"""

from __future__ import annotations

from typing import Final

from raftsim.experiments.elections import Election, elect
from raftsim.sim.delays import Uniform

SERIES: Final = {  # failed, whether logs differ
    f"{'logs differ' if unequal else 'equal logs'}, {failed} failed": (failed, unequal)
    for unequal in (False, True)
    for failed in (0, 1, 2)
}
TRIALS: Final = 10_000
WITHIN: Final = 0.03


def setup(series: str) -> Election:
    failed, unequal = SERIES[series]
    return Election(
        servers=5, failed=failed, unequal=unequal, timeout_min_s=0.3, timeout_max_s=0.6, delay=Uniform(0.03, 0.04)
    )


def trial_ms(series: str, seed: int) -> float:
    """Until a candidate has its majority, in ms."""
    return 1000 * elect(setup(series), seed).after_s
