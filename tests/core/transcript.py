"""Plays a transcript: a text with commands and what comes of them.

A line that begins with `> ` is a command, lines that begin with two spaces are its output, all others are for people.

    start a b c [SETTING=VALUE ...]   servers a, b and c are a cluster
    join d                            a server with an empty log
    lead a                            a is elected, of which only what it leads to is told
    timeout a                         time passes until the timer of a fires
    beat a                            the same, and every message there is arrives
    beats a COUNT                     several, of which only what they lead to is told
    wait SECONDS                      time passes, and nobody notices
    deliver all | TO | FROM TO        messages arrive: all that there ever are, or those that are on their way
    drop all | FROM TO                messages that are on their way are lost
    propose a x y                     one turn
    change a add-non-voter d, ...     also promote, demote, remove
    transfer a [b]    snapshot a [TRAILING]    read a ID    unreachable a b
    cut a b    heal    crash a    restart a
    show                              one line for each server
"""

from __future__ import annotations

from raftsim.core.config import LEARNER, REMOVE, VOTER, Change
from raftsim.core.errors import RaftError
from raftsim.core.messages import Message
from raftsim.core.settings import Settings
from tests.core.harness import Cluster, Host
from tests.core.wording import config, describe, describe_event, place

OPS = {"add-non-voter": LEARNER, "promote": VOTER, "demote": LEARNER, "remove": REMOVE}


def play(text: str) -> str:
    """The same text with the output there is now."""
    player, lines = Player(), list[str]()
    for line in text.splitlines():
        if not line.startswith("  "):
            lines.append(line)
        if line.startswith("> "):
            lines += [f"  {said}" for said in player.do(line[2:])]
    return "\n".join(lines) + "\n"


class Player:
    def __init__(self) -> None:
        self.cluster = Cluster()
        self.said: list[str] = []
        self.told: dict[str, tuple[int, int, int]] = {}  # how many events, restored snapshots, applied entries

    def do(self, command: str) -> list[str]:
        """Returns the output."""
        name, *words = command.split()
        try:
            getattr(self, f"do_{name}")(*words)
        except RaftError as error:
            self.said.append(f"refused: {error}")
        for host in self.cluster.hosts.values():
            self._tell(host)
        said, self.said = self.said, []
        return said

    def do_start(self, *words: str) -> None:
        ids = [word for word in words if "=" not in word]
        settings = {name: value == "on" for name, value in (word.split("=") for word in words if "=" in word)}
        self.cluster = Cluster(*ids, settings=Settings(**settings))
        self.told = {}
        for id in ids:
            self._start(id)

    def _start(self, id: str) -> None:
        self.cluster[id].turn()
        self.told[id] = (len(self.cluster[id].events), 0, 0)

    def do_join(self, id: str) -> None:
        self.cluster.hosts[id] = Host(id, [], time=self.cluster.time)
        self._start(id)

    def do_timeout(self, id: str) -> None:
        self.cluster[id].time_out()

    def do_wait(self, seconds: str) -> None:
        self.cluster.time.now += float(seconds)

    def do_lead(self, id: str) -> None:
        self.cluster.elect(id)
        self.cluster.beat(id)

    def do_beat(self, id: str) -> None:
        self.do_timeout(id)
        self.do_deliver("all")

    def do_beats(self, id: str, count: str) -> None:
        for _ in range(int(count)):
            self.cluster.beat(id)

    def do_deliver(self, *words: str) -> None:
        if words == ("all",):
            while self._deliver(self._on_their_way()):
                pass
        else:
            self._deliver(self._on_their_way(*words))

    def _on_their_way(self, *words: str) -> list[Message]:
        """Those to a server, or between two."""
        return [
            message for message in self.cluster.collect() if words in ((), (message.dst,), (message.src, message.dst))
        ]

    def _deliver(self, messages: list[Message]) -> int:
        for message in messages:
            lost = not self.cluster.deliver(lambda other, this=message: other is this and self._arrives(this))  # type: ignore[misc]
            self.cluster.net = [other for other in self.cluster.net if other is not message]
            self.said.append(describe(message) + (" - lost" if lost else ""))
            if not lost:
                self._tell(self.cluster[message.dst])
        return len(messages)

    def _arrives(self, message: Message) -> bool:
        down, blocked = self.cluster.down, self.cluster.blocked
        return message.dst in self.cluster.hosts.keys() - down and (message.src, message.dst) not in blocked

    def do_drop(self, *words: str) -> None:
        for message in self._on_their_way(*([] if words == ("all",) else words)):
            self.said.append(describe(message) + " - lost")
            self.cluster.net = [other for other in self.cluster.net if other is not message]

    def do_propose(self, id: str, *commands: str) -> None:
        indexes = self.cluster[id].propose(*[command.encode() for command in commands])
        self.said.append(f"{id} proposes {' '.join(commands)} at {' '.join(map(str, indexes))}")

    def do_change(self, id: str, *words: str) -> None:
        changes = [Change(OPS[op], who, who) for op, who in (each.split() for each in " ".join(words).split(","))]
        self.cluster[id].raft.change(changes, self.cluster.time.now)
        self.cluster[id].turn()

    def do_transfer(self, id: str, target: str | None = None) -> None:
        chosen = self.cluster[id].raft.transfer(target, self.cluster.time.now)
        self.said.append(f"{id} hands over to {chosen}")
        self.cluster[id].turn()

    def do_snapshot(self, id: str, trailing: str = "0") -> None:
        meta = self.cluster[id].snapshot(trailing=int(trailing))
        base = self.cluster.raft(id).log.base_index
        self.said.append(f"{id} has snapshot {place(meta.index, meta.term)}, its log begins after {base}")

    def do_read(self, id: str, number: str) -> None:
        self.cluster[id].read(int(number))

    def do_unreachable(self, id: str, peer: str) -> None:
        self.cluster.raft(id).unreachable(peer, self.cluster.time.now)
        self.cluster[id].turn()

    def do_cut(self, one: str, other: str) -> None:
        self.cluster.blocked |= {(one, other), (other, one)}

    def do_heal(self) -> None:
        self.cluster.blocked.clear()

    def do_crash(self, id: str) -> None:
        self.cluster.collect()
        self.cluster.down.add(id)

    def do_restart(self, id: str) -> None:
        self.cluster.down.discard(id)
        self.cluster[id].restart()
        self._start(id)

    def do_show(self) -> None:
        for host in self.cluster.hosts.values():
            raft = host.raft
            state = "down" if host.id in self.cluster.down else f"{raft.role} in term {raft.term}"
            terms = " ".join(str(entry.term) for entry in raft.log.slice(raft.log.base_index, raft.log.last_index))
            log = f"log {raft.log.base_index}| {terms}".rstrip()
            self.said.append(f"{host.id} {state}; {log}; committed {raft.commit}; {config(raft.config)}")

    # what is told

    def _tell(self, host: Host) -> None:
        events, restored, applied = self.told[host.id]
        self.said += [f"{host.id} {describe_event(event)}" for event in host.events[events:]]
        self.said += [f"{host.id} takes the state of snapshot {meta.index}" for meta in host.restored[restored:]]
        data = [entry.data for entry in host.applied[applied:]]
        commands = [each.decode() for each in data if isinstance(each, bytes) and each]
        if commands:
            self.said.append(f"{host.id} applies {' '.join(commands)}")
        self.said += [f"{host.id} confirms read {number} at {index}" for number, index in host.reads]
        host.reads.clear()
        self.told[host.id] = (len(host.events), len(host.restored), len(host.applied))
