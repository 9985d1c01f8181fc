"""The lines of a report: as text for a terminal, and as SVG."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from math import log10
from typing import Final

from raftsim.experiments.report import Axis, Point, Report

COLUMNS, ROWS = 64, 10
MARGIN: Final = 7  # columns of the labels
_BOTH: Final = {" ": "o", "*": "@"}
COLOURS: Final = ("#1b6ca8", "#b5541c", "#2e7d32", "#7b3fa0", "#a8201a", "#00796b", "#8a6d00", "#455a64")
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 800, 420, 64, 40, 190, 48
STEPS: Final = 201  # of a line in an SVG that has as many points as one likes


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where a value lies between the least and the most, from 0 to 1."""

    axis: Axis
    least: float
    most: float

    def place(self, value: float) -> float:
        if self.most <= self.least:
            return 0.0
        if self.axis.log:
            return log10(value / self.least) / log10(self.most / self.least)
        return (value - self.least) / (self.most - self.least)

    def ticks(self) -> list[float]:
        """Round values to write down."""
        if self.axis.unit == "%":
            return [0.0, 0.25, 0.5, 0.75, 1.0]
        if not self.axis.log:
            return [float(value) for value in range(round(self.least), round(self.most) + 1)]
        return [s * 10.0**power for power in range(7) for s in (1, 2, 5) if self.least <= s * 10**power <= self.most]


def _scales(report: Report, lines: Iterable[list[Point]]) -> tuple[_Scale, _Scale]:
    points = [point for line in lines for point in line]
    columns, rows = [x for x, _ in points], [y for _, y in points]
    return _Scale(report.chart.x, min(columns), max(columns)), _Scale(report.chart.y, min(rows), max(rows))


def text(report: Report, series: str) -> list[str]:
    """One series: `*` simulated, `o` what it is compared with."""
    ours, theirs = report.simulated[series].drawn(ROWS), report.published[series].drawn(ROWS)
    x, y = _scales(report, [ours, theirs])
    grid = [[" "] * COLUMNS for _ in range(ROWS)]
    for line, marks in ((ours, {" ": "*"}), (theirs, _BOTH)):
        for point in line:
            row = grid[round((ROWS - 1) * (1 - y.place(point[1])))]
            column = round((COLUMNS - 1) * x.place(point[0]))
            row[column] = marks.get(row[column], row[column])
    labels = [y.axis.label(y.most), *[""] * (ROWS - 2), y.axis.label(y.least)]
    margin = max(MARGIN, *(len(label) + 1 for label in labels))
    ends = x.axis.label(x.least), x.axis.label(x.most)
    return [
        f"{series}   * simulated   o {report.chart.other}   @ both",
        *(f"{label:>{margin - 1}} |{''.join(row).rstrip()}" for label, row in zip(labels, grid, strict=True)),
        " " * margin + "+" + "-" * COLUMNS,
        " " * (margin + 1) + ends[0] + " " * (COLUMNS - len(ends[0]) - len(ends[1])) + ends[1],
    ]


def svg(report: Report) -> str:
    """All series: simulated as lines, what they are compared with dashed."""
    pairs = {name: (ours.drawn(STEPS), report.published[name].drawn(STEPS)) for name, ours in report.simulated.items()}
    x, y = _scales(report, [line for pair in pairs.values() for line in pair])
    chart = report.chart
    title = escape(f"{report.experiment}: {chart.title}, simulated (lines) and {chart.other} (dashed)")
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" font-size="12"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}><title>{title}</title>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="14">{title}</text>',
        *_axes(x, y),
    ]
    for place, (series, (ours, theirs)) in enumerate(pairs.items()):
        colour = COLOURS[place % len(COLOURS)]
        parts += [_line(ours, x, y, colour, ""), _line(theirs, x, y, colour, "4 3")]
        top = TOP + 18 * (place + 1)
        parts.append(f'<text x="{WIDTH - RIGHT + 12}" y="{top}" fill="{colour}">{escape(series)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _across(scale: _Scale, value: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * scale.place(value)


def _down(scale: _Scale, value: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - scale.place(value))


def _line(points: list[Point], x: _Scale, y: _Scale, colour: str, dashes: str) -> str:
    placed = " ".join(f"{_across(x, point[0]):.1f},{_down(y, point[1]):.1f}" for point in points)
    return f'<polyline points="{placed}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-dasharray="{dashes}"/>'


def _axes(x: _Scale, y: _Scale) -> list[str]:
    lines = []
    for value in y.ticks():
        top = _down(y, value)
        lines.append(f'<line x1="{LEFT}" y1="{top:.1f}" x2="{WIDTH - RIGHT}" y2="{top:.1f}" stroke="#ddd"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{top + 4:.1f}" text-anchor="end">{y.axis.label(value)}</text>')
    for value in x.ticks():
        left = _across(x, value)
        lines.append(f'<line x1="{left:.1f}" y1="{TOP}" x2="{left:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#eee"/>')
        below = HEIGHT - BOTTOM + 18
        lines.append(f'<text x="{left:.1f}" y="{below}" text-anchor="middle">{x.axis.label(value)}</text>')
    return lines
