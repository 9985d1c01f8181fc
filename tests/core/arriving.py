"""A snapshot that arrives at a follower, chunk by chunk."""

from __future__ import annotations

from raftsim.core.config import Config, of, simple
from raftsim.core.entry import HardState, SnapshotMeta
from raftsim.core.messages import Append, Install, InstallReply
from tests.core.harness import Host, log_of
from tests.core.members import listen

THREE = of("a", "b", "c")
FOUR = simple(THREE, [listen("d")])
STATE = b"one|two|x"  # nine bytes: chunks of 4, 4 and 1
META = SnapshotMeta(5, 2, THREE, 1)


def follower(*terms: int, commit: int = 0, slow_disk: bool = False, config: Config = THREE) -> Host:
    """`b` in term 2, whose log has these terms from index 2 on."""
    host = Host("b", log_of(config, *terms), hard=HardState(2), slow_disk=slow_disk)
    if commit:
        host.receive(Append(2, "a", "b", commit, host.raft.log.term_at(commit) or 0, [], commit, 1))
        host.take()
    return host


def chunk(offset: int, *, meta: SnapshotMeta = META, term: int = 2, src: str = "a", size: int = 4) -> Install:
    data = STATE[offset : offset + size]
    return Install(term, src, "b", meta, offset, data, offset + size >= len(STATE), 3)


def whole(meta: SnapshotMeta = META, *, term: int = 2, src: str = "a") -> Install:
    return chunk(0, meta=meta, term=term, src=src, size=len(STATE))


def answers(host: Host) -> list[tuple[int, bool]]:
    """(offset, done) of each answer that left since the last call."""
    return [(reply.offset, reply.done) for reply in host.took(InstallReply)]
