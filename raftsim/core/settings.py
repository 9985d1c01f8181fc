"""Every limit and timeout of the core, with its unit and default, checked once."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are seconds of one monotonic clock. Raises ValueError when they contradict each other."""

    election_timeout_min_s: float = 0.5
    election_timeout_max_s: float = 1.0
    heartbeat_interval_s: float = 0.1
    commit_delay_s: float = 0.02  # how soon followers hear of a commit when no entry carries the news
    pre_vote: bool = True
    check_quorum: bool = True
    fast_failover: bool = True  # stand soon once the leader's process is known to be gone (with pre_vote only)
    failover_delay_max_s: float = 0.05
    stickiness: bool = True  # refuse to vote while a leader is fresh (dissertation 4.2.3)
    lease_reads: bool = False  # answer reads without asking a quorum, while it cannot have another leader (lease.py)
    max_clock_drift: float = 0.01  # by how much one server's clock may run faster than another's, as a fraction
    max_append_entries: int = 1024
    max_append_bytes: int = 1 << 20
    max_inflight_appends: int = 64
    max_inflight_bytes: int = 16 << 20
    max_uncommitted_bytes: int = 64 << 20

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if not isinstance(value, bool) and value <= 0:
                raise ValueError(f"{setting.name} must be positive, got {value}")
        if self.election_timeout_max_s < self.election_timeout_min_s:
            raise ValueError("election_timeout_max_s must not be less than election_timeout_min_s")
        if self.heartbeat_interval_s >= self.election_timeout_min_s:
            raise ValueError("heartbeat_interval_s must be less than election_timeout_min_s")
        if self.lease_reads:
            self._check_leases()

    def _check_leases(self) -> None:
        """A lease is as good as what the voters promise: those of a leader that is heard must elect nobody."""
        if not self.stickiness:
            raise ValueError("lease_reads needs stickiness: without it a new leader may be elected during a lease")
        if self.fast_failover:
            raise ValueError("lease_reads and fast_failover exclude each other: a lease must end before an election")
        if self.heartbeat_interval_s >= self.lease_s:
            raise ValueError(
                f"with max_clock_drift {self.max_clock_drift:g} a lease is {self.lease_s:g} s,"
                f" which must be more than heartbeat_interval_s"
            )

    @property
    def lease_s(self) -> float:
        """How long a lease lasts, by the slowest clock there may be: a promise of the fastest is not over by then."""
        return self.election_timeout_min_s / (1 + self.max_clock_drift)

    def scaled(self, factor: float) -> Settings:
        """The same with every time multiplied: Nomad's `raft_multiplier`."""
        times = {name: getattr(self, name) * factor for name in self.__slots__ if name.endswith("_s")}
        return replace(self, **times)
