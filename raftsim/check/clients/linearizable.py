"""The judge of linearizability (Herlihy and Wing 1990): the cheapest stages first, and never a guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from raftsim.check.clients.evidence import Evidence
from raftsim.check.clients.models import Model
from raftsim.check.clients.operation import Operation, checked
from raftsim.check.clients.partition import Partition, Parts
from raftsim.check.clients.search import Search
from raftsim.check.clients.sweep import Limits, linearizable_by_sweep
from raftsim.check.clients.tidy import tidy
from raftsim.check.clients.verdict import OK, UNKNOWN, VIOLATED, Counterexample, Judgement
from raftsim.check.clients.witness import claimed_order, refutation
from raftsim.check.clients.zones import linearizable_by_zones

WITNESS: Final = "witness"
ZONES: Final = "zones"
SWEEP: Final = "sweep"
SEARCH: Final = "search"


@dataclass(frozen=True, slots=True)
class Budget:
    """How much is tried before a part is given up as unknown. Counts, not times: a verdict is the same everywhere."""

    sweep: Limits = field(default_factory=Limits)  # of each part
    search_rounds: tuple[int, ...] = (10_000, 100_000, 400_000)  # places visited in a part before the next's turn
    search_nodes: int = 800_000  # in all parts together; they are remembered, so this bounds memory


def linearizable(
    history: Iterable[Operation], model: Model, *, order: Sequence[int] | None = None, budget: Budget | None = None
) -> Judgement:
    """Whether clients could tell `history` from one in which each operation took effect at one moment of its own.

    `order`: the numbers of the operations in the order in which the system says they took effect; without it, that of
    their `index`. It is replayed, and if it holds it decides. Otherwise the history is cut into parts by key, and each
    goes through zones, a sweep, and a search in turns with the other parts. Raises ValueError for a history that is
    none: a function that the model does not know, or an operation that returned before it was called.
    """
    operations = checked(history)
    parts = Parts(operations, model)
    if order is None:
        order = claimed_order(operations, parts.effects)
    refuted = refutation(operations, parts.effects, model.initial, order) if order is not None else ""
    if refuted is None:
        return Judgement(OK, len(operations), {WITNESS: 1})
    return _Trial(operations, model, parts, budget or Budget(), refuted).judge()


class _Trial:
    """Of one history, without a witness."""

    def __init__(self, history: Sequence[Operation], model: Model, parts: Parts, budget: Budget, refuted: str) -> None:
        self._history = history
        self._model = model
        self._parts = parts
        self._budget = budget
        self._refuted = refuted
        self._decided_by: Counter[str] = Counter()

    def judge(self) -> Judgement:
        """The single keys first: what is wrong there is found sooner, and told in fewer words."""
        tied = self._parts.tied()
        undecided: list[tuple[str, ...]] = []
        for group in (self._parts.single(), tied):
            violated, given_up = self._decide({keys: tidy(self._parts.part(keys)) for keys in group})
            if violated:
                return self._violated(violated)
            undecided += given_up
        in_ties = {(key,) for keys in tied for key in keys}  # what is known of the tie holds for each of its keys
        undecided = [keys for keys in undecided if keys not in in_ties]
        return self._judgement(UNKNOWN, tuple(undecided)) if undecided else self._judgement(OK)

    def _decide(self, parts: dict[tuple[str, ...], Partition]) -> tuple[tuple[str, ...] | None, list[tuple[str, ...]]]:
        """The keys of the first part found not to be linearizable; and of all that are given up."""
        for stage, decide in ((ZONES, linearizable_by_zones), (SWEEP, self._sweep)):
            for keys, part in list(parts.items()):
                found = decide(part)
                if found is not None:
                    self._decided_by[stage] += 1
                    del parts[keys]
                if found is False:
                    return keys, []
        return self._search(parts)

    def _sweep(self, part: Partition) -> bool | None:
        return linearizable_by_sweep(part, self._budget.sweep)

    def _search(self, parts: dict[tuple[str, ...], Partition]) -> tuple[tuple[str, ...] | None, list[tuple[str, ...]]]:
        searches = {keys: Search(part) for keys, part in parts.items()}
        nodes = 0  # of searches that have ended
        for max_nodes in self._budget.search_rounds:
            for keys, search in list(searches.items()):
                spent = nodes + sum(other.nodes for other in searches.values())
                found = search.go_on(min(max_nodes, search.nodes + self._budget.search_nodes - spent))
                if found is not None:
                    self._decided_by[SEARCH] += 1
                    nodes += searches.pop(keys).nodes
                if found is False:
                    return keys, []
        return None, list(searches)

    def _violated(self, keys: tuple[str, ...]) -> Judgement:
        evidence = Evidence(self._history, self._model, self._parts, keys, self._known_illegal)
        return self._judgement(VIOLATED, counterexample=evidence.counterexample())

    def _known_illegal(self, part: Partition) -> bool:
        """Whether a part is shown not to be linearizable, within the budget."""
        found = linearizable_by_zones(part)
        if found is None:
            found = self._sweep(part)
        if found is None:
            found = Search(part).go_on(self._budget.search_rounds[-1])
        return found is False

    def _judgement(
        self,
        verdict: Literal["ok", "violated", "unknown"],
        undecided: tuple[tuple[str, ...], ...] = (),
        counterexample: Counterexample | None = None,
    ) -> Judgement:
        return Judgement(verdict, len(self._history), dict(self._decided_by), counterexample, undecided, self._refuted)
