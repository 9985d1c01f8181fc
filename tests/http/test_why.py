"""The sentences of `raftsim why`, word by word."""

from __future__ import annotations

from typing import Any

from raftsim.core.election import HAS_NEWER_LOG
from raftsim.http import why
from raftsim.sim.world import World
from raftsim.swarm.settle import elected, put

N1, N2, N3, N4 = (f"127.0.0.1:{port}" for port in (1, 2, 3, 4))


def status(role: str = "leader", leader: str | None = N1, **reasons: Any) -> dict[str, Any]:
    """That of n1, a member of three named voters and one non-voter that was never met."""
    quiet = {
        "last_election": None,
        "uncommitted": None,
        "change_waits": None,
        "cannot_lead": {N4: "it has no vote"},
        "memory": None,
    }
    names = {N1: "n1.global", N2: "n2.global", N3: "n3.global", N4: None}
    servers = [
        {"id": id, "address": id, "name": name, "voter": id != N4, "returning": False} for id, name in names.items()
    ]
    return {
        "id": N1,
        "role": role,
        "term": 3,
        "leader": leader,
        "commit_index": 7,
        "last_contact_s": 0.04,
        "configuration": {"servers": servers},
        "why": {**quiet, **reasons},
        "autopilot": autopilot(server(N1), server(N2)) if role == "leader" else None,
    }


def server(id: str, trouble: str = "") -> dict[str, Any]:
    return {"id": id, "healthy": not trouble, "trouble": trouble}


def autopilot(*servers: dict[str, Any], wishes: tuple[tuple[str, str, str], ...] = (), acts: bool = True) -> Any:
    """What it sees; `wishes` are a server, what is to be done with it, and what holds that back."""
    told = [{"id": id, "does": does, "held_back": held_back} for id, does, held_back in wishes]
    return {"acts": acts, "failure_tolerance": 0, "servers": list(servers), "wishes": told}


def test_nothing_is_wrong_although_a_non_voter_cannot_lead() -> None:
    assert why.troubles(status()) == []
    assert why.troubles(status("follower", N2)) == []


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = why.troubles(
        status(
            uncommitted={"first": 8, "last": 9, "missing": [N2, N3]},
            change_waits="the configuration at index 8 is not committed yet",
            cannot_lead={N2: "it was last heard 9.0 s ago", N4: "it has no vote"},
        )
    )
    assert found == [
        "Entries 8 to 9 are not committed yet: no durable copy of entry 8 is known on n2.global, n3.global.",
        "A membership change has to wait: the configuration at index 8 is not committed yet.",
        "n2.global could not be elected: it was last heard 9.0 s ago.",
    ]


def test_an_election_that_failed() -> None:
    election = {
        "term": 4,
        "pre_vote": True,
        "granted": [N1],
        "refused": {N2: HAS_NEWER_LOG},
        "silent": [N3],
    }
    lost = status("follower", None, last_election=election)
    told = [
        "n1.global knows of no leader in term 3.",
        "The last pre-vote it stood for was for term 4.",
        "It has the votes of n1.global.",
        "n2.global refused: it has a newer log.",
        "No answer came from n3.global.",
    ]
    assert why.leader(lost) == why.troubles(lost) == why.node(lost, "n1") == told


def test_a_server_that_never_stood() -> None:
    assert why.leader(status("follower", None))[1:] == ["It has not stood for election since it started."]


def test_a_server_that_lost_its_data() -> None:
    lost = status("follower", N2, memory={"not_met": [N3], "lost_since_met_by": [N2]})
    past = "n2.global had begun before it, so it may have voted and acknowledged what it does not know any more"
    back = "It gets its vote back when a leader has brought it up to date"
    told = [
        f"n1.global has lost its data: {past}.",
        f"{back}. If a majority has lost its data, no leader can be elected, and an operator must decide (peers.json).",
    ]
    assert why.troubles(lost) == why.node(lost, "n1") == told
    leaderless = status("follower", None, memory={"not_met": [], "lost_since_met_by": [N2]})
    assert why.leader(leaderless) == ["n1.global knows of no leader in term 3.", *told]


def test_the_leader_tells_who_came_back_without_its_data() -> None:
    back = "it came back without its data, and has no vote until it has caught up"
    of_leader = status(cannot_lead={N2: back})
    assert why.troubles(of_leader) == [f"n2.global could not be elected: {back}."]
    servers = of_leader["configuration"]["servers"]
    servers[1] |= {"voter": False, "returning": True}
    assert why.troubles(of_leader) == [f"n2.global could not be elected: {back}."]


