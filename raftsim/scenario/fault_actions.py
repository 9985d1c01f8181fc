"""What each step does that only a simulated world can do. Every one of them sets a witness."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from raftsim.scenario.fault_model import (
    Clock,
    Disk,
    Hold,
    Link,
    Partition,
    Pause,
    Release,
    Resume,
    Slow,
    Wipe,
)
from raftsim.scenario.report import INVALID
from raftsim.scenario.selectors import Selector
from raftsim.scenario.stage import HEAL, Ended, Stage

if TYPE_CHECKING:
    from raftsim.scenario.sim_faults import SimFaults


def hold(stage: Stage, step: Hold) -> None:
    src, dst = (None if some is None else _names(stage, some) for some in (step.src, step.dst))
    term, index = (None if wish is None else wish.holds for wish in (step.term, step.index))
    held = _faults(stage).hold(step.kinds, src, dst, term, index, step.limit)
    stage.holds[step.bind] = held
    stage.watch(f"hold {step.bind}: no message was caught", lambda: held.caught > 0)
    what = ", ".join(step.kinds or ("every message",))
    ways = [f" {way} {', '.join(names)}" for way, names in (("from", src), ("to", dst)) if names is not None]
    stage.say(f"hold {what}{''.join(ways)} (as {step.bind})")


def release(stage: Stage, step: Release) -> None:
    held = stage.holds[step.hold]
    if held.over:
        raise Ended(INVALID, f"{step.verb} {step.hold}: this hold has ended")
    if not held.held:
        stage.vacuous.append(f"{step.verb} {step.hold}: nothing was held")
    count = getattr(held, step.verb)(step.count, newest=step.newest)
    stage.say(f"{step.verb} {step.hold}  {count} message{'s' * (count != 1)}")


def link(stage: Stage, step: Link) -> None:
    sources, targets = stage.find(step.src), stage.find(step.dst)
    pairs = {(src, dst) for src in sources for dst in targets if src != dst}
    faults = _faults(stage)
    if step.cut:
        felt = faults.cut(pairs)
    elif step.clog_s is not None:
        felt = faults.clog(pairs, step.clog_s)
    else:
        felt = faults.link(pairs, step.changes)
    stage.watch(f"link {step.text}: no message felt it", felt, until=HEAL)
    stage.say(f"link {step.text} = {', '.join(sources)} -> {', '.join(targets)}")


def partition(stage: Stage, step: Partition) -> None:
    groups = [_names(stage, group) for group in step.groups]
    stage.watch(f"partition {step.text}: no message was lost to it", _faults(stage).partition(groups), until=HEAL)
    stage.say(f"partition {' | '.join(' '.join(group) for group in groups)}")


def disk(stage: Stage, step: Disk) -> None:
    servers = stage.find(step.server)
    named = stage.bind(step.bind, servers)
    for name in servers:
        if step.fault == "mend":
            stage.settle(f"disk {name}")
        try:
            felt = _faults(stage).disk(name, step.fault, step.value)
        except ValueError as error:
            raise Ended(INVALID, f"disk {step.text}: {error}") from None
        stage.watch(f"disk {step.text}: {name} did not feel it", felt, until=f"disk {name}")
    stage.say(f"disk {step.text} = {', '.join(servers)}{named}")


def clock(stage: Stage, step: Clock) -> None:
    servers = stage.find(step.server)
    for name in servers:
        felt = _faults(stage).clock(name, step.rate, step.jump_s)
        stage.watch(f"clock {step.text}: {name} did not look at it", felt, until=f"crash {name}")
    stage.say(f"clock {step.text} = {', '.join(servers)}")


def wipe(stage: Stage, step: Wipe) -> None:
    servers = stage.find(step.server)
    named = stage.bind(step.bind, servers)
    for name in servers:
        stage.watch(f"wipe {step.server.text}: {name} had nothing to lose", _faults(stage).wipe(name))
        stage.cast.crashed.add(name)
        stage.cast.paused.discard(name)
    stage.say(f"wipe {step.server.text} = {', '.join(servers)}{named}")


def slow(stage: Stage, step: Slow) -> None:
    servers = stage.find(step.server)
    named = stage.bind(step.bind, servers)
    for name in servers:
        stage.watch(f"slow {step.server.text}: {name} applied nothing", _faults(stage).slow(name, step.apply_s))
    stage.say(f"slow {step.server.text} = {', '.join(servers)}: {step.apply_s:g} s an entry{named}")


def pause(stage: Stage, step: Pause) -> None:
    servers = stage.find(step.server, of=stage.target.is_up)
    named = stage.bind(step.bind, servers)
    for name in servers:
        if name in stage.cast.paused:
            stage.vacuous.append(f"pause {step.server.text}: {name} was paused already")
            continue
        felt = _faults(stage).pause(name)
        stage.watch(f"pause {step.server.text}: {name} went on at once", felt, until=f"pause {name}")
        stage.cast.paused.add(name)
    stage.say(f"pause {step.server.text} = {', '.join(servers)}{named}")


def resume(stage: Stage, step: Resume) -> None:
    servers = stage.find(step.server, of=stage.cast.paused.__contains__)
    for name in servers:
        stage.settle(f"pause {name}")
        _faults(stage).resume(name)
        stage.cast.paused.discard(name)
    stage.say(f"resume {step.server.text} = {', '.join(servers)}")


def _names(stage: Stage, selectors: tuple[Selector, ...]) -> tuple[str, ...]:
    """The servers meant, in order, each once."""
    return tuple(dict.fromkeys(name for selector in selectors for name in stage.find(selector)))


def _faults(stage: Stage) -> SimFaults:
    faults = stage.target.faults
    assert faults is not None  # refused before the start: play.only_simulated
    return faults


FAULT_ACTIONS: dict[type, Callable[[Stage, Any], None]] = {
    Hold: hold,
    Release: release,
    Link: link,
    Partition: partition,
    Disk: disk,
    Clock: clock,
    Wipe: wipe,
    Slow: slow,
    Pause: pause,
    Resume: resume,
}
