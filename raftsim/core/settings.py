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

    def scaled(self, factor: float) -> Settings:
        """The same with every time multiplied: Nomad's `raft_multiplier`."""
        times = {name: getattr(self, name) * factor for name in self.__slots__ if name.endswith("_s")}
        return replace(self, **times)
