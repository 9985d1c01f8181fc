"""Histories made by a machine that cannot be wrong, and an oracle that tries every order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from raftsim.check import SOME, Operation


@dataclass(frozen=True)
class Mix:
    """Of what a history is made. `open`: the share of changes that are never answered."""

    clients: int
    keys: int
    operations: int
    reads: float = 0.5
    cas: float = 0.0
    deletes: float = 0.0
    lists: float = 0.0
    open: float = 0.01
    indexed: bool = False


def generate(mix: Mix, seed: int) -> list[Operation]:
    """A linearizable history of a map: every operation happens at a moment drawn between its call and its return."""
    rng = Random(seed)
    plans = []
    free = [rng.random() for _ in range(mix.clients)]
    for count in range(mix.operations):
        client = min(range(mix.clients), key=free.__getitem__)
        called = free[client] + rng.expovariate(10)
        happens = called + rng.expovariate(1)
        returned = happens + rng.expovariate(1)
        free[client] = returned
        plans.append((happens, count, client, called, returned))
    state: dict[str, Any] = {}
    indexes: dict[str, int] = {}
    history: list[Operation | None] = [None] * mix.operations
    for index, (_, count, client, called, returned) in enumerate(sorted(plans), start=1):
        operation = _draw(mix, rng, f"c{client}", f"v{count}", state, called, returned)
        if operation.function in {"put", "delete"} or (operation.function == "cas" and operation.output):
            indexes[operation.key] = index
        if mix.indexed:
            reads = operation.function == "get" or (operation.function == "cas" and not operation.output)
            operation.index = indexes.get(operation.key, index) if reads and operation.output is not None else index
        if operation.function in {"put", "delete", "cas"} and rng.random() < mix.open:
            operation.returned, operation.output = None, None
            operation.index = 0
        history[count] = operation
    return [operation for operation in history if operation is not None]


def _draw(
    mix: Mix, rng: Random, process: str, value: str, state: dict[str, Any], called: float, returned: float
) -> Operation:
    """One operation, as it happens in `state`."""
    key, luck = f"k{rng.randrange(mix.keys)}", rng.random()
    if luck < mix.reads:
        return Operation(process, "get", key, None, state.get(key), called, returned)
    luck = rng.random()
    if luck < mix.cas:
        expected = state.get(key) if rng.random() < 0.7 else rng.choice([None, "v1", "v2"])
        done = state.get(key) == expected
        if done:
            state[key] = value
        return Operation(process, "cas", key, (expected, value), done, called, returned)
    if luck < mix.cas + mix.deletes:
        state.pop(key, None)
        return Operation(process, "delete", key, None, None, called, returned)
    if luck < mix.cas + mix.deletes + mix.lists:
        told = {name: state[name] if rng.random() < 0.7 else SOME for name in sorted(state)}
        return Operation(process, "list", "k", None, told, called, returned)
    state[key] = value
    return Operation(process, "put", key, value, None, called, returned)


def registers(history: Sequence[Operation]) -> list[Operation]:
    """A history of a map without deletes and lists, in the words of registers."""
    words = {"get": "read", "put": "write", "cas": "cas"}
    return [replace(operation, function=words[operation.function]) for operation in history]


# An oracle that knows nothing of the judge: it runs a dictionary through all orders.


def brute_force(history: Sequence[Operation]) -> bool:
    """Whether there is an order of `history`, of a map, in which each answer is right. For a handful of operations."""
    return _orders(tuple(history), {})


def _orders(left: tuple[Operation, ...], state: dict[str, Any]) -> bool:
    if all(operation.returned is None for operation in left):
        return True
    first_return = min(operation.returned for operation in left if operation.returned is not None)
    for position, operation in enumerate(left):
        if operation.called <= first_return:
            after = dict(state)
            if _apply(operation, after) and _orders(left[:position] + left[position + 1 :], after):
                return True
    return False


def _apply(operation: Operation, state: dict[str, Any]) -> bool:
    """Do it to `state`; whether that explains the answer it had."""
    key, known = operation.key, operation.returned is not None
    match operation.function:
        case "get":
            return not known or state.get(key) == operation.output
        case "put":
            state[key] = operation.argument
        case "delete":
            state.pop(key, None)
        case "cas":
            expected, new = operation.argument
            done = state.get(key) == expected
            if done:
                state[key] = new
            return not known or done == operation.output
        case "list":
            there = {name: value for name, value in state.items() if name.startswith(key) and value is not None}
            told = operation.output
            return not known or (
                set(told) == set(there) and all(told[name] is SOME or told[name] == there[name] for name in told)
            )
    return True


def scramble(rng: Random) -> list[Operation]:
    """A small history at random: few values, written again and again, some answers right by luck only."""
    history = []
    for client in range(rng.choice([2, 3, 4])):
        time = 0
        for _ in range(rng.choice([1, 2])):
            called = time + rng.randrange(4)
            time = called + rng.randrange(5)
            history.append(_scrambled(rng, f"c{client}", called, time))
    return history


def _scrambled(rng: Random, process: str, called: int, returned: int) -> Operation:
    key, value = rng.choice("ab"), rng.choice([1, 2, 3, 4])
    seen = rng.choice([None, 1, 2, 3])
    found: float | None = returned if rng.random() < 0.8 else None
    match rng.choice(["get", "get", "put", "put", "cas", "delete", "list"]):
        case "get":
            return Operation(process, "get", key, None, seen, called, found)
        case "put":
            return Operation(process, "put", key, value, None, called, found)
        case "cas":
            return Operation(process, "cas", key, (seen, value), rng.random() < 0.5, called, found)
        case "delete":
            return Operation(process, "delete", key, None, None, called, found)
    told = {name: rng.choice([1, 2, SOME]) for name in "ab" if rng.random() < 0.5}
    return Operation(process, "list", "", None, told, called, found)


def disturb(rng: Random) -> list[Operation]:
    """A small history of unique values, many at once, of which up to two answers are changed."""
    mix = Mix(
        clients=rng.choice([2, 3, 4, 6]),
        keys=rng.choice([1, 1, 2]),
        operations=rng.choice([4, 6, 7]),
        reads=rng.choice([0.3, 0.6]),
        cas=rng.choice([0, 0, 0.4]),
        deletes=rng.choice([0, 0, 0.3]),
        lists=rng.choice([0, 0, 0.3]),
        open=rng.choice([0, 0.3]),
    )
    history = generate(mix, rng.randrange(1 << 30))
    values = [None, *(operation.argument for operation in history if operation.function == "put")]
    for _ in range(rng.choice([0, 1, 2])):
        number = rng.randrange(len(history))
        operation = history[number]
        if operation.returned is not None and operation.function == "get":
            history[number] = replace(operation, output=rng.choice(values))
        elif operation.returned is not None and operation.function == "cas":
            history[number] = replace(operation, output=not operation.output)
    return history


def mutations(history: Sequence[Operation], rng: Random) -> Iterator[tuple[str, list[Operation]]]:
    """Histories that are not linearizable, each with what was done to a good one (of a map, without deletes)."""
    reads = [
        n for n, o in enumerate(history) if o.function == "get" and o.output is not None and o.returned is not None
    ]
    number = rng.choice(reads)
    read = history[number]
    yield "phantom value", _with(history, number, replace(read, output="never written"))
    end = max(o.returned for o in history if o.returned is not None)
    last = {o.key: o for o in sorted(history, key=lambda o: o.called) if o.function == "put" and o.returned is not None}
    key, write = rng.choice(sorted(last.items()))
    late = Operation("late", "get", key, None, None, end + 1, end + 2)
    yield "lost write", [*history, late]
    first = next(o for o in history if o.function == "put" and o.key == key and o.returned is not None)
    assert first.returned is not None
    assert first.returned < write.called
    yield "stale read", [*history, replace(late, output=first.argument)]
    again = replace(late, output=write.argument, called=end + 3, returned=end + 4)
    new = Operation("late", "put", key, "new", None, end + 1, end + 2)
    yield "reordered", [*history, new, again]


def _with(history: Sequence[Operation], number: int, operation: Operation) -> list[Operation]:
    return [*history[:number], operation, *history[number + 1 :]]
