"""Sentences that tell a person why a cluster is as it is: made from a server's status() alone, without I/O.

Everything here takes a status (see `Node.status`) and returns sentences. What only a leader knows is not guessed from
the status of another server: the sentence names the one to ask.
"""

from __future__ import annotations

from typing import Any

Status = dict[str, Any]


def troubles(status: Status) -> list[str]:
    """All that is not in order, as far as this server knows; empty if nothing is wrong."""
    if status["leader"] is None:
        return leader(status)
    if status["role"] != "leader":
        return _memory(status)
    found = [] if status["why"]["uncommitted"] is None else commit(status)
    if status["why"]["change_waits"] is not None:
        found += change(status)
    wanted = {server["id"] for server in _servers(status) if server["voter"] or server["returning"]}
    return found + [
        sentence for id in sorted(wanted & status["why"]["cannot_lead"].keys()) for sentence in _of(status, id)
    ]


def leader(status: Status) -> list[str]:
    """Who leads; or that nobody does, and how this server's last election went."""
    me, term = label(status, status["id"]), status["term"]
    if status["role"] == "leader":
        return [f"{me} leads in term {term}."]
    if status["leader"] is not None:
        contact = status["last_contact_s"]
        heard = "" if contact is None else f", and {me} heard from it {contact:.1f} s ago"
        return [f"{label(status, status['leader'])} leads in term {term}{heard}."]
    if not _servers(status):
        return [f"{me} belongs to no cluster yet: it waits to be added ('raftsim operator raft add-peer')."]
    return [f"{me} knows of no leader in term {term}.", *(_memory(status) or _standing(status))]


def commit(status: Status) -> list[str]:
    """Which entries are not committed, and whose durable copies are missing."""
    if status["role"] != "leader":
        return [_ask_the_leader(status, "which acknowledgements are missing")]
    waits = status["why"]["uncommitted"]
    if waits is None:
        return [f"Nothing waits: every entry up to {status['commit_index']} is committed."]
    first, last = waits["first"], waits["last"]
    entries = f"Entry {first} is" if first == last else f"Entries {first} to {last} are"
    if not waits["missing"]:
        return [f"{entries} not committed yet, and every voter has a copy of entry {first}."]
    return [
        f"{entries} not committed yet: no durable copy of entry {first} is known on {_all(status, waits['missing'])}."
    ]


def change(status: Status) -> list[str]:
    """Why a membership change waits."""
    if status["role"] != "leader":
        return [_ask_the_leader(status, "why a membership change waits")]
    reason = status["why"]["change_waits"]
    if reason is None:
        return ["No membership change has to wait."]
    return [f"A membership change has to wait: {reason}."]


def autopilot(status: Status) -> list[str]:
    """How the leader sees the servers, what its autopilot would do with them, and why it does not."""
    seen = status["autopilot"]
    if seen is None:
        return [_ask_the_leader(status, "what the autopilot would do")]
    if not seen["servers"]:
        return [f"{label(status, status['id'])} has just begun to lead: its autopilot has not looked yet."]
    sick = [server for server in seen["servers"] if not server["healthy"]]
    found = [f"{label(status, server['id'])} is not healthy: {server['trouble']}." for server in sick]
    if not sick:
        found = [f"All {len(seen['servers'])} servers are healthy; the cluster can lose {seen['failure_tolerance']}."]
    found += [_wish(status, wish) for wish in seen["wishes"]]
    if seen["wishes"] and not seen["acts"]:
        found.append("It does nothing by itself: this server was started without it.")
    return found


def node(status: Status, name: str) -> list[str] | None:
    """Whether the server of this name, id or address could be elected, and why not; None: there is no such member.

    A name may lack its region, as long as that names one member.
    """
    found = [server["id"] for server in _servers(status) if name in (server["id"], server["address"], server["name"])]
    short = [server["id"] for server in _servers(status) if (server["name"] or "").partition(".")[0] == name]
    ids = found or short
    return _of(status, ids[0]) if len(ids) == 1 else None


def label(status: Status, id: str) -> str:
    """A member as people call it: its name where it is known, else its id."""
    return next((server["name"] for server in _servers(status) if server["id"] == id and server["name"]), id)


def _of(status: Status, id: str) -> list[str]:
    if id == status["leader"]:
        return leader(status)
    if status["role"] != "leader":
        if id == status["id"] and status["leader"] is None:
            return leader(status)
        if id == status["id"] and status["why"]["memory"] is not None:
            return _memory(status)
        return [_ask_the_leader(status, f"whether {label(status, id)} could be elected")]
    reason = status["why"]["cannot_lead"].get(id)
    if reason is None:
        return [f"{label(status, id)} could be elected."]
    return [f"{label(status, id)} could not be elected: {reason}."]


def _wish(status: Status, wish: dict[str, str]) -> str:
    does = "give a vote to" if wish["does"] == "promote" else "remove"
    held = f", but not now: {wish['held_back']}" if wish["held_back"] else ""
    return f"The autopilot would {does} {label(status, wish['id'])}{held}."


def _memory(status: Status) -> list[str]:
    """Why this server has no vote, though the first configuration has it."""
    memory = status["why"]["memory"]
    if memory is None:
        return []
    me, known, missing = label(status, status["id"]), memory["lost_since_met_by"], memory["not_met"]
    if known:
        lost = f"{me} has lost its data: {_all(status, known)} had begun before it, so it may have voted and"
        back = (
            "It gets its vote back when a leader has brought it up to date. If a majority has lost its data, no leader"
        )
        return [
            f"{lost} acknowledged what it does not know any more.",
            f"{back} can be elected, and an operator must decide (peers.json).",
        ]
    others = _all(status, missing)
    return [f"{me} has an empty disk and waits to meet {others}: the first servers of a cluster begin together."]


def _standing(status: Status) -> list[str]:
    """How the last election went that this server stood for."""
    election = status["why"]["last_election"]
    if election is None:
        return ["It has not stood for election since it started."]
    kind = "pre-vote" if election["pre_vote"] else "election"
    found = [f"The last {kind} it stood for was for term {election['term']}."]
    if election["granted"]:
        found.append(f"It has the votes of {_all(status, election['granted'])}.")
    found += [f"{label(status, id)} refused: it {reason}." for id, reason in sorted(election["refused"].items())]
    if election["silent"]:
        found.append(f"No answer came from {_all(status, election['silent'])}.")
    return found


def _ask_the_leader(status: Status, what: str) -> str:
    if status["leader"] is None:
        return f"Only a leader knows {what}, and {label(status, status['id'])} knows of none."
    return f"Only the leader knows {what}: ask {label(status, status['leader'])}."


def _servers(status: Status) -> list[dict[str, Any]]:
    servers: list[dict[str, Any]] = status["configuration"]["servers"]
    return servers


def _all(status: Status, ids: list[str]) -> str:
    return ", ".join(label(status, id) for id in ids)
