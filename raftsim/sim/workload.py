"""What a client of the variables asks for, by lot, and what it was told: operations for the judges in check/clients.

Every value is written by one operation alone, so that whoever reads it is known to have seen that operation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Any, Final

from raftsim.check import SOME, Operation
from raftsim.machine.variables import delete_command, put_command
from raftsim.node.requests import Command, Query

NAMESPACE: Final = "default"
ITEM: Final = "value"
FUNCTIONS: Final = ("get", "put", "cas", "delete", "list")


@dataclass(frozen=True, slots=True)
class Mix:
    """The keys under `prefix`, and how often each function is drawn, in proportion."""

    prefix: str = "load/"
    keys: int = 4
    gets: float = 9
    puts: float = 5
    cas: float = 4
    deletes: float = 1
    lists: float = 0

    def names(self) -> list[str]:
        """The keys."""
        return [f"{self.prefix}{number}" for number in range(self.keys)]


class Script:
    """The operations of one client. A check-and-set is drawn for a key of which it knows what is there."""

    def __init__(self, name: str, mix: Mix, rng: Random) -> None:
        self.name = name
        self._keys = mix.names()
        self._prefix = mix.prefix
        self._shares = list(accumulate((mix.gets, mix.puts, mix.cas, mix.deletes, mix.lists)))  # in order of FUNCTIONS
        self._rng = rng
        self._seen: dict[str, tuple[str | None, int]] = {}  # by key: the value last seen, and its modify index
        self._count = 0

    def next(self, now: float) -> tuple[Operation, Command | Query]:
        """An operation that is called now, and the request for it."""
        key = self._rng.choice(self._keys)
        (function,) = self._rng.choices(FUNCTIONS, cum_weights=self._shares)
        if function == "cas" and key in self._seen:
            value, index = self._seen[key]
            new = self._value()
            return self._operation(function, key, (value, new), now), _put(key, new, index, now)
        match function:
            case "get":
                return self.get(key, now)
            case "delete":
                return self._operation(function, key, None, now), Command(delete_command(NAMESPACE, key, None))
            case "list":
                return self._operation(function, self._prefix, None, now), Query(("list", NAMESPACE, self._prefix))
        return self.put(key, now)

    def get(self, key: str, now: float) -> tuple[Operation, Query]:
        return self._operation("get", key, None, now), Query(("get", NAMESPACE, key))

    def put(self, key: str, now: float) -> tuple[Operation, Command]:
        value = self._value()
        return self._operation("put", key, value, now), _put(key, value, None, now)

    def answered(self, operation: Operation, answer: Any, now: float) -> None:
        """Write down what the machine answered. What a list shows stays modify indexes until `with_values`."""
        operation.returned, operation.index = now, answer["index"]
        if operation.function == "list":
            operation.output = {plain["Path"]: plain["ModifyIndex"] for plain in answer["variables"]}
            return
        variable = answer["variable"]
        here = (variable["Items"][ITEM], variable["ModifyIndex"]) if variable else (None, 0)
        if operation.function == "get":
            operation.output = here[0]
        elif operation.function == "cas":
            operation.output = answer["result"] == "ok"
        self._seen[operation.key] = here

    def _operation(self, function: str, key: str, argument: Any, now: float) -> Operation:
        return Operation(self.name, function, key, argument, None, now)

    def _value(self) -> str:
        self._count += 1
        return f"{self.name}-{self._count}"


def with_values(history: Iterable[Operation]) -> list[Operation]:
    """The history by time of call, and in its lists values instead of modify indexes, where somebody was told both."""
    operations = sorted(history, key=lambda operation: operation.called)
    values: dict[tuple[str, int], Any] = {}
    for operation in operations:
        if operation.returned is not None:
            match operation.function:
                case "put":
                    values[operation.key, operation.index] = operation.argument
                case "get" if operation.output is not None:
                    values[operation.key, operation.index] = operation.output
                case "cas" if operation.output:
                    values[operation.key, operation.index] = operation.argument[1]
    for operation in operations:
        if operation.function == "list" and operation.output is not None:
            operation.output = {key: values.get((key, index), SOME) for key, index in operation.output.items()}
    return operations


def _put(key: str, value: str, cas: int | None, now: float) -> Command:
    return Command(put_command(NAMESPACE, key, {ITEM: value}, cas, round(now * 1e9)))
