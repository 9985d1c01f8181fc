"""The membership and its algebra (dissertation chapter 4; the joint form is section 4.3).

A `Config` is a value. The functions below map one valid configuration to the next or raise `ConfigError`; nothing
else in the project makes a new membership. Invariants kept here and checked at both ends of every function:
a server is in at most one of voters and learners; a vote belongs to one incarnation of a server (founding.py), fixed
when it is given; `learners_next` are outgoing voters that become learners when the
joint configuration is left; a simple change alters at most one voter, so that majorities before and after intersect.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

VOTER = "voter"  # add, or promote a learner
LEARNER = "learner"  # add as a non-voter, or demote a voter
REMOVE = "remove"


class ConfigError(ValueError):
    """A change that leads to no valid configuration."""


@dataclass(frozen=True, slots=True)
class Server:
    """One member: its Raft id, the `host:port` its peers reach it at, and which incarnation of it has the vote."""

    id: str
    address: str
    incarnation: int = 0  # 0: the founder; means nothing for who has no vote


@dataclass(frozen=True, slots=True)
class Change:
    """One wish: make `id` a VOTER or a LEARNER, or REMOVE it. `address` is needed only for a server that is new.

    `incarnation`: of a new voter, which one gets the vote. `returning`: of a new learner, it is to get it back.
    """

    op: str
    id: str
    address: str = ""
    incarnation: int = 0
    returning: bool = False


@dataclass(frozen=True, slots=True)
class Config:
    """Who votes and who listens. All tuples of ids are sorted; `servers` is in order of addition."""

    voters: tuple[str, ...] = ()
    outgoing: tuple[str, ...] = ()  # the voters being left; empty unless joint
    learners: tuple[str, ...] = ()
    learners_next: tuple[str, ...] = ()
    auto_leave: bool = False
    servers: tuple[Server, ...] = ()
    returning: tuple[str, ...] = ()  # learners that lost their memory, and get their vote back when they caught up

    @property
    def joint(self) -> bool:
        return bool(self.outgoing)

    def is_voter(self, id: str) -> bool:
        """Whether `id` has a vote in either half."""
        return id in self.voters or id in self.outgoing

    def has_vote(self, id: str, incarnation: int) -> bool:
        """Whether this very incarnation of `id` has a vote."""
        return self.is_voter(id) and self.incarnation(id) == incarnation

    def incarnation(self, id: str) -> int:
        """The incarnation of member `id` that has the vote, if it has one."""
        return next((server.incarnation for server in self.servers if server.id == id), 0)

    def members(self) -> tuple[str, ...]:
        """Every id that receives the log, in order of addition."""
        return tuple(server.id for server in self.servers)

    def address(self, id: str) -> str | None:
        """The address of member `id`, or None."""
        return next((server.address for server in self.servers if server.id == id), None)


def of(*ids: str) -> Config:
    """A configuration of voters whose addresses are their ids: raft protocol 2, and most tests."""
    return initial(Server(id, id) for id in ids)


def initial(servers: Iterable[Server]) -> Config:
    """The first configuration of a cluster: every server is a voter."""
    members = tuple(servers)
    return check(Config(voters=tuple(sorted(server.id for server in members)), servers=members))


def simple(config: Config, changes: Iterable[Change]) -> Config:
    """Apply `changes` at once. Raises ConfigError when more than one voter would change, or none would remain."""
    if check(config).joint:
        raise ConfigError("a joint configuration must be left before a simple change")
    after = _apply(config, changes)
    if len(set(config.voters) ^ set(after.voters)) > 1:
        raise ConfigError("more than one voter changes: this needs joint consensus")
    return check(after)


def enter_joint(config: Config, changes: Iterable[Change], *, auto_leave: bool = True) -> Config:
    """Begin a change of any size: decisions need a majority of the old voters and one of the new."""
    if check(config).joint:
        raise ConfigError("the configuration is joint already")
    if not config.voters:
        raise ConfigError("a configuration without voters cannot become joint")
    entering = replace(config, outgoing=config.voters, auto_leave=auto_leave)
    return check(_apply(entering, changes))


def leave_joint(config: Config) -> Config:
    """End a joint change: the old voters lose their say, those to be demoted become learners."""
    if not check(config).joint:
        raise ConfigError("the configuration is not joint")
    learners = tuple(sorted({*config.learners, *config.learners_next}))
    stay = {*config.voters, *learners}
    return check(
        Config(
            voters=config.voters,
            learners=learners,
            servers=tuple(server for server in config.servers if server.id in stay),
            returning=tuple(id for id in config.returning if id in learners),
        )
    )


def check(config: Config) -> Config:
    """Return `config`, or raise ConfigError when it breaks an invariant of this file."""
    voters, outgoing = set(config.voters), set(config.outgoing)
    learners, following = set(config.learners), set(config.learners_next)
    ids = [server.id for server in config.servers]
    if voters & learners:
        raise ConfigError(f"both voter and learner: {sorted(voters & learners)}")
    if outgoing & learners:
        raise ConfigError(f"both outgoing voter and learner: {sorted(outgoing & learners)}")
    if not following <= outgoing or following & voters:
        raise ConfigError("only a voter that is leaving can be a learner next")
    if not outgoing and (following or config.auto_leave):
        raise ConfigError("learners_next and auto_leave belong to a joint configuration")
    if not set(config.returning) <= learners | following:
        raise ConfigError("only a learner can be returning")
    if len(set(ids)) != len(ids) or set(ids) != voters | outgoing | learners:
        raise ConfigError("the servers are not exactly the members")
    groups = (config.voters, config.outgoing, config.learners, config.learners_next, config.returning)
    if any(list(group) != sorted(set(group)) for group in groups):
        raise ConfigError("ids are not sorted, or not unique")
    return config


def _apply(config: Config, changes: Iterable[Change]) -> Config:
    voters, learners, following = set(config.voters), set(config.learners), set(config.learners_next)
    servers, returning = {server.id: server for server in config.servers}, set(config.returning)
    for change in changes:
        returning.discard(change.id)
        had_vote = change.id in voters or change.id in config.outgoing
        if change.op == REMOVE:
            for group in (voters, learners, following):
                group.discard(change.id)
        elif change.op == VOTER:
            voters.add(change.id)
            learners.discard(change.id)
            following.discard(change.id)
        elif change.op == LEARNER:
            voters.discard(change.id)
            # An outgoing voter keeps its vote in the old half until the change ends; only then may it be a learner.
            (following if change.id in config.outgoing else learners).add(change.id)
            if change.returning:
                returning.add(change.id)
        else:
            raise ConfigError(f"unknown change {change.op!r}")
        if change.op != REMOVE:
            server = servers.setdefault(change.id, Server(change.id, change.address))
            if not server.address:
                raise ConfigError(f"no address for the new server {change.id!r}")
            if change.op == VOTER and not had_vote:
                servers[change.id] = replace(server, incarnation=change.incarnation)
    if not voters:
        raise ConfigError("no voter would remain")
    stay = voters | learners | set(config.outgoing)
    return replace(
        config,
        voters=tuple(sorted(voters)),
        learners=tuple(sorted(learners)),
        learners_next=tuple(sorted(following)),
        servers=tuple(server for server in servers.values() if server.id in stay),
        returning=tuple(sorted(returning)),
    )
