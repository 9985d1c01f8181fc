"""The judge of linearizability: against an oracle that tries every order, on tables, on broken and long histories."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from raftsim.check import OK, SOME, UNKNOWN, VIOLATED, Budget, Counterexample, Map, Operation, Register, linearizable
from raftsim.check.clients.sweep import Limits
from tests.check.histories import Mix, brute_force, disturb, generate, mutations, registers, scramble

NO_SWEEP = Budget(sweep=Limits(steps=0))
NOTHING = Budget(sweep=Limits(steps=0), search_rounds=(1,))


DONE, NOT_DONE = True, False  # of a check-and-set


def op(
    process: str,
    function: str,
    key: str,
    argument: object,
    output: object,
    called: float,
    returned: float | None = None,
) -> Operation:
    return Operation(process, function, key, argument, output, called, returned)


@pytest.mark.parametrize("first", range(0, 5_000, 500))
def test_it_agrees_with_trying_every_order(first: int) -> None:
    """10,000 small histories of repeated or unique values, with check-and-sets, deletes, lists, open operations."""
    verdicts: Counter[str] = Counter()
    for seed in range(first, first + 500):
        for history in (scramble(Random(seed)), disturb(Random(seed))):
            expected = OK if brute_force(history) else VIOLATED
            judgement = linearizable(history, Map())
            assert judgement.verdict == expected, (seed, str(judgement))
            assert linearizable(history, Map(), budget=NO_SWEEP).verdict == expected, (seed, "by search")
            verdicts[judgement.verdict] += 1
            if judgement.counterexample and not any(operation.function == "list" for operation in history):
                check(judgement.counterexample)
    assert min(verdicts[OK], verdicts[VIOLATED]) > 200, verdicts


def check(found: Counterexample) -> None:
    """It is one, it is not one without its last answer, and the states are all there may be."""
    history = list(found.prefix)
    assert not brute_force(history), str(found)
    before = [replace(o, returned=None, output=None) if o is found.last else o for o in history]
    assert brute_force(before), str(found)
    (key,) = found.keys
    written = {o.argument if o.function == "put" else o.argument[1] for o in history if o.function in {"put", "cas"}}
    assert found.last.returned is not None
    end = found.last.returned + 1
    possible = {v for v in (None, *written) if brute_force([*before, op("last", "get", key, None, v, end, end)])}
    assert found.states is not None
    assert {state[key] for state in found.states} == possible, str(found)


LINEARIZABLE = {
    "nothing at all": [],
    "touching operations are concurrent": [
        op("a", "put", "x", 1, None, 0, 5),
        op("b", "get", "x", None, None, 5, 6),
        op("b", "get", "x", None, 1, 6, 7),
    ],
    "an open write may happen late": [
        op("a", "put", "x", 1, None, 0),
        op("b", "get", "x", None, None, 1, 2),
        op("b", "get", "x", None, 1, 3, 4),
    ],
    "an open write may never happen": [op("a", "put", "x", 1, None, 0), op("b", "get", "x", None, None, 1, 2)],
    "an open check-and-set may have failed": [
        op("a", "put", "x", 1, None, 0, 1),
        op("a", "cas", "x", (2, 3), None, 2),
        op("b", "get", "x", None, 1, 3, 4),
    ],
    "a check-and-set fails on a value that nobody reads": [
        op("a", "put", "x", 1, None, 0),
        op("b", "cas", "x", (None, 2), NOT_DONE, 1, 2),
    ],
    "a chain of open ones is seen at its end": [
        op("a", "cas", "x", (None, 1), None, 0),
        op("b", "cas", "x", (1, 2), None, 1),
        op("c", "get", "x", None, 2, 2, 3),
    ],
    "a list in the middle of two puts": [
        op("a", "put", "x", 1, None, 0, 9),
        op("a", "put", "y", 1, None, 0, 9),
        op("b", "list", "", None, {"y": 1}, 1, 2),
        op("b", "list", "", None, {"x": SOME, "y": 1}, 3, 4),
    ],
}

VIOLATIONS = {
    "a phantom": [op("a", "get", "x", None, 1, 0, 1)],
    "a read before the write was asked for": [
        op("a", "get", "x", None, 1, 0, 1),
        op("b", "put", "x", 1, None, 2, 3),
    ],
    "new and then old": [
        op("a", "put", "x", 1, None, 0, 1),
        op("a", "put", "x", 2, None, 2, 9),
        op("b", "get", "x", None, 2, 3, 4),
        op("b", "get", "x", None, 1, 5, 6),
    ],
    "two took the same value": [
        op("a", "cas", "x", (None, 1), DONE, 0, 1),
        op("b", "cas", "x", (None, 2), DONE, 0, 1),
    ],
    "a check-and-set fails without a reason": [op("a", "cas", "x", (None, 1), NOT_DONE, 0, 1)],
    "back from the dead": [
        op("a", "put", "x", 1, None, 0, 1),
        op("a", "delete", "x", None, None, 2, 3),
        op("b", "get", "x", None, 1, 4, 5),
    ],
    "each key alone is right, the lists disagree": [
        op("a", "put", "x", 1, None, 0, 9),
        op("b", "put", "y", 1, None, 0, 9),
        op("c", "list", "", None, {"x": 1}, 1, 2),
        op("d", "list", "", None, {"y": 1}, 1, 2),
    ],
    "a list shows what its prefix does not cover": [
        op("a", "put", "x", 1, None, 0, 1),
        op("a", "list", "y", None, {"x": 1}, 2, 3),
    ],
}


@pytest.mark.parametrize("budget", [None, NO_SWEEP])
@pytest.mark.parametrize("history", LINEARIZABLE.values(), ids=LINEARIZABLE)
def test_linearizable(history: list[Operation], budget: Budget | None) -> None:
    assert brute_force(history)
    assert linearizable(history, Map(), budget=budget).verdict == OK


@pytest.mark.parametrize("budget", [None, NO_SWEEP])
@pytest.mark.parametrize("history", VIOLATIONS.values(), ids=VIOLATIONS)
def test_violated(history: list[Operation], budget: Budget | None) -> None:
    judgement = linearizable(history, Map(), budget=budget)
    assert judgement.verdict == VIOLATED
    assert judgement.counterexample is not None


def test_registers_are_judged_as_maps_are() -> None:
    history = registers(generate(Mix(clients=5, keys=2, operations=2_000, cas=0.3), seed=3))
    assert linearizable(history, Register()).verdict == OK
    assert linearizable([op("a", "read", "x", None, 7, 0, 1)], Register(initial=7)).verdict == OK
    assert linearizable([op("a", "read", "x", None, 7, 0, 1)], Register()).verdict == VIOLATED


@pytest.mark.parametrize("cas", [0, 0.3])
@pytest.mark.parametrize("seed", range(5))
def test_every_mutation_of_a_good_history_is_found(seed: int, cas: float) -> None:
    history = generate(Mix(clients=8, keys=3, operations=1_500, cas=cas), seed)
    assert linearizable(history, Map()).verdict == OK
    for name, broken in mutations(history, Random(seed)):
        judgement = linearizable(broken, Map())
        assert judgement.verdict == VIOLATED, name
        assert judgement.counterexample is not None
        assert judgement.counterexample.last in broken, name


def test_the_story_of_a_stale_read() -> None:
    history = [
        op("c1", "put", "x", "old", None, 0, 1),
        op("c1", "put", "x", "new", None, 2, 3),
        op("c3", "delete", "x", None, None, 3.5),
        op("c2", "get", "x", None, "old", 4, 5),
        op("c2", "get", "x", None, "new", 6, 7),
        op("c1", "put", "y", "elsewhere", None, 4, 5),
    ]
    judgement = linearizable(history, Map())
    assert judgement.counterexample is not None
    assert judgement.counterexample.states == ({"x": "new"}, {"x": None})
    assert str(judgement).splitlines() == [
        "not linearizable. The history of key 'x' is not linearizable as soon as its operation 4 is there:",
        "  c2: get('x') = 'old', 4.000000 to 5.000000 s",
        "No order of what came before allows it. Just before, there could have been:",
        "  'new'",
        "  nothing",
        "Under way at that time:",
        "  c3: delete('x'), asked at 3.500000 s, unknown",
    ]


def test_the_order_the_system_claims_decides_if_it_holds() -> None:
    history = generate(Mix(50, 5, 20_000, cas=0.2, deletes=0.1, lists=0.1, open=0, indexed=True), seed=1)
    assert linearizable(history, Map()).decided_by == {"witness": 1}


def test_a_claimed_order_is_not_believed() -> None:
    """Clients could not tell, and yet it is a finding: the system says that it did what it did not."""
    history = [
        replace(op("a", "put", "x", 1, None, 0, 9), index=2),
        replace(op("b", "put", "x", 2, None, 0, 9), index=3),
        replace(op("c", "get", "x", None, 1, 5, 6), index=3),
    ]
    judgement = linearizable(history, Map())
    assert judgement.verdict == OK
    assert judgement.order == "in the order, 'x' holds 2 at [c: get('x') = 1, 5.000000 to 6.000000 s]"
    early = [op("a", "put", "x", 1, None, 0, 1), op("a", "put", "x", 2, None, 2, 3)]
    assert linearizable(early, Map(), order=[0, 1]).decided_by == {"witness": 1}
    assert "had returned when" in linearizable(early, Map(), order=[1, 0]).order
    assert "every answered operation once" in linearizable(early, Map(), order=[0]).order
    assert "every answered operation once" in linearizable(early, Map(), order=[0, 1, 1]).order


def test_what_is_given_up_is_unknown_and_never_a_pass() -> None:
    good = generate(Mix(clients=50, keys=5, operations=2_000, cas=0.3), seed=1)
    judgement = linearizable(good, Map(), budget=NOTHING)
    assert judgement.verdict == UNKNOWN
    assert judgement.undecided == (("k0",), ("k1",), ("k2",), ("k3",), ("k4",))
    assert str(judgement).startswith("unknown: too much was under way at once to decide 2000 operations, on k0; k1")
    assert linearizable(good, Map()).verdict == OK


def test_a_violated_key_is_found_beside_a_hopeless_one() -> None:
    """The search takes turns: the bad key is refuted while the others are still open."""
    history = generate(Mix(clients=50, keys=5, operations=5_000, cas=0.3), seed=1)
    bad = next(n for n, o in enumerate(history) if o.key == "k4" and o.function == "get" and o.output is not None)
    history[bad] = replace(history[bad], output="never written")
    budget = Budget(sweep=Limits(steps=0), search_rounds=(2_000,))
    assert linearizable(history, Map(), budget=budget).verdict == VIOLATED


@pytest.mark.parametrize(
    ("mix", "stage"),
    [
        (Mix(clients=10, keys=5, operations=100_000), "zones"),
        (Mix(clients=10, keys=5, operations=50_000, cas=0.2, deletes=0.1), "sweep"),
        (Mix(clients=50, keys=5, operations=5_000, cas=0.2), "sweep"),
    ],
    ids=str,
)
def test_long_histories_are_decided_within_the_budget(mix: Mix, stage: str) -> None:
    judgement = linearizable(generate(mix, seed=1), Map())
    assert (judgement.verdict, judgement.decided_by[stage] > 0) == (OK, True), str(judgement)


@pytest.mark.parametrize("broken", [op("a", "pop", "x", None, None, 0, 1), op("a", "get", "x", None, None, 2, 1)])
def test_what_is_no_history_is_refused(broken: Operation) -> None:
    with pytest.raises(ValueError, match=r"a map has no function 'pop'|returned before it was called"):
        linearizable([broken], Map())
