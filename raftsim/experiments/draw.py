"""The curves of a report: as text for a terminal, and as SVG."""

from __future__ import annotations

from html import escape
from math import log10
from typing import Final

from raftsim.experiments.curves import Curve
from raftsim.experiments.run import Report

COLUMNS, ROWS = 64, 10
_BOTH: Final = {(True, False): "*", (False, True): "o", (True, True): "@"}
COLOURS: Final = ("#1b6ca8", "#b5541c", "#2e7d32", "#7b3fa0", "#a8201a", "#00796b", "#8a6d00", "#455a64")
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 800, 420, 56, 40, 190, 48


def text(report: Report, series: str) -> list[str]:
    """One series: the share of the trials over the time, on a logarithmic scale. `*` simulated, `o` published."""
    ours, theirs = report.simulated[series], report.published[series]
    least, most = _span([ours, theirs])
    cells = [_row(ours, theirs, 1 - row / (ROWS - 1), least, most) for row in range(ROWS)]
    labels = ["100 %", *[""] * (ROWS - 2), "0 %"]
    lines = [f"{label:>6} |{''.join(cell).rstrip()}" for label, cell in zip(labels, cells, strict=True)]
    ends = f"{least:.0f} ms", f"{most:.0f} ms"
    return [
        f"{series}   * simulated   o published   @ both",
        *lines,
        " " * 7 + "+" + "-" * COLUMNS,
        " " * 8 + ends[0] + " " * (COLUMNS - len(ends[0]) - len(ends[1])) + ends[1],
    ]


def _row(ours: Curve, theirs: Curve, share: float, least: float, most: float) -> list[str]:
    def column(curve: Curve) -> int:
        return round((COLUMNS - 1) * _place(curve.at(share), least, most))

    places = column(ours), column(theirs)
    row = [" "] * COLUMNS
    for place in places:
        row[place] = _BOTH[place == places[0], place == places[1]]
    return row


def _span(curves: list[Curve]) -> tuple[float, float]:
    times = [curve.at(share) for curve in curves for share in (0.0, 1.0)]
    return min(times), max(times)


def _place(time: float, least: float, most: float) -> float:
    """Where on a logarithmic scale, from 0 to 1."""
    return 0.0 if most <= least else (log10(time) - log10(least)) / (log10(most) - log10(least))


def svg(report: Report) -> str:
    """All series: simulated as lines, published dashed."""
    curves = [*report.simulated.values(), *report.published.values()]
    least, most = _span(curves)
    title = f"{escape(report.experiment)}: share of the trials over time, simulated (lines) and published (dashed)"
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" font-size="12"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}><title>{title}</title>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="14">{title}</text>',
        *_axes(least, most),
    ]
    for place, (series, ours) in enumerate(report.simulated.items()):
        colour = COLOURS[place % len(COLOURS)]
        parts += [_line(ours, least, most, colour, ""), _line(report.published[series], least, most, colour, "4 3")]
        y = TOP + 18 * (place + 1)
        parts.append(f'<text x="{WIDTH - RIGHT + 12}" y="{y}" fill="{colour}">{escape(series)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _x(time: float, least: float, most: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * _place(time, least, most)


def _y(share: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)


def _line(curve: Curve, least: float, most: float, colour: str, dashes: str) -> str:
    steps = [step / 200 for step in range(201)]
    points = " ".join(f"{_x(curve.at(share), least, most):.1f},{_y(share):.1f}" for share in steps)
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-dasharray="{dashes}"/>'


def _axes(least: float, most: float) -> list[str]:
    lines = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _y(share)
        lines.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#ddd"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{share:.0%}</text>')
    ticks = [step * 10**power for power in range(7) for step in (1, 2, 5) if least <= step * 10**power <= most]
    for time in ticks:
        x = _x(time, least, most)
        lines.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#eee"/>')
        lines.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{time} ms</text>')
    return lines
