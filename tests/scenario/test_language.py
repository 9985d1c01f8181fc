"""Reading scenario files: every mistake is found, at its place, and told in words that help."""

from __future__ import annotations

from pathlib import Path

import pytest

from raftsim.cli.main import main
from raftsim.scenario.load import MAX_BYTES, load, parse
from raftsim.scenario.model import DEFAULT_WITHIN_S, Crash, Put, Run, Until
from raftsim.scenario.problems import BadScenario

HEAD = "name: x\nsteps:\n"

# file -> its problems
BROKEN = {
    "": ["1:1: error: the file is empty"],
    "- a\n": [
        "1:1: error: a scenario must be a mapping of about, cluster, expect, name, network, paper, steps, got [a]"
    ],
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
        "3:7: error: unknown step '[a]' (known: check, crash, heal, isolate, put, remove, restart, run, until)"
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
    # all of them at once, in the order of the file
    HEAD + "  - crash: ld\n  - run: 5\n  - kill: n1\nexpect: {node: nn, role: folower}\n": [
        "3:12: error: no server is called 'ld' here (did you mean 'leader'?)",
        "4:10: error: a duration needs a unit, such as 150ms or 5s, got 5",
        "5:5: error: unknown step 'kill' (known: check, crash, heal, isolate, put, remove, restart, run, until)",
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
    assert (scenario.network.delay_s, scenario.network.loss, scenario.network.duplicate) == ((0.001, 0.005), 0.05, 0.1)
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


def test_yes_is_a_word_and_not_a_truth() -> None:
    """YAML 1.2, so that a server called `no` or a name `on` is what it says."""
    scenario = parse("name: 'no'\nsteps:\n  - crash: leader\n    as: on\n  - restart: on\n", "x")
    assert scenario.name == "no"
