"""When a disk may be lost without more being lost than a quorum can bear, and when all is as it was."""

from __future__ import annotations

from raftsim.core.raft import Raft
from raftsim.sim.world import World


def raft_of(world: World, name: str) -> Raft | None:
    node = world.hosts[name].node
    return node.raft if node is not None else None


def wipeable(world: World) -> bool:
    """Whether any one voter may lose its disk now: all members are up and agree, and all voters have their memory.

    Nothing less will do. A membership that only a server which is down knows may need the very vote that is lost.
    """
    assert world.judges is not None
    committed = world.judges.ghost.committed
    _, config = committed.config_at(committed.last)
    if config is None or config.joint or config.returning or len(config.voters) < 3:
        return False
    for id in config.members():
        raft = raft_of(world, world.name_of(id))
        if raft is None or raft.config != config:
            return False
        if config.is_voter(id) and not config.has_vote(id, raft.founding.incarnation):
            return False
    return True


def remember(world: World) -> bool:
    """Whether every voter is the server that was given the vote, as the leader sees it."""
    leader = world.leader()
    raft = raft_of(world, leader) if leader else None
    if raft is None or not raft.open_to_change or raft.config.returning:
        return False
    voters = {id: raft_of(world, world.name_of(id)) for id in raft.config.voters}
    return all(voter and raft.config.has_vote(id, voter.founding.incarnation) for id, voter in voters.items())
