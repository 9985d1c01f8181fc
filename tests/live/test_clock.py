from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

import pytest

from raftsim.live.clock import LoopClock
from raftsim.live.loop import loop_factory
from tests.live.helpers import eventually

LOOPS = [pytest.param(asyncio.new_event_loop, id="asyncio"), pytest.param(loop_factory(), id="installed")]
Factory = Callable[[], asyncio.AbstractEventLoop]


@pytest.mark.parametrize("factory", LOOPS)
def test_it_wakes_at_the_deadline_and_not_before(factory: Factory) -> None:
    async def main() -> None:
        clock, turns = LoopClock(), list[float]()
        clock.start(lambda: turns.append(clock.now()))
        deadline = clock.now() + 0.02
        clock.wake_at(deadline + 100)
        clock.wake_at(deadline)
        await eventually(lambda: turns)
        assert len(turns) == 1
        assert turns[0] >= deadline

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())


@pytest.mark.parametrize("factory", LOOPS)
def test_a_deadline_that_moved_on_replaces_the_earlier_one(factory: Factory) -> None:
    async def main() -> None:
        clock, turns = LoopClock(), list[float]()
        clock.start(lambda: turns.append(clock.now()))
        begin = clock.now()
        for step in range(1, 6):
            clock.wake_at(begin + 0.01 * step)
        await eventually(lambda: turns)
        assert turns[0] >= begin + 0.05

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())


async def test_a_turn_that_is_wanted_often_is_taken_once_and_after_the_inputs_that_wait() -> None:
    order: list[str] = []
    clock = LoopClock()
    clock.start(lambda: order.append("turn"))
    loop = asyncio.get_running_loop()
    loop.call_soon(order.append, "input")
    for _ in range(3):
        clock.turn_soon()
    await eventually(lambda: "turn" in order)
    assert order == ["input", "turn"]
    clock.turn_soon()
    await eventually(lambda: order.count("turn") == 2)


async def test_no_deadline_at_all_and_no_turn_after_stop() -> None:
    turns: list[None] = []
    clock = LoopClock()
    clock.start(lambda: turns.append(None))
    clock.wake_at(math.inf)
    clock.wake_at(clock.now())
    clock.turn_soon()
    clock.stop()
    later = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, later.set)
    await later.wait()
    assert turns == []


async def test_people_are_shown_wall_time() -> None:
    before = time.time_ns()
    assert before <= LoopClock().wall_ns() <= time.time_ns()
