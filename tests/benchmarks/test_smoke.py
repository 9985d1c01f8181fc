"""Every benchmark runs, with tiny numbers: its figures are there, and nothing of it is left behind."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from benchmarks import all as everything
from benchmarks import failover, install, recovery, simulation, swarm, throughput
from benchmarks.raftsim_system import DEFAULTS, Raftsim
from benchmarks.systems import BenchmarkError
from raftsim.agent.config import load
from raftsim.cluster.local import LocalCluster
from raftsim.sweep.spread import Inline

pytestmark = pytest.mark.live

HAS_ETCD = pytest.mark.skipif(shutil.which("etcd") is None, reason="there is no etcd")
HAS_PYSYNCOBJ = pytest.mark.skipif(find_spec("pysyncobj") is None, reason="there is no pysyncobj")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the benchmarks keep their data."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


def rows_of(path: Path, benchmark: str) -> list[dict[str, Any]]:
    document = json.loads(path.read_text())
    assert document["benchmark"] == benchmark
    assert "raftsim" in document["machine"]
    rows: list[dict[str, Any]] = document["rows"]
    return rows


def processes_with(directory: Path) -> list[str]:
    """The command lines that speak of `directory`."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_text())
        except OSError:
            continue
    return [line for line in lines if str(directory) in line]


