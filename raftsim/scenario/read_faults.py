"""From YAML to faults: the readers of the verbs that only virtual time knows."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, Final

from raftsim.scenario.fault_model import (
    Clock,
    Disk,
    Fault,
    Hold,
    Link,
    Partition,
    Pause,
    Release,
    Resume,
    Slow,
    Wipe,
)
from raftsim.scenario.fields import Block, Field
from raftsim.scenario.names import Names
from raftsim.scenario.problems import did_you_mean
from raftsim.scenario.read_conditions import comparison
from raftsim.scenario.read_network import LINK, changes
from raftsim.scenario.selectors import ALL, Selector
from raftsim.sim.files import MUTATING
from raftsim.sim.holds import KINDS

MAX_COUNT: Final = 100_000
MAX_BYTES: Final = 1 << 30
MAX_FACTOR: Final = 1_000_000
MAX_RATE: Final = 1000.0


def hold(block: Block, field: Field, names: Names) -> Fault:
    wish = field.block("'hold'", ("kind", "from", "to", "term", "index", "limit"))
    bind = block.get("as", names.new_hold, None)
    if "as" not in block:
        block.field.note("'hold' needs 'as': what would 'deliver' speak of?")
    return Hold(
        kinds=wish.get("kind", _kinds, None),
        src=wish.get("from", lambda value: _some(value, names), None),
        dst=wish.get("to", lambda value: _some(value, names), None),
        term=wish.get("term", comparison, None),
        index=wish.get("index", comparison, None),
        limit=wish.get("limit", _count, None),
        bind=bind or "",
    )


def _kinds(field: Field) -> tuple[str, ...]:
    items = list(field.items("'kind'")) if field.is_sequence else [field]
    return tuple(item.choice(KINDS) for item in items)


def _some(field: Field, names: Names) -> tuple[Selector, ...]:
    """A selector, or a list of them."""
    items = list(field.items("a group")) if field.is_sequence else [field]
    return tuple(names.selector(item) for item in items)


def _count(field: Field) -> int:
    return field.integer(1, MAX_COUNT)


def release(verb: str) -> Callable[[Block, Field, Names], Fault]:
    def read(block: Block, field: Field, names: Names) -> Fault:
        count = block.get("count", _count, None)
        newest = block.get("which", lambda value: value.choice(("oldest", "newest")) == "newest", default=False)
        if "which" in block and "count" not in block:
            block.entries["which"][0].note("'which' needs 'count': without it all are meant")
        return Release(verb, names.hold(field), count, newest)

    return read


def link(_block: Block, field: Field, names: Names) -> Fault:
    wish = field.block("'link'", ("from", "to", "cut", "clog", *LINK))
    src, dst = (wish.need(key, names.selector, ALL) for key in ("from", "to"))
    found = changes(wish)
    cut = wish.get("cut", _true, default=False)
    clog_s = wish.get("clog", Field.duration_s, None)
    if bool(found) + cut + (clog_s is not None) != 1 and not field.noted:
        raise field.problem(f"'link' is either 'cut', or 'clog', or what it is like{did_you_mean('', LINK)}")
    return Link(src, dst, field.render(), found, cut, clog_s)


def partition(_block: Block, field: Field, names: Names) -> Fault:
    groups = tuple(_some(item, names) for item in field.items("'partition'"))
    if len(groups) < 2:
        raise field.problem(f"expected two groups or more, such as [[n1, n2], [n3]], got {field.show()}")
    return Partition(groups, field.render())


def disk(block: Block, field: Field, names: Names) -> Fault:
    wish = field.block("'disk'", ("node", *DISK))
    server = wish.need("node", names.selector, ALL)
    given = [key for key in wish.entries if key in DISK]
    if len(given) != 1:
        raise field.problem(f"'disk' has one fault{did_you_mean('', DISK)}, got {field.show()}")
    value = wish.get(given[0], DISK[given[0]], None)
    return Disk(server, given[0], value, field.render(), names.bind(block))


def clock(_block: Block, field: Field, names: Names) -> Fault:
    wish = field.block("'clock'", ("node", "rate", "jump"))
    if "rate" not in wish and "jump" not in wish:
        raise field.problem(f"'clock' needs 'rate' or 'jump', got {field.show()}")
    server = wish.need("node", names.selector, ALL)
    rate = wish.get("rate", lambda value: value.number(0.001, MAX_RATE), 1.0)
    return Clock(server, rate, wish.get("jump", Field.duration_s, 0.0), field.render())


def wipe(block: Block, field: Field, names: Names) -> Fault:
    return Wipe(names.selector(field), names.bind(block))


def slow(block: Block, field: Field, names: Names) -> Fault:
    wish = field.block("'slow'", ("node", "apply"))
    return Slow(wish.need("node", names.selector, ALL), wish.need("apply", Field.duration_s, 1.0), names.bind(block))


def pause(block: Block, field: Field, names: Names) -> Fault:
    return Pause(names.selector(field), names.bind(block))


def resume(_block: Block, field: Field, names: Names) -> Fault:
    return Resume(names.selector(field))


def _true(field: Field) -> bool:
    if not field.boolean():
        raise field.problem("only 'true' has a meaning here")
    return True


def _stall(field: Field) -> float:
    return inf if field.node.value == "forever" else field.duration_s()


def _number_of(low: int, high: int) -> Callable[[Field], int]:
    return lambda field: field.integer(low, high)


DISK: Final[dict[str, Callable[[Field], Any]]] = {
    "stall": _stall,
    "slow": _number_of(2, MAX_FACTOR),
    "fail": lambda field: field.choice(MUTATING),
    "read_only": _true,
    "fill": _number_of(0, MAX_BYTES),
    "cut_power": _number_of(0, MAX_BYTES),
    "lie": _true,
    "misdirect": _number_of(1, MAX_BYTES),
    "rot": _number_of(0, MAX_BYTES),
    "mend": _true,
}
IN_BYTES: Final = tuple(
    fault for fault in DISK if fault not in ("stall", "slow", "mend")
)  # these need the real log over simulated files
