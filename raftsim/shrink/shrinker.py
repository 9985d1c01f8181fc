"""The search: make a failing scenario smaller as long as it still fails, by the same judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from raftsim.shrink.bench import Bench
from raftsim.shrink.ddmin import ddmin
from raftsim.shrink.document import Document, read, with_steps, write
from raftsim.shrink.play import Played, is_the_same
from raftsim.shrink.simpler import fewer_servers, places

TRIES: Final = 4  # other seeds, for what does not fail with the one that did

SUFFIX: Final = "-shrunk"  # of the name of what was shrunk

Tell = Callable[[str], None]


class DoesNotFail(Exception):
    """There is nothing to shrink; the message is one sentence."""


class Spent(Exception):
    """All runs of the budget are done."""


@dataclass(slots=True)
class Budget:
    """How many runs may be done, and how many were."""

    runs: int
    done: int = 0

    @property
    def spent(self) -> bool:
        return self.done >= self.runs


@dataclass(frozen=True, slots=True)
class Failure:
    """A scenario that fails, and the run that shows it."""

    document: Document
    played: Played

    @property
    def text(self) -> str:
        return write(self.document)


class Shrinker:
    """`best` is the smallest failure found so far: whatever ends `run`, it stands. `start` and `first`: the document
    it began with, and its run."""

    def __init__(self, text: str, seed: int, bench: Bench, budget: Budget, tell: Tell) -> None:
        """Plays it once. Raises DoesNotFail."""
        document = {key: value for key, value in read(text).items() if key not in ("about", "paper")}
        document["name"] = f"{document['name'].removesuffix(SUFFIX)[: 64 - len(SUFFIX)]}{SUFFIX}"
        self._bench = bench
        self._budget = budget
        self._tell = tell
        self._tried: set[tuple[str, int]] = set()
        text = write(document)
        played = bench.play(text, seed)
        if played is None or not played.judge:
            raise DoesNotFail(f"nothing is violated with seed {seed}")
        if not self._is_to_blame(text, played):
            raise DoesNotFail(f"{played.judge!r} is violated with seed {seed} without {bench.mutant} too")
        self.start = document
        self.first = played
        self.best = Failure(document, played)

    @property
    def mutant(self) -> str:
        """The id of the planted bug, empty for none."""
        return self._bench.mutant

    def run(self) -> bool:
        """Shrink until nothing can be left out or made simpler any more: True, or False when the budget is spent."""
        try:
            self._without_what_follows()
            for tries in (0, TRIES):
                while self._smaller(tries):
                    pass
        except Spent:
            return False
        return True

    def seeds(self, count: int) -> int:
        """How many of the first `count` seeds fail so. These runs are beyond the budget."""
        text = self.best.text
        found = [self._bench.play(text, seed) for seed in range(count)]
        return sum(played is not None and self._fails_so(text, played) for played in found)

    def _without_what_follows(self) -> None:
        """The run ended in one of its steps: what stands behind it was not reached."""
        document, step = self.best.document, self.best.played.step
        if step is not None:
            rest = {key: value for key, value in document.items() if key != "expect"}
            self._accept(with_steps(rest, document["steps"][: step + 1]), 0)

    def _smaller(self, tries: int) -> bool:
        """One round of all there is to try. Whether it has come to anything."""
        before = self.best.document
        steps = before["steps"]

        def fails(numbers: Sequence[int]) -> bool:
            return bool(numbers) and self._accept(with_steps(before, [steps[number] for number in numbers]), tries)

        ddmin(range(len(steps)), fails)
        self._one_by_one(fewer_servers, tries)
        self._one_by_one(places, tries)
        return self.best.document != before

    def _one_by_one(self, options: Callable[[Document], Iterable[Document]], tries: int) -> None:
        """Take whichever option still fails; then look what there is to choose from that, from the same place on."""
        place = 0
        while True:
            found = list(options(self.best.document))
            while place < len(found) and not self._accept(found[place], tries):
                place += 1
            if place >= len(found):
                return

    def _accept(self, document: Document, tries: int) -> bool:
        """Whether that still fails, with the seed so far or with one of some others; then it is the best."""
        text = write(document)
        if text == self.best.text:
            return False
        for seed in dict.fromkeys([self.best.played.seed, *range(tries)]):
            if (text, seed) in self._tried:
                continue
            played = self._run(text, seed)
            if played is None:
                return False
            if self._fails_so(text, played):
                self.best = Failure(document, played)
                return True
        return False

    def _fails_so(self, text: str, played: Played) -> bool:
        """As the first did, and not without the mutant."""
        return is_the_same(self.first, played) and self._is_to_blame(text, played)

    def _is_to_blame(self, text: str, played: Played) -> bool:
        return self._bench.is_to_blame(played.judge, lambda bench: bench.play(text, played.seed))

    def _run(self, text: str, seed: int) -> Played | None:
        if self._budget.spent:
            raise Spent
        self._tried.add((text, seed))
        played = self._bench.play(text, seed)
        self._budget.done += played is not None
        steps = len(self.best.document["steps"])
        self._tell(f"{self._budget.done:,} of {self._budget.runs:,} runs, {steps} step{'s' * (steps != 1)}")
        return played
