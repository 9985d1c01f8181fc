"""A run of the swarm, written down as what was done to its servers and asked of them, and when: as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from raftsim.node.requests import ChangeMembership, Command, Query, Relay, TransferLeadership
from raftsim.scenario.read_settings import SETTINGS
from raftsim.shrink.document import Document, duration
from raftsim.sim.delays import Delay, Exponential, Normal, Uniform
from raftsim.sim.disk import DiskModel
from raftsim.sim.network import NetworkModel
from raftsim.swarm.run import Run
from raftsim.swarm.storm import Storm
from raftsim.trace import events
from raftsim.trace.events import Event

MERGED: Final = ("cut", "mend")  # verbs of which several at the same moment are one act
_FROM_FAULT: Final = ("crash", "wipe", "restart", "heal", "add")
_FAULTS: Final[Mapping[str, Callable[..., tuple[str, Any]]]] = {  # of a disk, as told -> as the language says it
    "stall": lambda for_s: ("stall", float(for_s)),
    "slow": lambda factor: ("slow", int(factor)),
    "fail": lambda operation, _: ("fail", operation),
    "read-only": lambda: ("fail", "write"),
    "full": lambda room: ("fill", int(room)),
    "rot": lambda _, offset: ("rot", int(offset)),  # always in the oldest file of the log
    "power cut": lambda after: ("cut_power", int(after)),
}


@dataclass(frozen=True, slots=True)
class Act:
    """`what`: a verb, and whom or what it is about, by names. `time_s` is given to the microsecond, as a file can."""

    time_s: float
    verb: str
    what: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Recording:
    """`head`: a scenario without steps, in which the same may happen. `judge` and `text`: how it ended; empty: well."""

    head: Document
    acts: tuple[Act, ...]
    end_s: float
    judge: str
    text: str


Record = Callable[[int, float], Recording]  # the swarm's seed, how long its faults last


def record(seed: int, storm_s: float) -> Recording:
    """Play the swarm's run of `seed` and write it down."""
    recorder = _Recorder()
    run = Run(seed, [recorder.observe])
    recorder.names.update({id: name for name, id in run.world.ids.items()})
    head = head_of(run.storm, f"swarm-{seed}")
    ending = run.play(storm_s)
    failed = ending.verdict == "violated"
    return Recording(
        head, tuple(recorder.acts), ending.virtual_s, ending.judge if failed else "", ending.text if failed else ""
    )


class _Recorder:
    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.names: dict[str, str] = {}  # by id, of the servers that are there at first
        self._relayed: dict[str, Any] = {}  # server -> the request that another one has just sent it

    def observe(self, event: Event) -> None:
        node, subject = event.node, event.subject
        if event.kind == events.FAULT:
            self._fault(event, *subject)
        elif event.kind in (events.PAUSE, events.RESUME):
            self._act(event, event.kind, node)
        elif event.kind == events.DELIVER and isinstance(subject, Relay):
            self._relayed[node] = subject.request
        elif event.kind == events.REQUEST and self._relayed.pop(node, None) is not subject[1]:
            self._request(event, node, subject[1])

    def _fault(self, event: Event, verb: str, *what: str) -> None:
        if verb in _FROM_FAULT:
            self._act(event, verb, *what)
        elif verb == "stop":
            self._act(event, "crash", *what)
        elif verb == "cut":
            self._act(event, verb, what)
        elif verb == "clock":
            self._act(event, verb, what[0], round(float(what[1]), 9))
        elif verb == "disk":
            name, fault, *value = what
            self._act(event, *(("mend", name) if fault == "mend" else ("disk", name, *_FAULTS[fault](*value))))

    def _request(self, event: Event, node: str, request: Any) -> None:
        if isinstance(request, Command | Query):
            self._act(event, "put" if isinstance(request, Command) else "get", node)
        elif isinstance(request, TransferLeadership):
            self._act(event, "transfer", node, self.names.get(request.id or "", ""))
        elif isinstance(request, ChangeMembership):
            changes = tuple((op, self.names.get(id, id)) for op, id, _ in request.changes)
            self._act(event, "change", node, changes)

    def _act(self, event: Event, verb: str, *what: Any) -> None:
        time_s = round(event.time, 6)
        if verb in MERGED and self.acts and (self.acts[-1].time_s, self.acts[-1].verb) == (time_s, verb):
            what = self.acts.pop().what + what
        self.acts.append(Act(time_s, verb, what))


def head_of(storm: Storm, name: str) -> Document:
    """A scenario's beginning that says what the world of a storm is like."""
    weather = storm.weather
    settings = weather.settings
    times = (settings.election_timeout_min_s, settings.election_timeout_max_s)
    cluster = {
        "nodes": len(storm.world.names),
        "election": [duration(time) for time in times],
        "heartbeat": duration(settings.heartbeat_interval_s),
        "prevote": settings.pre_vote,
        "check_quorum": settings.check_quorum,
        "raft_protocol": storm.raft_protocol,
    }
    parts = {type(part): part for part in (settings, weather.node_settings)}
    given = {}
    for key, (of, field, _) in SETTINGS.items():
        value = getattr(parts[of], field)
        if value != getattr(of(), field):
            given[key] = duration(value) if field.endswith("_s") else value
    return {
        "name": name,
        "cluster": cluster,
        **({"settings": given} if given else {}),
        "network": _network(weather.network),
        "disks": _disks(weather.disk, storm.form),
    }


def _network(model: NetworkModel) -> Document:
    shares = {"loss": model.loss, "duplicate": model.duplicate}
    found = {"delay": _delay(model.delay), **{key: share for key, share in shares.items() if share}}
    return found | ({"reorder": False} if model.fifo else {})


def _delay(delay: Delay) -> Any:
    if isinstance(delay, Uniform):
        return [duration(delay.min_s), duration(delay.max_s)]
    if isinstance(delay, Normal):
        return {"normal": [duration(delay.mean_s), duration(delay.stddev_s)]}
    assert isinstance(delay, Exponential)
    return {"exp": duration(delay.mean_s)}


def _disks(model: DiskModel, form: str) -> Document:
    return {
        "sync": [duration(model.sync_min_s), duration(model.sync_max_s)],
        "save": [duration(model.save_min_s), duration(model.save_max_s)],
        "form": form,
    }
