"""From YAML to steps. `VERBS` is the vocabulary: a verb, the keys that may stand beside it, and its reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from raftsim.core.config import LEARNER, REMOVE, VOTER
from raftsim.scenario import read_faults
from raftsim.scenario.conditions import Comparison, OneLeader
from raftsim.scenario.fields import Block, Field
from raftsim.scenario.model import (
    DEFAULT_WITHIN_S,
    Action,
    Change,
    Check,
    Crash,
    Get,
    Heal,
    Isolate,
    Put,
    Remove,
    Restart,
    Run,
    Step,
    Transfer,
    Until,
)
from raftsim.scenario.names import Names
from raftsim.scenario.problems import Mistake, did_you_mean
from raftsim.scenario.read_conditions import comparison, condition, conditions
from raftsim.scenario.selectors import ANY, LEADER

MAX_STEPS = 200
MAX_WRITES = 1000
MAX_CLIENTS = 64
MAX_READS = 10_000
CHANGES = {"voter": VOTER, "non-voter": LEARNER, "remove": REMOVE}


def steps(field: Field, names: Names) -> tuple[Step, ...]:
    found = []
    for count, item in enumerate(field.items("'steps'"), 1):
        if count > MAX_STEPS:
            raise item.problem(f"at most {MAX_STEPS} steps")
        try:
            found.append(_step(item, names))
        except Mistake as mistake:
            field.noted.append(mistake.problem)
            _assume_names(item, names)
    if not found and not field.noted:
        raise field.problem("a scenario needs at least one step")
    return tuple(found)


def _step(field: Field, names: Names) -> Step:
    if not field.is_mapping or not field.node.value:
        raise field.problem(f"a step is a mapping such as 'crash: leader', got {field.show()}")
    keys = [Field(key, field.noted) for key, _ in field.node.value]
    verbs = [key for key in keys if key.word in VERBS]
    if not verbs:
        raise keys[0].problem(f"unknown step {keys[0].word!r}{did_you_mean(keys[0].word, VERBS)}")
    if len(verbs) > 1:
        raise verbs[1].problem(f"a step does one thing; {verbs[1].word!r} needs a '-' of its own")
    name = verbs[0].word
    verb = VERBS[name]
    block = field.block(f"{name!r}", (name, *verb.keys))
    action = verb.read(block, block.entries[name][1], names)
    return Step(verbs[0].line, action)


def _assume_names(field: Field, names: Names) -> None:
    """A mistake in a step must not make a mistake of every later step that uses the name it binds."""
    for key, value in field.node.value if field.is_mapping else ():
        if key.value == "as":
            names.assume(Field(value, field.noted).word)


def _within(block: Block) -> float:
    return block.get("within", Field.duration_s, DEFAULT_WITHIN_S)


def _until(block: Block, field: Field, names: Names) -> Action:
    wish = condition(field, names)
    if "as" in block and not any(isinstance(clause, OneLeader) for clause in wish.clauses):
        block.entries["as"][0].note("'as' needs 'leader: one': whom would it name?")
    return Until(wish, _within(block), names.bind(block))


def _run(block: Block, field: Field, names: Names) -> Action:
    throughout = block.get("throughout", lambda value: conditions(value, names, unchanged=True), ())
    return Run(field.duration_s(), throughout)


def _check(_block: Block, field: Field, names: Names) -> Action:
    return Check(conditions(field, names, acked=True))


def _crash(block: Block, field: Field, names: Names) -> Action:
    return Crash(names.selector(field), names.bind(block))


def _restart(block: Block, field: Field, names: Names) -> Action:
    starts = block.get("starts", Field.boolean, default=True)
    return Restart(names.selector(field), _within(block), starts)


def _isolate(block: Block, field: Field, names: Names) -> Action:
    return Isolate(names.selector(field), names.bind(block))


def _heal(_block: Block, field: Field, _names: Names) -> Action:
    field.choice(("all",))
    return Heal()


def _remove(block: Block, field: Field, names: Names) -> Action:
    via = block.get("via", names.selector, LEADER)
    return Remove(names.selector(field), via, _within(block), names.bind(block))


def _change(block: Block, field: Field, names: Names) -> Action:
    """`{n2: remove, n3: voter}`."""
    if not field.is_mapping or not field.node.value:
        raise field.problem(f"'change' must be a mapping such as {{n2: remove, n3: voter}}, got {field.show()}")
    pairs = [(Field(key, field.noted), Field(value, field.noted)) for key, value in field.node.value]
    changes = tuple((CHANGES[op.choice(CHANGES)], names.selector(server)) for server, op in pairs)
    return Change(changes, block.get("via", names.selector, LEADER), _waits(block), _within(block), field.render())


def _transfer(block: Block, field: Field, names: Names) -> Action:
    via = block.get("via", names.selector, LEADER)
    return Transfer(names.selector(field), via, _waits(block), _within(block))


def _put(block: Block, field: Field, names: Names) -> Action:
    if field.is_mapping:
        amount = field.block("'put'", ("count", "keys", "clients"))
        count = amount.need("count", lambda value: value.integer(1, MAX_WRITES), 1)
        clients = amount.get("clients", lambda value: value.integer(1, MAX_CLIENTS), 1)
        keys = amount.get("keys", lambda value: value.integer(clients, MAX_WRITES), max(count, clients))
    else:
        count = keys = field.integer(1, MAX_WRITES)
        clients = 1
    wait = _waits(block)
    return Put(
        count=count,
        keys=keys,
        clients=clients,
        via=block.get("via", names.selector, ANY),
        wait=wait,
        within_s=_within(block),
        acked=block.get("acked", comparison, Comparison("==", count)),
    )


def _get(block: Block, field: Field, names: Names) -> Action:
    amount = field.block("'get'", ("count", "every"))
    count = amount.need("count", lambda value: value.integer(1, MAX_READS), 1)
    wait = _waits(block)
    return Get(
        count=count,
        every_s=amount.need("every", Field.duration_s, 1.0),
        via=block.get("via", names.selector, ANY),
        wait=wait,
        within_s=_within(block),
        acked=block.get("acked", comparison, Comparison("==", count)),
    )


def _waits(block: Block) -> bool:
    wait = block.get("wait", Field.boolean, default=True)
    if not wait:
        for key in {"acked", "within"} & set(block.entries):
            block.entries[key][0].note(f"{key!r} has no meaning with 'wait: false'")
    return wait


@dataclass(frozen=True, slots=True)
class Verb:
    keys: tuple[str, ...]
    read: Callable[[Block, Field, Names], Action]


VERBS = {
    "until": Verb(("within", "as"), _until),
    "run": Verb(("throughout",), _run),
    "check": Verb((), _check),
    "crash": Verb(("as",), _crash),
    "restart": Verb(("starts", "within"), _restart),
    "isolate": Verb(("as",), _isolate),
    "heal": Verb((), _heal),
    "remove": Verb(("as", "via", "within"), _remove),
    "change": Verb(("via", "wait", "within"), _change),
    "transfer": Verb(("via", "wait", "within"), _transfer),
    "put": Verb(("acked", "via", "wait", "within"), _put),
    "get": Verb(("acked", "via", "wait", "within"), _get),
    "hold": Verb(("as",), read_faults.hold),
    "deliver": Verb(("count", "which"), read_faults.release("deliver")),
    "drop": Verb(("count", "which"), read_faults.release("drop")),
    "duplicate": Verb(("count", "which"), read_faults.release("duplicate")),
    "link": Verb((), read_faults.link),
    "partition": Verb((), read_faults.partition),
    "disk": Verb(("as",), read_faults.disk),
    "clock": Verb((), read_faults.clock),
    "wipe": Verb(("as",), read_faults.wipe),
    "slow": Verb(("as",), read_faults.slow),
    "pause": Verb(("as",), read_faults.pause),
    "resume": Verb((), read_faults.resume),
}
