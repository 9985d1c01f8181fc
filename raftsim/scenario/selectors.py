"""Selectors name servers by the part they play. They are resolved when a step fires, never before: leadership moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from raftsim.scenario.fields import Field
from raftsim.scenario.problems import did_you_mean
from raftsim.scenario.view import View


@dataclass(frozen=True, slots=True)
class Selector:
    """`find` gives the servers meant, none if there is no such server now. `text` is what the file says.

    `drawn`: chosen by lot, so that each look may find another server.
    """

    text: str
    find: Callable[[View], tuple[str, ...]]
    drawn: bool = False


def read(field: Field, known: frozenset[str]) -> Selector:
    """A selector from its field. `known` has the names of the servers and the names bound by earlier steps.

    Raises Mistake.
    """
    if field.is_mapping:
        return _others(field, known)
    text = field.text()
    word, colon, number = text.partition(":")
    if word == "follower" and colon:
        if not number.isascii() or not number.isdigit() or not 0 < int(number[:9]) <= len(known):
            raise field.problem(f"expected a number from 1 as in follower:2, got {field.show()}")
        return Selector(text, _numbered_follower(int(number)))
    if text in WORDS:
        return WORDS[text]
    if text in known:
        return Selector(text, _named(text))
    raise field.problem(f"no server is called {text!r} here{did_you_mean(text, {*WORDS, *known})}")


def _others(field: Field, known: frozenset[str]) -> Selector:
    block = field.block("a selector", ("others",))
    if "others" not in block:
        raise field.problem("'others' is missing")
    inner = read(block.entries["others"][1], known)

    def find(view: View) -> tuple[str, ...]:
        but = inner.find(view)
        return tuple(name for name in _all(view) if name not in but) if but else ()

    return Selector(f"others: {inner.text}", find, inner.drawn)


def _leader(view: View) -> tuple[str, ...]:
    leader = view.leader()
    return () if leader is None else (leader,)


def _follower(view: View) -> tuple[str, ...]:
    followers = view.followers()
    return (view.cast.rng.choice(followers),) if followers else ()


def _numbered_follower(number: int) -> Callable[[View], tuple[str, ...]]:
    return lambda view: tuple(view.followers()[number - 1 : number])


def _any(view: View) -> tuple[str, ...]:
    names = view.cast.in_service()
    return (view.cast.rng.choice(names),) if names else ()


def _all(view: View) -> tuple[str, ...]:
    return view.cast.names


def _named(name: str) -> Callable[[View], tuple[str, ...]]:
    return lambda view: view.cast.bound.get(name, (name,))


LEADER = Selector("leader", _leader)
ANY = Selector("any", _any, drawn=True)
ALL = Selector("all", _all)
WORDS = {
    "leader": LEADER,
    "follower": Selector("follower", _follower, drawn=True),
    "any": ANY,
    "all": ALL,
}
