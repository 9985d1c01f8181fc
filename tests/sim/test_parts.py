"""The clock and the network on their own."""

from __future__ import annotations

from random import Random

import pytest

from raftsim.sim.clock import SimClock
from raftsim.sim.delays import Delay, Exponential, Normal, Uniform
from raftsim.sim.network import NetworkModel
from raftsim.sim.timeline import Timeline
from raftsim.sim.world import World
from raftsim.trace.events import DELIVER, SEND, Event
from tests.sim.parts import play


def test_ties_are_first_come_first_served_and_the_past_is_now() -> None:
    timeline, seen = Timeline(), list[str]()
    timeline.now = 1.0
    for time, what in ((2.0, "later"), (0.5, "late"), (1.0, "now"), (2.0, "last")):
        timeline.at(time, seen.append, what)
    play(timeline)
    assert seen == ["late", "now", "later", "last"]


def test_only_the_latest_deadline_rings() -> None:
    timeline, turns = Timeline(), list[float]()
    clock = SimClock(timeline, lambda: turns.append(timeline.now))
    for deadline in (5.0, 3.0, 4.0):
        clock.wake_at(deadline)
    play(timeline)
    assert turns == [4.0]


def test_moving_a_deadline_away_leaves_one_entry() -> None:
    timeline, turns = Timeline(), list[float]()
    clock = SimClock(timeline, lambda: turns.append(timeline.now))
    for deadline in range(1, 1000):
        clock.wake_at(float(deadline))
    assert len(timeline.queue) == 1
    play(timeline)
    assert turns == [999.0]


def test_a_cancelled_clock_never_rings() -> None:
    timeline, turns = Timeline(), list[float]()
    clock = SimClock(timeline, lambda: turns.append(timeline.now))
    clock.wake_at(1.0)
    clock.cancel()
    play(timeline)
    assert turns == []


def test_a_turn_asked_for_twice_is_taken_once() -> None:
    timeline, turns = Timeline(), list[float]()
    clock = SimClock(timeline, lambda: turns.append(timeline.now))
    clock.turn_soon()
    clock.turn_soon()
    play(timeline)
    assert turns == [0.0]
    clock.turn_soon()
    play(timeline)
    assert turns == [0.0, 0.0]


@pytest.mark.parametrize(
    ("delay", "mean"), [(Uniform(0.01, 0.03), 0.02), (Normal(0.02, 0.002), 0.02), (Exponential(0.02, 0.005), 0.02)]
)
def test_delays_have_the_mean_they_say(delay: Delay, mean: float) -> None:
    rng = Random(1)
    draws = [delay.draw(rng) for _ in range(5_000)]
    assert min(draws) >= 0
    assert sum(draws) / len(draws) == pytest.approx(mean, rel=0.05)


@pytest.mark.parametrize("wrong", [{"loss": 1.5}, {"loss": -0.1}, {"duplicate": 2}])
def test_a_probability_is_between_0_and_1(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must be a probability between 0 and 1"):
        NetworkModel(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("fifo", [True, False])
def test_only_a_fifo_network_keeps_the_order(fifo: bool) -> None:
    sent: dict[tuple[str, str], list[int]] = {}
    overtaken = []

    def watch(event: Event) -> None:
        message = event.subject
        if event.kind == SEND:
            sent.setdefault((message.src, message.dst), []).append(id(message))
            kept.append(message)
        elif event.kind == DELIVER:
            queue = sent[message.src, message.dst]
            overtaken.append(queue.index(id(message)) > 0)
            queue.remove(id(message))

    kept: list[object] = []  # so that no id is used twice
    world = World(3, seed=1, network=NetworkModel(Exponential(0.2), fifo=fifo), observers=[watch])
    world.run(60)
    assert any(overtaken) is not fifo


def test_one_link_can_have_a_model_of_its_own() -> None:
    world = World(3, seed=1)
    world.link("n1", "n2", NetworkModel(loss=1))
    world.run(3)
    lost = world.network.dropped["loss"]
    assert lost > 0
    world.link("n1", "n2", None)
    world.run(3)
    assert world.network.dropped["loss"] == lost
