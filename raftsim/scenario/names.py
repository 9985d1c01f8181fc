"""The names a scenario may use so far: its servers, and what earlier steps bound with `as`, servers and holds."""

from __future__ import annotations

import re

from raftsim.scenario import selectors
from raftsim.scenario.fields import Block, Field
from raftsim.scenario.problems import did_you_mean
from raftsim.scenario.selectors import Selector

NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")


class Names:
    def __init__(self, servers: tuple[str, ...]) -> None:
        self._servers = frozenset(servers)
        self._bound: set[str] = set()
        self._holds: set[str] = set()

    def selector(self, field: Field) -> Selector:
        """Who a step means; may be drawn by lot when the step fires."""
        return selectors.read(field, self._servers | self._bound)

    def steady(self, field: Field) -> Selector:
        """Who a condition means: it is asked again and again and must mean the same, so nothing is drawn by lot."""
        selector = self.selector(field)
        if selector.drawn:
            raise field.problem(
                f"{selector.text!r} is drawn by lot at every look; name a server, or bind one with 'as'"
            )
        return selector

    def bind(self, block: Block) -> str | None:
        """The name that `as` gives, or None."""
        name = block.get("as", self._new_name, None)
        if name is not None:
            self._bound.add(name)
        return name

    def new_hold(self, field: Field) -> str | None:
        """The name of a hold, which no other has."""
        name = self._new_name(field)
        if name in self._holds or name in self._bound:
            raise field.problem(f"{name!r} means something already")
        if name is not None:
            self._holds.add(name)
        return name

    def hold(self, field: Field) -> str:
        """A hold that an earlier step began."""
        name = field.text()
        if name not in self._holds:
            raise field.problem(f"no hold is called {name!r} here{did_you_mean(name, self._holds)}")
        return name

    def assume(self, name: str) -> None:
        """Take `name` for bound, because the step that would bind it has a mistake of its own."""
        self._bound.add(name)
        self._holds.add(name)

    def _new_name(self, field: Field) -> str | None:
        name = field.text()
        if not NAME.fullmatch(name):
            raise field.problem(f"a name is made of a-z, 0-9, '-' and '_' and begins with a letter, got {field.show()}")
        if name in selectors.WORDS or name in self._servers:
            raise field.problem(f"{name!r} means something already")
        return name
