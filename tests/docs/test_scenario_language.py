"""The page of the scenario language has its whole vocabulary."""

from __future__ import annotations

from dataclasses import fields

import pytest

from raftsim.cli.run import EXIT_CODES, WORDS, WORST_FIRST
from raftsim.scenario import fields as reading
from raftsim.scenario import load, names, read_conditions, read_disks, read_faults, read_network, read_steps, selectors
from raftsim.scenario.conditions import OPERATORS
from raftsim.scenario.load import parse
from raftsim.scenario.model import DEFAULT_WITHIN_S, Cluster
from raftsim.scenario.problems import BadScenario
from raftsim.scenario.read_settings import SETTINGS
from raftsim.scenario.report import Report
from raftsim.sim.delays import Uniform
from raftsim.sim.files import MUTATING
from raftsim.sim.holds import KINDS
from raftsim.sim.network import NetworkModel
from tests.docs.tables import REFERENCE, marked, table, tables

PAGE = REFERENCE / "scenario-language.md"
TEXT = PAGE.read_text()


def test_the_keys_of_a_file() -> None:
    assert tuple(table(PAGE, "The file").column("Value")) == load.KEYS
    assert set(table(PAGE, "cluster").column("Value")) == set(load.CLUSTER_KEYS)
    assert tuple(tables(PAGE, "network")[0].column("Value")) == (*read_network.LINK, "zones")
    assert tuple(table(PAGE, "disks").column("Value")) == read_disks.KEYS


def test_the_verbs_and_what_may_stand_beside_them() -> None:
    beside = table(PAGE, "Steps").column("Beside it")
    assert {verb: sorted(marked(cell)) for verb, cell in beside.items()} == {
        name: sorted(verb.keys) for name, verb in read_steps.VERBS.items()
    }


def test_the_faults() -> None:
    assert set(table(PAGE, "Messages").column("Value")) == {"kind", "from", "to", "term", "index", "limit"}
    assert sorted(marked(table(PAGE, "Messages").column("Value")["kind"])) == sorted(KINDS)
    disks = table(PAGE, "Disks")
    assert tuple(disks.column("Value")) == tuple(read_faults.DISK)
    assert sorted(marked(disks.column("Value")["fail"])) == sorted(MUTATING)
    others = [key for key in read_faults.DISK if key not in read_faults.IN_BYTES]
    assert f"With any of these but {', '.join(f'`{key}`' for key in others[:-1])} and `{others[-1]}`" in TEXT
    last = [name for name, verb in read_steps.VERBS.items() if verb.read.__module__ == read_faults.__name__]
    assert list(table(PAGE, "Steps").column("Value"))[-len(last) :] == last
    assert len(last) == 12


def test_the_settings() -> None:
    section = TEXT.partition("### settings")[2].partition("### network")[0]
    assert set(marked(section.partition("There are")[2])) == set(SETTINGS)


def test_the_selectors() -> None:
    documented = set(table(PAGE, "Selectors").column("Means"))
    assert set(selectors.WORDS) <= documented
    assert documented - set(selectors.WORDS) == {"follower:2", "{others: X}", "n1`, ...", "a name bound with `as"}


def test_the_conditions() -> None:
    rows = table(PAGE, "Conditions").rows
    assert {row[0].strip("`") for row in rows} == {*read_conditions.KEYS, "acked"}
    (roles,) = [marked(row[1])[:-1] for row in rows if row[0] == "`role`"]
    assert sorted(roles) == sorted(read_conditions.ROLES)


def test_the_units() -> None:
    cells = table(PAGE, "Units").column("Written")
    assert marked(cells["a duration"])[: len(reading.SECONDS)] == list(reading.SECONDS)
    assert f"at most {reading.MAX_DURATION_S / 60:g}m" in cells["a duration"]
    assert set(OPERATORS) <= set(marked(cells["a comparison"]))


def test_the_verdicts_and_their_exit_codes() -> None:
    rows = [row for row in table(PAGE, "Verdicts and exit codes").rows if row[0]]
    assert {row[0].strip("`"): (row[1], int(row[2])) for row in rows} == {
        verdict: (WORDS[verdict], code) for verdict, code in EXIT_CODES.items()
    }
    assert f"`{WORST_FIRST[0]}`, then " + ", ".join(f"`{verdict}`" for verdict in WORST_FIRST[1:]) in TEXT


def test_the_json_record() -> None:
    assert list(table(PAGE, "The JSON record").column("Means")) == list(Report("", "", 0).plain())


def test_the_defaults() -> None:
    settings, network = Cluster().settings, NetworkModel()
    cells = {**table(PAGE, "cluster").column("Default"), **tables(PAGE, "network")[0].column("Default")}
    assert Cluster().nodes == int(cells["nodes"].strip("`"))
    assert (settings.election_timeout_min_s, settings.election_timeout_max_s) == (0.5, 1.0)
    assert cells["election"] == "`[500ms, 1s]`"
    assert settings.heartbeat_interval_s == 0.1
    assert cells["heartbeat"].startswith("`100ms`")
    assert (settings.pre_vote, settings.check_quorum) == (True, True)
    assert cells["prevote"] == cells["check_quorum"] == "`true`"
    assert network.delay == Uniform(0.0005, 0.002)
    assert cells["delay"] == "`[0.5ms, 2ms]`"
    assert (network.loss, network.duplicate) == (0, 0)
    assert f"by default `{DEFAULT_WITHIN_S:g}s`" in TEXT
    assert [field.name for field in fields(NetworkModel)] == [name for name, _ in read_network.LINK.values()]


def test_the_limits() -> None:
    assert f"at most {load.MAX_BYTES >> 10} KiB" in TEXT
    assert f"nested more than {load.MAX_DEPTH} deep" in TEXT
    assert f"1 to {read_steps.MAX_STEPS} steps" in TEXT
    assert f"1 to {load.MAX_NODES}; they" in TEXT
    assert f"`count` (1 to {read_steps.MAX_WRITES})" in TEXT
    assert f"at most {read_steps.MAX_CLIENTS} clients" in TEXT
    assert f"up to {read_conditions.MAX_CONDITIONS}." in TEXT
    assert "at most 64 characters" in TEXT
    assert load.NAME.fullmatch("a" * 64)
    assert not load.NAME.fullmatch("a" * 65)
    assert "at most 32 characters" in TEXT
    assert names.NAME.fullmatch("a" * 32)
    assert not names.NAME.fullmatch("a" * 33)


@pytest.mark.parametrize("key", ["name", "steps"])
def test_what_is_required(key: str) -> None:
    assert table(PAGE, "The file").column("Default")[key] == "required"
    whole = {"name": "x", "steps": "[{run: 1s}]"}
    with pytest.raises(BadScenario, match=f"'{key}' is missing"):
        parse("".join(f"{other}: {value}\n" for other, value in whole.items() if other != key), "x.yaml")