@pytest.mark.parametrize(
    "system",
    [
        "raftsim HTTP",
        "raftsim client",
        pytest.param("etcd JSON", marks=HAS_ETCD),
        pytest.param("etcd gRPC", marks=HAS_ETCD),
        pytest.param("PySyncObj msync", marks=HAS_PYSYNCOBJ),
        pytest.param("PySyncObj unsynced", marks=HAS_PYSYNCOBJ),
    ],
)
def test_throughput(system: str, tmp_path: Path, temporary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "found.json"
    throughput.main([f"-systems={system}", "-clients=1,3", "-seconds=0.4", "-rounds=1", f"-json={file}"])
    rows = rows_of(file, "throughput")
    assert [(row["system"], row["clients"], row["errors"]) for row in rows] == [(system, 1, 0), (system, 3, 0)]
    assert all(row["per_s"] > 0 for row in rows)
    assert f"| {system}" in capsys.readouterr().out
    assert processes_with(temporary) == []
    assert list(temporary.iterdir()) == []


def test_more_clients_than_one_address_may_have(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    throughput.main(["-systems=raftsim HTTP", "-clients=120", "-seconds=0.5", "-rounds=1", f"-json={file}"])
    (row,) = rows_of(file, "throughput")
    assert row["errors"] == 0


@pytest.mark.parametrize("system", ["raftsim defaults", pytest.param("etcd 10/100", marks=HAS_ETCD)])
def test_failover(system: str, tmp_path: Path, temporary: Path) -> None:
    file = tmp_path / "found.json"
    failover.main([f"-systems={system}", "-trials=2", f"-json={file}"])
    rows = rows_of(file, "failover")
    assert [row["trial"] for row in rows] == [1, 2]  # the second needs the killed server, or there is no majority
    assert all(row["outage_s"] > 0 for row in rows)
    assert processes_with(temporary) == []


def test_settings_reach_the_agents(tmp_path: Path) -> None:
    system = next(system for system in failover.SYSTEMS if "without" in system.name)
    assert isinstance(system, Raftsim)
    assert system.missing() is None
    cluster = system.start(tmp_path)
    try:
        config = load([cluster.local.nodes["n1"].directory / "agent.json"], {}, dev=False)
    finally:
        cluster.stop()
    assert not config.settings.fast_failover
    assert config.settings.election_timeout_min_s == 1.0


def test_an_unknown_setting_is_missing() -> None:
    assert "raftsim.nonsense is not used" in str(Raftsim(extra=(("nonsense", 1),)).missing())


def test_growth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "found.json"
    given = ["-systems=raftsim client", "-servers=1,2", "-clients=2", "-seconds=0.2", "-rounds=1"]
    throughput.main([*given, f"-json={file}"])
    assert [row["servers"] for row in rows_of(file, "throughput")] == [1, 2]
    head = next(line for line in capsys.readouterr().out.splitlines() if "writes/s" in line)
    assert [cell.strip() for cell in head.strip("|").split("|")] == [
        "writes/s, 2 clients",
        "1 servers",
        "2 servers",
        "2 to 1",
    ]


def test_simulation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "found.json"
    seeds = ["-seeds=3", "-storm=2", "-workers=1,2"]
    simulation.main(["-seconds=1", "-rounds=1", "-servers=3,5", *seeds, f"-json={file}"])
    rows = rows_of(file, "simulation")
    assert [row["servers"] for row in rows if "servers" in row] == [5, 5, 3, 5]
    assert all(row["events"] > 100 for row in rows if "servers" in row)
    assert {row["judge"] for row in rows if "judge" in row} > {"election safety", "all together"}
    sweeps = [row for row in rows if "workers" in row]
    assert [(row["workers"], len(row["cpu_s"])) for row in sweeps] == [(1, 3), (2, 3)]
    assert all(min(row["cpu_s"]) <= row["median_cpu_s"] <= max(row["cpu_s"]) for row in sweeps)
    shown = capsys.readouterr().out
    assert all(f"| {head}" in shown for head in ("standard load", "servers, at rest", "judge", "swarm, processes"))


def test_a_seed_that_fails_is_no_measure_of_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the world broke")

    monkeypatch.setattr("raftsim.swarm.run.play", fail)
    monkeypatch.setattr(swarm, "processes", lambda _: Inline())  # others need not see what is patched here
    with pytest.raises(BenchmarkError, match="seed 0 of the swarm failed: RuntimeError: the world broke"):
        swarm.sweep(1, seeds=1, storm_s=1.0)


def test_start_with_a_long_log(tmp_path: Path, temporary: Path) -> None:
    file = tmp_path / "found.json"
    recovery.main(["-parts=log", "-entries=1500", f"-json={file}"])
    (row,) = rows_of(file, "recovery")
    assert row["entries"] == 1500
    assert row["log_mb"] > 1500 * 256 / 2**20
    assert 0 < row["serves_s"] <= row["writes_s"]
    assert 0 < row["rss_mb"] <= row["peak_mb"]
    assert processes_with(temporary) == []


def test_snapshot_install(tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "BEFORE_S", 0.1)
    file = tmp_path / "found.json"
    recovery.main(["-parts=snapshot", "-megabytes=3", f"-json={file}"])
    (row,) = rows_of(file, "recovery")
    assert 3 < row["snapshot_mb"] < 3.5
    assert 0 < row["serves_s"] <= row["received_s"] <= row["caught_up_s"]
    assert row["mb_per_s"] > 0
    assert row["gap_ms"] > 0
    assert 0 < row["follower_mb"] <= row["follower_peak_mb"]
    assert processes_with(temporary) == []


def test_all_of_them_make_one_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: Sequence[str]) -> None:
        raise BenchmarkError("no leader")

    parts = (
        everything.Part("tiny", "A title", throughput.main, ("-systems=raftsim client", "-clients=1", "-seconds=0.2")),
        everything.Part("broken", "Another", fails, ()),
        everything.Part("log", "The last", recovery.main, ("-parts=log", "-entries=1000")),
    )
    monkeypatch.setattr(everything, "PARTS", parts)
    with pytest.raises(BenchmarkError, match=r"^not measured: Another$"):
        everything.main([f"-out={tmp_path / 'out'}"])
    assert "error: Another: no leader" in capsys.readouterr().err
    lines = (tmp_path / "out" / "results.md").read_text().splitlines()
    assert [line for line in lines if line.startswith("#")] == ["## Results", "### A title", "### The last"]
    assert "`python -m benchmarks.throughput '-systems=raftsim client' -clients=1 -seconds=0.2`" in lines
    assert any(line.startswith("| raftsim client ") for line in lines)
    assert any(line.startswith("| 1,000 ") for line in lines)
    assert rows_of(tmp_path / "out" / "tiny.json", "throughput")


@pytest.mark.parametrize("part", everything.PARTS, ids=lambda part: part.name)
def test_all_of_them_give_options_there_are(part: everything.Part) -> None:
    with pytest.raises(SystemExit) as end:
        part.main([*part.args, "-json=x", "-markdown=y", "-help"])
    assert end.value.code == 0


def test_the_log_that_is_recovered_holds_every_entry(tmp_path: Path) -> None:
    local = LocalCluster.create(tmp_path / "cluster", replace(DEFAULTS, nodes=1), tied=True)
    (node,) = local.nodes.values()
    recovery._write_log(node.directory / "agent.json", 1500)
    local.start()
    try:
        recovery._await_write(node.plan.http_port)
        (status,) = local.status()
        assert status.raft is not None
        # the configuration, the entries, what opens the term, and the write
        assert status.raft["applied_index"] == 1 + 1500 + 1 + 1
    finally:
        node.kill()
