"""Section 6: a configuration that is cut off the log again is in force no more."""

from __future__ import annotations

from raftsim.core.config import of, simple
from raftsim.core.entry import CONFIG, Entry, HardState
from raftsim.core.messages import Append
from raftsim.core.output import ConfigChanged
from tests.core.harness import Host, command, log_of
from tests.core.members import add, remove

THREE = of("a", "b", "c")


def test_a_configuration_that_is_cut_off_is_in_force_no_more() -> None:
    """Kept in force, a configuration that only a dead leader ever saw went on deciding elections."""
    host = Host("b", [*log_of(THREE, 1), Entry(1, CONFIG, simple(THREE, [add("d")]))], hard=HardState(1))
    assert host.raft.config_index == 3
    host.receive(Append(2, "a", "b", 2, 1, [command(2, 3)], 0, 1))
    assert (host.raft.config, host.raft.config_index) == (THREE, 1)
    assert host.events[-1] == ConfigChanged(1, THREE)


def test_a_configuration_replaced_by_another_at_the_same_index() -> None:
    theirs = simple(THREE, [remove("c")])
    host = Host("b", [*log_of(THREE), Entry(1, CONFIG, simple(THREE, [add("d")]))], hard=HardState(1))
    host.receive(Append(2, "a", "b", 1, 0, [Entry(2, CONFIG, theirs)], 0, 1))
    assert (host.raft.config, host.raft.config_index) == (theirs, 2)


def test_whoever_watches_is_told_of_a_replaced_configuration() -> None:
    """The world keeps its links by these events: untold, it went on calling the servers of the dead configuration."""
    theirs = simple(THREE, [remove("c")])
    host = Host("b", [*log_of(THREE), Entry(1, CONFIG, simple(THREE, [add("d")]))], hard=HardState(1))
    host.receive(Append(2, "a", "b", 1, 0, [Entry(2, CONFIG, theirs)], 0, 1))
    assert host.events[-1] == ConfigChanged(2, theirs)