def test_a_first_server_that_waits_for_the_others() -> None:
    waiting = status("follower", None, memory={"not_met": [N2, N3], "lost_since_met_by": []})
    told = "n1.global has an empty disk and waits to meet n2.global, n3.global"
    assert why.leader(waiting)[1:] == [f"{told}: the first servers of a cluster begin together."]


def test_a_server_that_waits_to_be_added() -> None:
    alone = status("follower", None)
    alone["configuration"]["servers"] = []
    assert why.troubles(alone) == [
        f"{N1} belongs to no cluster yet: it waits to be added ('raftsim operator raft add-peer')."
    ]


def test_who_leads() -> None:
    assert why.leader(status()) == ["n1.global leads in term 3."]
    assert why.leader(status("follower", N2)) == ["n2.global leads in term 3, and n1.global heard from it 0.0 s ago."]


def test_nothing_waits() -> None:
    assert why.commit(status()) == ["Nothing waits: every entry up to 7 is committed."]
    assert why.change(status()) == ["No membership change has to wait."]


def test_one_entry_waits_for_the_disk_of_others() -> None:
    one = status(uncommitted={"first": 8, "last": 8, "missing": [N2]})
    assert why.commit(one) == ["Entry 8 is not committed yet: no durable copy of entry 8 is known on n2.global."]


def test_what_only_a_leader_knows_is_not_guessed() -> None:
    follower, lost = status("follower", N2), status("follower", None)
    assert why.commit(follower) == ["Only the leader knows which acknowledgements are missing: ask n2.global."]
    assert why.change(lost) == ["Only a leader knows why a membership change waits, and n1.global knows of none."]
    assert why.node(follower, "n3") == ["Only the leader knows whether n3.global could be elected: ask n2.global."]


def test_a_member_by_name_id_or_address() -> None:
    for name in ("n2", "n2.global", N2):
        assert why.node(status(), name) == ["n2.global could be elected."]
    assert why.node(status(), N4) == [f"{N4} could not be elected: it has no vote."]
    assert why.node(status(), "n1") == ["n1.global leads in term 3."]
    assert why.node(status(), "n9") is None


def test_a_leader_that_is_cut_off_tells_what_is_wrong_before_and_after_it_resigns() -> None:
    world = World(3, seed=1)
    name = elected(world)
    world.run(1)
    assert why.troubles(of(world, name)) == []
    world.isolate(name)
    world.submit(name, put("a", "b"))
    world.run(0.1)
    others = [other for other in world.names if other != name]
    (entry,) = why.troubles(of(world, name))
    assert entry.startswith("Entry ")
    assert all(f"{other}.global" in entry for other in others)
    assert world.run_until(lambda: bool((of(world, name)["why"]["last_election"] or {}).get("pre_vote")), 10)
    found = why.troubles(of(world, name))
    assert found[0].startswith(f"{name}.global knows of no leader in term ")
    assert found[-1] == f"No answer came from {others[0]}.global, {others[1]}.global."


def of(world: World, name: str) -> dict[str, Any]:
    found = world.status(name)
    assert found is not None
    return found


def test_what_the_autopilot_would_do_and_why_it_does_not() -> None:
    sick = autopilot(
        server(N1),
        server(N3, "it was last heard 61.0 s ago"),
        wishes=((N2, "promote", ""), (N3, "remove", "MinQuorum is 3, and 2 would remain")),
    )
    told = [
        "n3.global is not healthy: it was last heard 61.0 s ago.",
        "The autopilot would give a vote to n2.global.",
        "The autopilot would remove n3.global, but not now: MinQuorum is 3, and 2 would remain.",
    ]
    assert why.autopilot({**status(), "autopilot": sick}) == told
    idle = "It does nothing by itself: this server was started without it."
    assert why.autopilot({**status(), "autopilot": {**sick, "acts": False}}) == [*told, idle]


def test_an_autopilot_that_has_not_looked_and_one_that_only_the_leader_knows() -> None:
    new = "n1.global has just begun to lead: its autopilot has not looked yet."
    assert why.autopilot({**status(), "autopilot": autopilot()}) == [new]
    told = "Only the leader knows what the autopilot would do: ask n2.global."
    assert why.autopilot(status("follower", N2)) == [told]
