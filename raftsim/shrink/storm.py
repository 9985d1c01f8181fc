"""From a failing run of the swarm to a scenario that fails by the same judge, with as little done in it as can be."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from raftsim.check.clients.exactly_once import EXACTLY_ONCE
from raftsim.check.clients.freshness import FRESH_READS, MONOTONIC_READS, PHANTOM, READ_YOUR_WRITES
from raftsim.scenario.read_steps import MAX_STEPS
from raftsim.shrink.bench import Bench, Run
from raftsim.shrink.ddmin import ddmin
from raftsim.shrink.document import write
from raftsim.shrink.play import Played
from raftsim.shrink.recording import Act, Recording
from raftsim.shrink.replay import OF_THE_END, Replayed
from raftsim.shrink.shrinker import TRIES, Budget, DoesNotFail, Spent, Tell
from raftsim.shrink.steps import scenario_of
from raftsim.swarm.run import LINEARIZABILITY
from raftsim.swarm.settle import SERVICE

SEEDS: Final = 50  # that are tried for a run that does not fail again with its own
OF_CLIENTS: Final = (
    SERVICE,
    LINEARIZABILITY,
    EXACTLY_ONCE,
    PHANTOM,
    READ_YOUR_WRITES,
    MONOTONIC_READS,
    FRESH_READS,
)


class NotTold(Exception):
    """This run cannot be told as a scenario; the message says why, in one sentence."""


class Storm:
    """Leaves acts out of a recording as long as what is left still fails."""

    def __init__(self, recording: Recording, seed: int, bench: Bench, budget: Budget, tell: Tell) -> None:
        """Finds a seed with which it fails again. Raises DoesNotFail, NotTold and Spent."""
        if not recording.judge:
            raise DoesNotFail(f"nothing is violated in the swarm's run of seed {seed}")
        self.judge = OF_THE_END.get(recording.judge, recording.judge)
        self._head = recording.head
        self._bench = bench
        self._budget = budget
        self._tell = tell
        seeds = [seed, *(other for other in range(SEEDS) if other != seed)]
        found = next((found for other in seeds if (found := self._replay(recording.acts, other))), None)
        if found is None:
            raise NotTold(_why_not(recording))
        self.best = found

    def scenario(self) -> tuple[str, int]:
        """The text of a scenario that tells what is left, and the seed with which it fails. Raises NotTold."""
        document = scenario_of(self._head, self.best.acts, self.judge)
        if len(document["steps"]) > MAX_STEPS:
            raise NotTold(f"needs {len(document['steps'])} steps, and a scenario has {MAX_STEPS} at most")
        text = write(document)
        seeds = [self.best.seed, *(other for other in range(SEEDS) if other != self.best.seed)]
        found = next((seed for seed in seeds if self._fails_as(text, seed)), None)
        if found is None:
            raise NotTold(f"what the swarm did fails by {self.judge!r} in its own world, but not as a scenario")
        return text, found

    def run(self) -> None:
        """Leave out what can be left out, until nothing can be or the budget is spent."""
        with suppress(Spent):
            for tries in (0, TRIES):
                for verb in sorted({act.verb for act in self.best.acts}):
                    self._accept([act for act in self.best.acts if act.verb != verb], tries)
                ddmin(self.best.acts, partial(self._accept, tries=tries))

    def _accept(self, acts: Sequence[Act], tries: int) -> bool:
        for seed in dict.fromkeys([self.best.seed, *range(tries)]):
            if (found := self._replay(acts, seed)) is not None:
                self.best = found
                return True
        return False

    def _replay(self, acts: Sequence[Act], seed: int) -> Replayed | None:
        """The run, if it fails by the same judge."""
        if self._budget.spent:
            raise Spent
        self._budget.done += 1
        self._tell(f"{self._budget.done:,} of {self._budget.runs:,} runs, {len(acts)} acts of the swarm")

        def run(bench: Bench) -> Replayed:
            return bench.replay(self._head, acts, seed, self.judge)

        found = run(self._bench)
        return found if self._is_it(found, run) else None

    def _fails_as(self, text: str, seed: int) -> bool:
        """Whether that scenario fails by the same judge."""
        self._budget.done += 1

        def run(bench: Bench) -> Played | None:
            return bench.play(text, seed)

        played = run(self._bench)
        return played is not None and self._is_it(played, run)

    def _is_it(self, found: Played | Replayed, run: Run) -> bool:
        return found.judge == self.judge and self._bench.is_to_blame(self.judge, run)


def _why_not(recording: Recording) -> str:
    found = f"{recording.judge!r} finds nothing when the same is done again"
    if recording.judge in OF_CLIENTS:
        return f"needs the judge {recording.judge!r}, which scenarios do not have"
    if any(act.verb == "add" for act in recording.acts):
        return f"needs servers that are added while it runs, which scenarios do not do: {found}"
    return f"{found}, with {SEEDS} seeds"
