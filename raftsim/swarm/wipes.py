"""When disks may be lost or damaged without more being lost than a quorum can bear, and when all is as it was."""

from __future__ import annotations

from random import Random

from raftsim.core.raft import Raft
from raftsim.sim.world import World


def raft_of(world: World, name: str) -> Raft | None:
    node = world.hosts[name].node
    return node.raft if node is not None else None


def wipeable(world: World) -> bool:
    """Whether a minority of the voters may lose their disks now: all members are up and agree, all voters have their
    memory.

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


class Copies:
    """Whose copy of everything is gone: its disk was wiped, or its log is damaged, and it has no vote again yet.

    With `keep`, what is lost at a time leaves the copies of a quorum, so that everything can be repaired from them: a
    minority of the voters, and nothing more before all have their votes again. Without it any voter may be lost at any
    time; `beyond` then says, once no quorum was left, why nothing that follows is anybody's fault.
    """

    def __init__(self, world: World, rng: Random, others: Random, *, keep: bool, founded: bool = True) -> None:
        """`rng` draws the first of those that are lost at once, `others` the rest. `founded`: the first servers know
        that they are; else one that crashes before it has that on its disk has lost it, to those who have begun."""
        self.keep = keep
        self.beyond = ""
        self._world = world
        self._rng = rng
        self._others = others
        self._first = set(world.names)
        self._founding = not founded
        self._gone: set[str] = set()

    @property
    def whole(self) -> bool:
        """Whether every voter has its memory, and its vote."""
        if (self._gone or self._founding) and remember(self._world):
            self._gone.clear()
            self._founding = False
        return not (self._gone or self._founding)

    def choose(self) -> list[str]:
        """Servers, by lot, whose disks may be lost now, all of them at once. Empty: none may."""
        world = self._world
        voters = [name for name in world.names if self._votes(name)]
        if self.keep and not (self.whole and wipeable(world)):
            return []
        most = (len(voters) - 1) // 2 if self.keep else len(voters)
        if not most:
            return []
        first = self._rng.choice(voters)
        rest = [name for name in voters if name != first]
        chosen = [first, *self._others.sample(rest, self._others.randint(0, most - 1))]
        # One witness of the past stays among the first servers, or they would begin a cluster of their own.
        spared = min(self._first) if self.keep and self._first.issubset(chosen) else ""
        return [name for name in chosen if name != spared]

    def lose(self, name: str) -> None:
        """The copy of this server is gone. Told before it is done, while who votes can still be seen."""
        assert self._world.judges is not None
        committed = self._world.judges.ghost.committed
        _, config = committed.config_at(committed.last)
        self._gone.add(name)
        voters = list(self._world.names) if config is None else [self._world.name_of(id) for id in config.voters]
        gone = [voter for voter in voters if voter in self._gone]
        if 2 * len(gone) >= len(voters) and not self.beyond:
            self.beyond = f"{', '.join(gone)} of {', '.join(voters)} lost their disks: no quorum's copies were left"

    def may_be_emptied(self, name: str) -> bool:
        """Whether an operator who finds that this server does not start gives it an empty disk."""
        return name in self._gone and self._world.hosts[name].node is None and bool(self._world.hosts[name].halted)

    def _votes(self, name: str) -> bool:
        raft = raft_of(self._world, name)
        return raft is not None and raft.config.is_voter(self._world.ids[name])
