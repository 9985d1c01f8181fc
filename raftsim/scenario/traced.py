"""Runs in virtual time that leave a trace, and that trace run again."""

from __future__ import annotations

from raftsim import __version__
from raftsim.scenario.load import parse
from raftsim.scenario.model import Scenario
from raftsim.scenario.play import Play, Tell, play_simulated
from raftsim.scenario.report import Report
from raftsim.sim.members import Members
from raftsim.trace.compare import Comparison, Difference
from raftsim.trace.file import BadTrace, Header, TraceReader, TraceWriter


def play_traced(
    scenario: Scenario, seed: int, tell: Tell, path: str, play: Play = play_simulated, mutant: str = ""
) -> Report:
    """Play it, and write every event to the file `path`. Raises OSError when that cannot be written.

    `play` plays it where the bug `mutant` is planted.
    """
    with TraceWriter(path, _header(scenario, seed, mutant)) as trace:
        report = play(scenario, seed, tell, [trace])
        trace.end(report.verdict, report.reason)
    return report


def replay(path: str, play: Play = play_simulated) -> tuple[Header, Report, Difference | None]:
    """Run what the trace `path` tells of again, from the same seed, and find the first event that is not the same.

    Raises BadTrace, and BadScenario for a scenario that this version does not know.
    """
    with TraceReader(path) as trace:
        header = trace.header
        comparison = Comparison(trace)
        scenario = parse(header.scenario, header.file)
        if _header(scenario, header.seed, header.mutant).servers != header.servers:
            raise BadTrace(f"{path}:1: error: these are not the servers of its scenario")
        report = play(scenario, header.seed, lambda _: None, [comparison])
        comparison.finish()
    return header, report, comparison.difference


def _header(scenario: Scenario, seed: int, mutant: str) -> Header:
    members = Members(seed, scenario.cluster.raft_protocol)
    servers = {name: members.add(name).id for name in scenario.cluster.names}
    return Header(scenario.file, scenario.text, seed, servers, __version__, mutant)
