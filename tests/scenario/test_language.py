"""Reading scenario files: every mistake is found, at its place, and told in words that help."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from raftsim.cli.main import main
from raftsim.core.settings import Settings
from raftsim.node.settings import NodeSettings
from raftsim.scenario.load import KEYS, MAX_BYTES, load, parse
from raftsim.scenario.model import DEFAULT_WITHIN_S, Crash, Put, Run, Until
from raftsim.scenario.play import only_simulated
from raftsim.scenario.problems import BadScenario
from raftsim.scenario.read_settings import ELSEWHERE, SETTINGS
from raftsim.sim.delays import Exponential, LongTail, Normal, Uniform
from raftsim.sim.network import NetworkModel

HEAD = "name: x\nsteps:\n"
LINK = "(known: bandwidth, delay, duplicate, loss, queue_bytes, reorder)"
DISK = "(known: cut_power, fail, fill, lie, mend, misdirect, read_only, rot, slow, stall)"
KNOWN = (
    "(known: change, check, clock, crash, deliver, disk, drop, duplicate, get, heal, hold, isolate, link, partition, "
    "pause, put, remove, restart, resume, run, slow, transfer, until, wipe)"
)

# file -> its problems
BROKEN = {
    "": ["1:1: error: the file is empty"],
    "- a\n": [f"1:1: error: a scenario must be a mapping of {', '.join(sorted(KEYS))}, got [a]"],
    "name: x\n": ["1:1: error: 'steps' is missing"],
    "name: The X\nsteps:\n  - crash: n1\n": [
        "1:7: error: a scenario's name is made of a-z, 0-9 and '-', got \"The X\""
    ],
    "name: x\nname: y\nsteps: []\n": [
        "2:1: error: 'name' is given twice",
    ],
    "name: x\nsteps: []\n": ["2:8: error: a scenario needs at least one step"],
    "name: x\nstep: []\n": [
        "1:1: error: 'steps' is missing",
        "2:1: error: a scenario has no 'step' (did you mean 'steps'?)",
    ],
    "name: x\n---\nname: y\n": ["2:1: error: not YAML: but found another document"],
    "name: \0": ["1:1: error: not YAML: unacceptable character #x0000: special characters are not allowed"],
    "a: &b 1\nc: *b\n": ["2:4: error: a scenario has no aliases; write it out"],
    "[" * 40: ["1:17: error: nested more than 16 deep"],
    HEAD + "  - until: {leader: one\n": ["4:1: error: not YAML: expected ',' or '}', but got '<stream end>'"],
    # steps
    HEAD + "  - crsh: leader\n": ["3:5: error: unknown step 'crsh' (did you mean 'crash'?)"],
    HEAD + "  - ? [a]\n    : b\n": [
        f"3:7: error: unknown step '[a]' {KNOWN}",
    ],
    HEAD + "  - crash\n": ["3:5: error: a step is a mapping such as 'crash: leader', got \"crash\""],
    HEAD + "  - {}\n": ["3:5: error: a step is a mapping such as 'crash: leader', got {}"],
    HEAD + "  - crash: leader\n    isolate: n1\n": [
        "4:5: error: a step does one thing; 'isolate' needs a '-' of its own"
    ],
    HEAD + "  - until: {leader: one}\n    witin: 5s\n": ["4:5: error: 'until' has no 'witin' (did you mean 'within'?)"],
    HEAD + "  - heal: n1\n": ["3:11: error: unknown 'n1' (known: all)"],
    # durations
    HEAD + "  - until: {leader: one}\n    within: 5\n": [
        "4:13: error: a duration needs a unit, such as 150ms or 5s, got 5"
    ],
    HEAD + "  - run: 0s\n": ['3:10: error: must be more than 0s and at most 60m, got "0s"'],
    HEAD + "  - run: soon\n": ['3:10: error: expected a duration such as 150ms, got "soon"'],
    # selectors and names
    HEAD + "  - crash: leadr\n": ["3:12: error: no server is called 'leadr' here (did you mean 'leader'?)"],
    HEAD + "  - crash: n4\n": ["3:12: error: no server is called 'n4' here (did you mean 'n3'?)"],
    HEAD + "  - crash: [n1, n2]\n": ["3:12: error: expected text, got [n1, n2]"],
    HEAD + "  - crash: follower:0\n": ['3:12: error: expected a number from 1 as in follower:2, got "follower:0"'],
    HEAD + "  - crash: {others: n1, x: 2}\n": ["3:25: error: a selector has no 'x' (known: others)"],
    HEAD + "  - crash: leader\n    as: n1\n": ["4:9: error: 'n1' means something already"],
    HEAD + "  - crash: leader\n    as: Old One\n": [
        "4:9: error: a name is made of a-z, 0-9, '-' and '_' and begins with a letter, got \"Old One\""
    ],
    HEAD + "  - isolate: old\n  - crash: leader\n    as: old\n": [
        "3:14: error: no server is called 'old' here (known: all, any, follower, leader, n1, n2, n3)"
    ],
    # a mistake in the step that binds a name is one mistake, not two
    HEAD + "  - crsh: leader\n    as: old\n  - restart: old\n": [
        "3:5: error: unknown step 'crsh' (did you mean 'crash'?)"
    ],
    # conditions
    HEAD + "  - until: {leader: one, comitted: '>= 20'}\n": [
        "3:26: error: a condition has no 'comitted' (did you mean 'committed'?)"
    ],
    HEAD + "  - until: {committed: '=> 20'}\n": [
        '3:24: error: expected a whole number or a comparison such as ">= 20" (>=, <=, ==, !=, >, <), got "=> 20"'
    ],
    HEAD + "  - until: {committed: unchanged}\n": [
        "3:24: error: 'unchanged' belongs to 'throughout', where a step has a beginning to compare with"
    ],
    HEAD + "  - until: {leader: none, not: [n1]}\n": ["3:27: error: 'not' belongs to 'leader: one'"],
    HEAD + "  - until: {leader: none}\n    as: x\n": ["4:5: error: 'as' needs 'leader: one': whom would it name?"],
    HEAD + "  - until: {role: leader}\n": ["3:13: error: 'role' needs 'node': whose role?"],
    HEAD + "  - until: {node: {others: any}, role: leader}\n": [
        "3:19: error: 'others: any' is drawn by lot at every look; name a server, or bind one with 'as'"
    ],
    HEAD + "  - until: {converged: false}\n": ["3:24: error: only 'converged: true' can be asked for"],
    HEAD + "  - until: {acked: present}\n": ["3:13: error: a condition has no 'acked' (did you mean 'applied'?)"],
    HEAD + "  - check: {}\n": ["3:12: error: a condition must say something"],
    HEAD + "  - check: []\n": ["3:12: error: expected 1 to 32 conditions, got 0"],
    # put
    HEAD + "  - put: 0\n": ["3:10: error: must be between 1 and 1000, got 0"],
    HEAD + "  - put: 99999999999999999999999\n": [
        "3:10: error: must be between 1 and 1000, got 99999999999999999999999"
    ],
    HEAD + "  - put: {count: 5, clients: 3, keys: 2}\n": ["3:39: error: must be between 3 and 1000, got 2"],
    HEAD + "  - put: 5\n    wait: false\n    acked: 0\n": ["5:5: error: 'acked' has no meaning with 'wait: false'"],
    # cluster and network
    "name: x\ncluster: {nodes: 12, prevote: yes}\nsteps:\n  - crash: n1\n": [
        "2:18: error: must be between 1 and 9, got 12",
        '2:31: error: expected true or false, got "yes"',
    ],
    "name: x\ncluster: {heartbeat: 1s, election: [500ms, 1s]}\nsteps:\n  - crash: n1\n": [
        "2:10: error: the heartbeat must be shorter than the shortest election timeout"
    ],
    "name: x\ncluster: {election: [2s, 1s]}\nsteps:\n  - crash: n1\n": [
        "2:21: error: the first must not be more than the second, got [2s, 1s]"
    ],
    "name: x\nnetwork: {loss: 150%, dely: 1ms}\nsteps:\n  - crash: n1\n": [
        '2:17: error: expected a share from 0 to 1, or such as 5%, got "150%"',
        "2:23: error: 'network' has no 'dely' (did you mean 'delay'?)",
    ],
    "name: x\nnetwork: {delay: {normal: [1ms]}, bandwidth: 20mb}\nsteps:\n  - crash: n1\n": [
        "2:27: error: expected two durations such as [150ms, 300ms], got [1ms]",
        '2:46: error: expected a bandwidth such as 20mbit (kbit, mbit, gbit a second), got "20mb"',
    ],
    "name: x\nnetwork: {delay: {norml: 1ms}}\nsteps:\n  - crash: n1\n": [
        "2:18: error: 'delay' has one distribution (known: exp, long_tail, normal, uniform), got {norml: 1ms}",
        "2:19: error: 'delay' has no 'norml' (did you mean 'normal'?)",
    ],
    "name: x\nnetwork: {zones: {eu-us: {delay: 1ms}}}\nsteps:\n  - crash: n1\n": [
        "2:18: error: no server is in a zone: 'cluster.nodes' can be a list such as [{id: n1, zone: eu}]"
    ],
    "name: x\ncluster: {nodes: [{id: a, zone: eu}, {id: a, zone: us}, {id: all}]}\nsteps:\n  - crash: a\n": [
        "2:43: error: 'a' is there twice",
        '2:62: error: a server\'s name begins with a letter and means nothing else, got "all"',
    ],
    "name: x\ncluster: {nodes: [{id: a, zone: eu}, {id: b, zone: us}]}\n"
    "network: {zones: {eu-as: {delay: 1ms}}}\nsteps:\n  - crash: a\n": [
        "3:19: error: 'zones' has no 'eu-as' (did you mean 'eu-us'?)"
    ],
    # settings
    "name: x\nsettings: {leader_wat: 1s, max_append_entries: 0, commit_delay: 5}\nsteps:\n  - crash: n1\n": [
        "2:12: error: 'settings' has no 'leader_wat' (did you mean 'leader_wait'?)",
        "2:48: error: must be between 1 and 1099511627776, got 0",
        "2:65: error: a duration needs a unit, such as 150ms or 5s, got 5",
    ],
    "name: x\nsettings: {lease_reads: true}\nsteps:\n  - crash: n1\n": [
        "2:11: error: lease_reads and fast_failover exclude each other: a lease must end before an election"
    ],
    # faults
    HEAD + "  - hold: {kind: apend}\n": [
        "3:5: error: 'hold' needs 'as': what would 'deliver' speak of?",
        "3:18: error: unknown 'apend' (did you mean 'append'?)",
    ],
    HEAD + "  - hold: {}\n    as: stale\n  - deliver: stal\n  - hold: {}\n    as: stale\n": [
        "5:14: error: no hold is called 'stal' here (did you mean 'stale'?)",
        "7:9: error: 'stale' means something already",
    ],
    HEAD + "  - hold: {}\n    as: h\n  - drop: h\n    which: oldest\n": [
        "6:5: error: 'which' needs 'count': without it all are meant"
    ],
    HEAD + "  - until: {held: h}\n": ["3:19: error: no hold is called 'h' here (known: )"],
    HEAD + "  - link: {from: n1, to: n2}\n": [
        f"3:11: error: 'link' is either 'cut', or 'clog', or what it is like {LINK}"
    ],
    HEAD + "  - link: {from: n1, cut: true}\n": ["3:11: error: 'to' is missing"],
    HEAD + "  - partition: [[n1, n2]]\n": [
        "3:16: error: expected two groups or more, such as [[n1, n2], [n3]], got [[n1, n2]]"
    ],
    HEAD + "  - disk: {node: n1, stal: 3s}\n": [
        f"3:11: error: 'disk' has one fault {DISK}, got {{node: n1, stal: 3s}}",
        "3:22: error: 'disk' has no 'stal' (did you mean 'stall'?)",
    ],
    HEAD + "  - disk: {node: n1, fail: syn}\n": ["3:28: error: unknown 'syn' (did you mean 'sync'?)"],
    HEAD + "  - disk: {node: n1, mend: false}\n": ["3:28: error: only 'true' has a meaning here"],
    HEAD + "  - clock: {node: n1}\n": ["3:12: error: 'clock' needs 'rate' or 'jump', got {node: n1}"],
    HEAD + "  - clock: {node: n1, rate: 0}\n": ["3:29: error: expected a number between 0.001 and 1000, got 0"],
    HEAD + "  - slow: {node: n1}\n": ["3:11: error: 'apply' is missing"],
    HEAD + "  - get: 5\n": ["3:10: error: 'get' must be a mapping of count, every, got 5"],
    # all of them at once, in the order of the file
    HEAD + "  - crash: ld\n  - run: 5\n  - kill: n1\nexpect: {node: nn, role: folower}\n": [
        "3:12: error: no server is called 'ld' here (did you mean 'leader'?)",
        "4:10: error: a duration needs a unit, such as 150ms or 5s, got 5",
        f"5:5: error: unknown step 'kill' {KNOWN}",
        "6:16: error: no server is called 'nn' here (did you mean 'n3'?)",
        "6:26: error: unknown 'folower' (did you mean 'follower'?)",
    ],
}


@pytest.mark.parametrize(("text", "problems"), BROKEN.items())
def test_every_mistake_is_told_with_its_place(
    text: str, problems: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text)

    assert main(["run", str(file)]) == 2

    out, err = capsys.readouterr()
    assert not out
    assert err.splitlines()[:-1] == [f"{file}:{problem}" for problem in problems]
    assert err.endswith("nothing was run\n")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    large.write_text("#" * (MAX_BYTES + 1))
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"name: \xff")
    for path, reason in [
        (tmp_path / "none.yaml", "cannot be read: No such file or directory"),
        (tmp_path, "cannot be read: Is a directory"),
        (large, "larger than 256 KiB"),
        (binary, "not UTF-8 text: invalid start byte at byte 6"),
    ]:
        with pytest.raises(BadScenario, match=reason):
            load(str(path))


def test_values_and_defaults() -> None:
    scenario = parse(
        "name: all\n"
        "about: >\n  Two\n  lines.\n"
        "cluster: {nodes: 5, heartbeat: 50ms, election: [150ms, 0.3s], prevote: false, raft_protocol: 3}\n"
        "network: {delay: [1ms, 5ms], loss: 5%, duplicate: 0.1}\n"
        "steps:\n"
        "  - until: {leader: one}\n"
        "  - crash: leader\n    as: old\n"
        "  - run: 2m\n"
        "  - put: {count: 9, clients: 2, keys: 4}\n    within: 300us\n    acked: '> 3'\n"
        "expect:\n  - {node: old, role: follower}\n  - {acked: present}\n",
        "all.yaml",
    )
    assert scenario.about == "Two lines."
    assert scenario.cluster.names == ("n1", "n2", "n3", "n4", "n5")
    assert scenario.cluster.raft_protocol == 3
    settings = scenario.cluster.settings
    assert (settings.heartbeat_interval_s, settings.election_timeout_min_s, settings.election_timeout_max_s) == (
        0.05,
        0.15,
        0.3,
    )
    assert not settings.pre_vote
    assert settings.check_quorum
    assert scenario.network.model == NetworkModel(Uniform(0.001, 0.005), 0.05, 0.1)
    until, crash, run, put = (step.action for step in scenario.steps)
    assert isinstance(until, Until)
    assert until.within_s == DEFAULT_WITHIN_S
    assert isinstance(crash, Crash)
    assert crash.bind == "old"
    assert isinstance(run, Run)
    assert run.for_s == 120
    assert isinstance(put, Put)
    assert (put.count, put.clients, put.keys) == (9, 2, 4)
    assert put.within_s == pytest.approx(0.0003)
    assert [put.acked.holds(number) for number in (3, 4)] == [False, True]
    assert [step.line for step in scenario.steps] == [8, 9, 11, 12]
    assert [condition.acked for condition in scenario.expect] == [False, True]


def test_networks_zones_and_settings() -> None:
    scenario = parse(
        "name: wan\n"
        "cluster: {nodes: [{id: a1, zone: eu}, {id: a2, zone: eu}, {id: b1, zone: us}, {id: c1}]}\n"
        "settings: {leader_wait: 2s, max_append_entries: 7, trailing_entries: 0, stickiness: false,"
        " max_clock_drift: 2%}\n"
        "network:\n"
        "  delay: {long_tail: [1ms, 20ms]}\n"
        "  reorder: false\n"
        "  queue_bytes: 5000\n"
        "  zones:\n"
        "    eu-us: {delay: {normal: [45ms, 3ms]}, bandwidth: 20mbit}\n"
        "    eu-eu: {delay: {exp: 1ms}}\n"
        "steps:\n  - crash: c1\n",
        "wan.yaml",
    )
    cluster, network = scenario.cluster, scenario.network
    assert (cluster.names, cluster.nodes) == (("a1", "a2", "b1", "c1"), 4)
    assert cluster.zone_of == {"a1": "eu", "a2": "eu", "b1": "us"}
    assert (cluster.settings.max_append_entries, cluster.settings.stickiness) == (7, False)
    assert cluster.settings.max_clock_drift == 0.02
    assert (cluster.node_settings.leader_wait_s, cluster.node_settings.trailing_entries) == (2, 0)
    assert network.model == NetworkModel(LongTail(0.001, 0.02), fifo=True, queue_bytes=5000)
    assert network.zones == {
        ("eu", "us"): replace(network.model, delay=Normal(0.045, 0.003), bytes_per_s=2.5e6),
        ("eu", "eu"): replace(network.model, delay=Exponential(0.001)),
    }
    assert only_simulated(scenario) == [
        *(f"network.{key}" for key in ("delay", "reorder", "queue_bytes", "zones")),
        *(f"settings.{key}" for key in cluster.settings_given),
        "cluster.nodes: a list",
    ]


def test_every_setting_is_set_by_its_name_once() -> None:
    of_core, of_node = ({field.name for field in fields(of)} for of in (Settings, NodeSettings))
    assert {name for _, name, _ in SETTINGS.values()} == (of_core | of_node) - set(ELSEWHERE)
    assert len(SETTINGS) == len(of_core | of_node) - len(ELSEWHERE)


def test_yes_is_a_word_and_not_a_truth() -> None:
    """YAML 1.2, so that a server called `no` or a name `on` is what it says."""
    scenario = parse("name: 'no'\nsteps:\n  - crash: leader\n    as: on\n  - restart: on\n", "x")
    assert scenario.name == "no"
