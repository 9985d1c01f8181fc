"""`raftsim advise`: which election timeouts to choose."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

import click

from raftsim.cli.client import ApiError, Client, record, reported, with_client
from raftsim.cli.go import Failure, GoCommand, option
from raftsim.cli.output import columnize, show_json
from raftsim.cli.progress import Progress

if TYPE_CHECKING:
    from raftsim.advice.inputs import Measured, Wanted
    from raftsim.advice.table import Advice, Row

BAD_INPUT: Final = 2
PAUSE: Final = "100ms"
PATIENCE_S: Final = 15.0
LOOK_AGAIN_S: Final = 0.2


@click.command(
    "advise",
    cls=GoCommand,
    usage_code=BAD_INPUT,
    examples=[
        ("Measure the cluster that NOMAD_ADDR names", "raftsim advise"),
        ("Ask for a cluster that is yet to be built", "raftsim advise -latency=1ms..4ms -write=2ms -servers=5"),
        ("Say the latency by its quantiles", "raftsim advise -latency=p50=30ms,p99=80ms"),
        ("Let leaders survive pauses of half a second", "raftsim advise -latency=1ms -pause=500ms"),
    ],
)
@option("latency", value="TIME", default="", help="Of a message, one way: 2ms, 1ms..4ms or p50=2ms,p99=9ms.")
@option("write", value="TIME", default="", help="Of a durable write: 2ms or 1ms..4ms. Default: measured, else 0ms.")
@option("servers", value="N", type=int, help="Servers with a vote. Default: as found, or 3 with -latency.")
@option(
    "failed", value="N", type=int, default=1, help="So many of them have failed, the leader among them. Default: 1."
)
@option(
    "pause",
    value="TIME",
    default="",
    help=f"A leader that falls silent so long shall go on leading. Default: {PAUSE}, or the longest time measured.",
)
@option(
    "trials",
    value="N",
    type=click.IntRange(50, 100_000),
    default=300,
    help="Simulated elections of each row. Default: 300.",
)
@option(
    "seed", value="N", type=click.IntRange(0, 1 << 32), default=0, help="Of the first simulated election. Default: 0."
)
@option("j", value="N", type=click.IntRange(1, 256), help="Processes to work in. Default: one for each core.")
@option("json", dest="as_json", help="Output the advice as JSON.")
@with_client()
def advise(
    client: Client, *, trials: int, seed: int, j: int | None, as_json: bool, latency: str, **options: Any
) -> int:
    """Propose election timeouts and heartbeats, and show what longer and shorter ones cost.

    Without -latency, the leader of a running cluster is asked how long its followers and its disk have taken of late;
    a way is half of a round trip to the slowest follower. Each row is computed in closed form and checked with
    simulated elections: how many of them split, how long the cluster is without a leader after its leader falls silent,
    and for how long a leader may be silent without losing its role. A leader whose process has died is replaced sooner
    than that (raftsim.fast_failover).

    The exit code is 2 for options that make no sense, 1 when the cluster cannot be measured.
    """
    from concurrent.futures import ProcessPoolExecutor

    from raftsim.advice.inputs import NoAdvice
    from raftsim.advice.table import advise as simulate

    try:
        source = None if latency else _measure(client)
        wanted = _wanted(source, latency, **options)
        with Progress() as progress, ProcessPoolExecutor(j or os.cpu_count() or 1) as executor:

            def show(timeout_s: float) -> None:
                progress.show(f"simulating elections after {_ms(timeout_s)} and more")

            advice = simulate(wanted, trials, seed, executor, show)
    except NoAdvice as error:
        raise Failure(f"No advice: {error}", code=BAD_INPUT) from None
    if as_json:
        show_json(_plain(advice, source))
    else:
        print("\n".join(_lines(advice, source)))
    return 0


def _measure(client: Client) -> Measured:
    """What the leader has measured, once that is enough. Raises Failure."""
    from raftsim.advice.inputs import ENOUGH, measured

    end = time.monotonic() + PATIENCE_S
    with Progress() as progress, reported("Error measuring the cluster"):
        while True:
            try:
                found = measured(record(client.read("/v1/raftsim/status", leader="true")))
            except (KeyError, TypeError) as error:
                raise ApiError(f"the answer is not the status of a raftsim server: {error!r}") from error
            if found.voters == 1:
                raise ApiError(f"{found.server} is the only server with a vote: it needs no election timeouts")
            if found.latency is not None:
                return found
            if time.monotonic() > end:
                raise ApiError(
                    f"the leader, {found.server}, has measured {found.samples} round trips;"
                    f" {ENOUGH} to one follower are needed"
                )
            progress.show(f"{found.server} has measured {found.samples} of {ENOUGH} round trips")
            time.sleep(LOOK_AGAIN_S)


def _wanted(
    source: Measured | None, latency: str, *, write: str, servers: int | None, failed: int, pause: str
) -> Wanted:
    from raftsim.advice.inputs import Wanted, parse_latency, parse_pause, parse_span

    way = source.latency if source is not None and source.latency is not None else parse_latency(latency)
    least = (0.0, 0.0) if source is None else source.write_s
    pause_s = parse_pause(pause or PAUSE)
    return Wanted(
        servers=servers if servers is not None else source.voters if source is not None else 3,
        failed=failed,
        latency=way,
        write_s=parse_span("write", write) if write else least,
        pause_s=pause_s if pause or source is None else max(pause_s, source.longest_s),
    )


def _lines(advice: Advice, source: Measured | None) -> list[str]:
    wanted, best = advice.wanted, advice.best
    way = wanted.latency
    messages = f"one way {_range(way.fast_s, way.slow_s)}, on average {_ms(way.mean_s)}"
    lines = [f"{wanted.servers} servers, {wanted.failed} failed; {messages}; a write {_range(*wanted.write_s)}"]
    if source is not None:
        lines.append(f"Measured by {source.server}; nothing took longer than {_ms(source.longest_s)}.")
    heading = ("", "Timeouts", "Heartbeat", "Split", "Simulated", "Failover", "Simulated", "99 %", "Pause")
    table = columnize([heading, *(_row(row, best) for row in advice.rows)])
    close = "agree" if best.agrees else "do not agree, so believe the simulated ones"
    checked = f"Computed failovers and {advice.trials:,} simulated ones of the recommended row {close}."
    keys = [f'  "{key}": "{value}"' for key, value in _keys(best).items()]
    words = f"Recommended: {_span(best)}, heartbeats every {_ms(best.heartbeat_s)}: {advice.reason}."
    return [*lines, "", table, "", words, checked, "", '"raftsim": {', *",\n".join(keys).split("\n"), "}"]


def _row(row: Row, best: Row) -> tuple[str, ...]:
    return (
        "*" if row is best else "",
        _span(row),
        _ms(row.heartbeat_s),
        f"{row.split:.1%}",
        f"{row.simulated_split:.1%}",
        *(_ms(time_s) for time_s in (row.failover_s, row.simulated_s, row.p99_s, row.pause_s)),
    )


def _span(row: Row) -> str:
    return _range(row.timeout_s, 2 * row.timeout_s)


def _range(least_s: float, most_s: float) -> str:
    return _ms(least_s) if least_s == most_s else f"{_ms(least_s)} to {_ms(most_s)}"


def _ms(seconds: float) -> str:
    ms = 1000 * seconds
    return f"{ms:,.0f} ms" if ms >= 100 else f"{ms:.3g} ms"


def _keys(row: Row) -> dict[str, str]:
    from raftsim.agent.durations import format_duration

    return {
        "election_timeout_min": format_duration(row.timeout_s),
        "election_timeout_max": format_duration(2 * row.timeout_s),
        "heartbeat_interval": format_duration(row.heartbeat_s),
    }


def _plain(advice: Advice, source: Measured | None) -> dict[str, Any]:
    wanted = advice.wanted
    return {
        "Servers": wanted.servers,
        "Failed": wanted.failed,
        "MeasuredBy": None if source is None else source.server,
        "Latency": {"Mean": wanted.latency.mean_s, "Fast": wanted.latency.fast_s, "Slow": wanted.latency.slow_s},
        "Write": {"Min": wanted.write_s[0], "Max": wanted.write_s[1]},
        "Pause": wanted.pause_s,
        "Trials": advice.trials,
        "Rows": [
            {
                "TimeoutMin": row.timeout_s,
                "TimeoutMax": 2 * row.timeout_s,
                "Heartbeat": row.heartbeat_s,
                "Split": round(row.split, 6),
                "SimulatedSplit": round(row.simulated_split, 6),
                "Failover": round(row.failover_s, 6),
                "SimulatedFailover": round(row.simulated_s, 6),
                "SimulatedFailover99": round(row.p99_s, 6),
                "ToleratedPause": round(row.pause_s, 6),
                "Agrees": row.agrees,
                "Recommended": row is advice.best,
            }
            for row in advice.rows
        ],
        "Reason": advice.reason,
        "Configuration": {"raftsim": _keys(advice.best)},
    }
