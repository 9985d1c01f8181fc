"""What each step does, in either world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from raftsim.core.config import REMOVE
from raftsim.node.requests import OK, REFUSED, RemovePeer, TransferLeadership
from raftsim.scenario.conditions import Condition
from raftsim.scenario.model import (
    DEFAULT_WITHIN_S,
    Change,
    Check,
    Crash,
    Get,
    Heal,
    Isolate,
    Put,
    Remove,
    Restart,
    Run,
    Transfer,
    Until,
)
from raftsim.scenario.report import DURABILITY, INVALID, LIVENESS
from raftsim.scenario.stage import HEAL, Ended, Stage
from raftsim.scenario.target import ITEM, ChangeServers, ReadVariable, Ticket
from raftsim.scenario.view import View
from raftsim.scenario.writes import tell


def until(stage: Stage, step: Until) -> None:
    if not stage.wait(step.condition.holds, step.within_s):
        raise stage.violated(f"until {step.condition.text} ran out after {step.within_s:g} s", LIVENESS)
    stage.report.expectations += 1
    named = ""
    if step.bind is not None:
        # Not simply the highest term: the condition may leave servers out, and those may still hold on to theirs.
        leader = step.condition.leader(stage.view())
        named = f": {leader}" + stage.bind(step.bind, (leader,))
    stage.say(f"until {step.condition.text}  ok{named}")


def run(stage: Stage, step: Run) -> None:
    view = stage.view()
    throughout = []
    for condition in step.throughout:
        pinned = condition.pinned(view)
        if pinned is None:
            raise Ended(INVALID, f"throughout {condition.text} has nothing to begin with; there is: {view.describe()}")
        throughout.append(pinned)
    stage.say(f"run {step.for_s:g} s")
    broken: list[Condition] = []

    def breaks(view: View) -> bool:
        broken[:] = [condition for condition in throughout if not condition.holds(view)]
        return bool(broken)

    if stage.spend(breaks, step.for_s):
        raise stage.violated(f"throughout {broken[0].text} does not hold any more")
    stage.report.expectations += len(throughout)
    for condition in throughout:
        stage.say(f"throughout {condition.text}  ok")


def check(stage: Stage, step: Check) -> None:
    expect(stage, step.conditions, "check")


def expect(stage: Stage, conditions: tuple[Condition, ...], word: str) -> None:
    """Each condition must hold now."""
    for condition in conditions:
        stage.report.line = condition.line
        if not condition.holds(stage.view()):
            raise stage.violated(f"{word} {condition.text} does not hold")
        if condition.acked:
            read_back(stage)
        stage.report.expectations += 1
        stage.say(f"{word} {condition.text}  ok")


def read_back(stage: Stage) -> None:
    """Read every key that has an acknowledged write, through any server; it must hold what it may hold."""
    if not stage.wait(lambda _: all(batch.done for batch in stage.batches), DEFAULT_WITHIN_S):
        for batch in stage.batches:
            batch.give_up()
    expected = {path: values for batch in stage.batches for path, values in batch.expected().items()}
    if not expected:
        raise Ended(INVALID, "'acked: present' has nothing to read back: no write was acknowledged")
    for path, values in expected.items():
        held = _read(stage, path)
        if held not in values:
            lost = f"the acknowledged write {path} = {values[0]} is lost: it reads {held or 'nothing'}"
            raise stage.violated(lost, DURABILITY)


def _read(stage: Stage, path: str) -> str | None:
    """The value at `path`, read linearizably; a read that fails is tried again elsewhere."""
    deadline = stage.target.now() + DEFAULT_WITHIN_S * stage.target.slack
    reason = "no server is in service"
    while (left := deadline - stage.target.now()) > 0:
        servers = stage.cast.in_service()
        if not servers:
            break
        ticket = stage.target.submit(stage.cast.rng.choice(servers), ReadVariable(path))
        stage.spend(lambda _, ticket=ticket: ticket.outcome is not None, left)  # type: ignore[misc]
        if ticket.outcome is None:
            break
        if ticket.outcome.kind == OK:
            variable = ticket.outcome.value["variable"]
            return None if variable is None else str(variable["Items"][ITEM])
        reason = ticket.outcome.reason
        stage.spend(lambda _: False, min(left, 0.05))
    raise stage.violated(f"{path} could not be read within {DEFAULT_WITHIN_S:g} s ({reason})", LIVENESS)


def crash(stage: Stage, step: Crash) -> None:
    servers = stage.find(step.server)
    named = stage.bind(step.bind, servers)
    for name in servers:
        if not stage.target.is_up(name):
            stage.vacuous.append(f"crash {step.server.text}: {name} was down already")
            continue
        stage.settle(f"crash {name}")
        stage.target.crash(name)
        stage.cast.crashed.add(name)
        stage.cast.paused.discard(name)
        if stage.target.is_up(name):
            stage.vacuous.append(f"crash {step.server.text}: {name} is still up")
    stage.say(f"crash {step.server.text} = {', '.join(servers)}{named}")


def restart(stage: Stage, step: Restart) -> None:
    servers = stage.find(step.server, of=lambda name: not stage.target.is_up(name))
    for name in servers:
        stage.target.restart(name)
        if not step.starts:
            if stage.target.is_up(name):
                raise stage.violated(f"restart {step.server.text}: {name} starts, and must not")
            continue
        stage.cast.crashed.discard(name)
    stage.say(f"restart {step.server.text} = {', '.join(servers)}{'' if step.starts else ', which stays down'}")
    if not step.starts:
        stage.report.expectations += 1
        return
    if not stage.wait(lambda view: all(view.statuses[name] for name in servers), step.within_s):
        raise stage.violated(f"restart {step.server.text}: no answer within {step.within_s:g} s", LIVENESS)


def isolate(stage: Stage, step: Isolate) -> None:
    servers = stage.find(step.server)
    named = stage.bind(step.bind, servers)
    stage.cast.isolated.update(servers)
    for name in servers:
        stage.drops_before.setdefault(name, stage.target.cut_drops(name))
    stage.target.isolate(frozenset(stage.cast.isolated))
    stage.say(f"isolate {step.server.text} = {', '.join(servers)}{named}")


def heal(stage: Stage, _step: Heal) -> None:
    faulty = any(witness.until == HEAL for witness in stage.witnesses)
    if not stage.cast.isolated and not faulty:
        stage.vacuous.append("heal all: no server was isolated")
    witness_cuts(stage)
    stage.settle(HEAL)
    stage.target.isolate(frozenset())
    if stage.target.faults is not None:
        stage.target.faults.heal()
    stage.say(f"heal all = {', '.join(sorted(stage.cast.isolated)) or ('links' if faulty else 'nobody')}")
    stage.cast.isolated.clear()


def witness_cuts(stage: Stage) -> None:
    """A cut that no message ran into has tested nothing."""
    for name, before in sorted(stage.drops_before.items()):
        if stage.target.cut_drops(name) == before:
            stage.vacuous.append(f"isolate {name}: no message was lost to the cut")
    stage.drops_before.clear()


def remove(stage: Stage, step: Remove) -> None:
    servers = stage.find(step.server)
    named = stage.bind(step.bind, servers)
    stage.say(f"remove {step.server.text} = {', '.join(servers)}{named}")
    for name in servers:
        _remove_one(stage, step, name)


def _remove_one(stage: Stage, step: Remove, name: str) -> None:
    via = stage.find(step.via)[0]
    ticket = stage.target.submit(via, RemovePeer(id=stage.target.ids[name]))

    def gone(view: View) -> bool:
        outcome = ticket.outcome
        return outcome is not None and (outcome.kind == REFUSED or view.is_removed(stage.target.ids[name]))

    ended = stage.wait(gone, step.within_s)
    outcome = ticket.outcome
    if outcome is not None and outcome.kind == REFUSED:
        raise stage.violated(f"remove {name} via {via} was refused: {outcome.reason} {outcome.detail or ''}".rstrip())
    if not ended or outcome is None:
        raise stage.violated(f"{name} was not removed within {step.within_s:g} s", LIVENESS)
    stage.cast.removed.add(name)
    stage.say(f"{via} answers {outcome.kind}: {name} is removed")


def change(stage: Stage, step: Change) -> None:
    via = stage.find(step.via)[0]
    changes = tuple((op, name) for op, selector in step.changes for name in stage.find(selector))
    ticket = stage.target.submit(via, ChangeServers(changes))
    for op, name in changes:
        (stage.cast.removed.add if op == REMOVE else stage.cast.removed.discard)(name)
    stage.say(f"change {step.text} via {via}")
    if step.wait:
        _answered(stage, ticket, f"change {step.text} via {via}", step.within_s)


def transfer(stage: Stage, step: Transfer) -> None:
    via, name = stage.find(step.via)[0], stage.find(step.server)[0]
    ticket = stage.target.submit(via, TransferLeadership(id=stage.target.ids[name]))
    stage.say(f"transfer {step.server.text} = {name}, via {via}")
    if step.wait:
        _answered(stage, ticket, f"transfer {step.server.text} via {via}", step.within_s)


def _answered(stage: Stage, ticket: Ticket, what: str, within_s: float) -> None:
    """It must be done, and within a bound."""
    if not stage.wait(lambda _: ticket.outcome is not None, within_s) or ticket.outcome is None:
        raise stage.violated(f"{what} was not answered within {within_s:g} s", LIVENESS)
    if ticket.outcome.kind != OK:
        raise stage.violated(f"{what} was not done: {ticket.outcome.reason} {ticket.outcome.detail or ''}".rstrip())
    stage.report.expectations += 1
    stage.say("done")


def put(stage: Stage, step: Put) -> None:
    stage.find(step.via)
    batch = stage.start_writes(step)
    if not step.wait:
        stage.say(f"put {step.count} by {step.clients} clients, in the background")
        return
    if not stage.wait(lambda _: batch.done, step.within_s):
        batch.give_up()
    counts = batch.counts()
    why = f" ({', '.join(sorted(batch.failures))})" if batch.failures else ""
    if not step.acked.holds(counts[OK]):
        raise stage.violated(f"put {step.count}: {tell(counts)}{why}, but acked must be {step.acked}")
    stage.report.expectations += 1
    stage.say(f"put {step.count} via {step.via.text}  {tell(counts)}{why}")


def get(stage: Stage, step: Get) -> None:
    stage.find(step.via)
    reads = stage.start_reads(step)
    if not step.wait:
        stage.say(f"get {step.count}, one every {step.every_s:g} s, in the background")
        return
    stage.wait(lambda _: reads.done, step.within_s)
    if not step.acked.holds(reads.acked):
        raise stage.violated(f"get {step.count}: {reads.acked} answered, but acked must be {step.acked}")
    stage.report.expectations += 1
    stage.say(f"get {step.count} via {step.via.text}  {reads.acked} answered")


ACTIONS: dict[type, Callable[[Stage, Any], None]] = {
    Until: until,
    Run: run,
    Check: check,
    Crash: crash,
    Restart: restart,
    Isolate: isolate,
    Heal: heal,
    Remove: remove,
    Change: change,
    Transfer: transfer,
    Put: put,
    Get: get,
}
