"""From YAML to the network: what a link is like, and zones with a matrix of what lies between them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any, Final

from raftsim.scenario.fields import Block, Field
from raftsim.scenario.model import Network
from raftsim.scenario.problems import did_you_mean
from raftsim.sim.delays import Delay, Exponential, LongTail, Normal, Uniform
from raftsim.sim.network import NetworkModel

DISTRIBUTIONS: Final = ("uniform", "normal", "exp", "long_tail")


def network(field: Field, zones: Collection[str]) -> Network:
    """`zones`: those that servers are in."""
    block = field.block("'network'", (*LINK, "zones"))
    model = replace(NetworkModel(), **changes(block))
    matrix = block.get("zones", lambda value: _matrix(value, zones, model), {})
    return Network(model, tuple(block.entries), matrix)


def changes(block: Block) -> dict[str, Any]:
    """The fields of a NetworkModel that the keys of LINK set."""
    found = {}
    for key, (name, read) in LINK.items():
        value = block.get(key, read, None)
        if value is not None:
            found[name] = value
    return found


def _matrix(field: Field, zones: Collection[str], model: NetworkModel) -> dict[tuple[str, str], NetworkModel]:
    """`{eu-us: {...}}`: both ways, unless `us-eu` is given too."""
    known = [f"{here}-{there}" for here in sorted(zones) for there in sorted(zones)]
    if not known:
        raise field.problem("no server is in a zone: 'cluster.nodes' can be a list such as [{id: n1, zone: eu}]")
    if not field.is_mapping:
        raise field.problem(f"'zones' must be a mapping such as {{{known[0]}: {{delay: 45ms}}}}, got {field.show()}")
    found = {}
    for pair, (_, value) in field.block("'zones'", known).entries.items():
        here, _, there = pair.partition("-")
        found[here, there] = replace(model, **changes(value.block(f"{pair!r}", LINK)))
    return found


def _delay(field: Field) -> Delay:
    """`5ms`, `[1ms, 5ms]`, or a distribution by its name."""
    if not field.is_mapping:
        return Uniform(*(field.durations() if field.is_sequence else (field.duration_s(), field.duration_s())))
    block = field.block("'delay'", DISTRIBUTIONS)
    if len(block.entries) != 1:
        raise field.problem(f"'delay' has one distribution{did_you_mean('', DISTRIBUTIONS)}, got {field.show()}")
    ((name, (_, value)),) = block.entries.items()
    if name == "exp":
        return Exponential(value.duration_s())
    if name == "normal":
        mean_s, stddev_s = value.durations(ordered=False)
        return Normal(mean_s, stddev_s)
    return Uniform(*value.durations()) if name == "uniform" else LongTail(*value.durations())


def _bytes(field: Field) -> int:
    return field.integer(1, 1 << 40)


LINK: Final[dict[str, tuple[str, Callable[[Field], Any]]]] = {  # key -> field of NetworkModel, its reader
    "delay": ("delay", _delay),
    "loss": ("loss", Field.share),
    "duplicate": ("duplicate", Field.share),
    "reorder": ("fifo", lambda field: not field.boolean()),
    "bandwidth": ("bytes_per_s", Field.bytes_per_s),
    "queue_bytes": ("queue_bytes", _bytes),
}
