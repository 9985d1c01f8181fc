"""Figure 16 of the extended Raft paper: time without a leader on a fast network, by the range of the timeouts.

Five servers; the leader crashes at a random moment between two heartbeats, which all others got at about the same time;
the four survivors have logs of different lengths, so two cannot win. Measured from the crash until the others have
heard the new leader. The paper gives a broadcast time of about 15 ms and nothing more about network and disk; the
latencies below are chosen so that the curves agree. A candidate here waits for its own disk before it asks for votes
(LogCabin did both at once), so its write counts in the time in which others may stand as well.
"""

from __future__ import annotations

from random import Random
from typing import Final

from raftsim.experiments.elections import Election, elect
from raftsim.sim.delays import Uniform

SERIES: Final = {  # election timeouts, ms
    "150-155": (150, 155),
    "150-175": (150, 175),
    "150-200": (150, 200),
    "150-300": (150, 300),
    "12-24": (12, 24),
    "25-50": (25, 50),
    "50-100": (50, 100),
    "100-200": (100, 200),
}
TRIALS: Final = 1000
WITHIN: Final = 0.10
DELAY: Final = Uniform(0.0014, 0.0032)
WRITE_S: Final = (0.0004, 0.0009)


def setup(series: str) -> Election:
    least, most = SERIES[series]
    return Election(
        servers=5,
        failed=1,
        unequal=True,
        timeout_min_s=least / 1000,
        timeout_max_s=most / 1000,
        delay=DELAY,
        write_min_s=WRITE_S[0],
        write_max_s=WRITE_S[1],
        synchronised=True,
        heard=True,
    )


def trial_ms(series: str, seed: int) -> float:
    """Time without a leader, in ms: the crash comes at a random moment within a heartbeat interval."""
    election = setup(series)
    crash_s = Random(f"{seed}/crash").uniform(0, election.heartbeat_s)
    return 1000 * (elect(election, seed).after_s - crash_s)
