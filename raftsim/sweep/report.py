"""A whole sweep as JSON and as JUnit's XML."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any, Final

from raftsim.sweep.result import FAILED, VACUOUS
from raftsim.sweep.subjects import Subject
from raftsim.sweep.tally import Tally

SCHEMA: Final = "raftsim.sweep/1"
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def plain(subject: Subject, seeds: range, tally: Tally, wall_s: float) -> dict[str, Any]:
    """For `-json`."""
    return {
        "schema": SCHEMA,
        "subject": subject.name,
        "seeds": [seeds.start, seeds.stop - 1],
        "done": len(tally.done),
        "passed": tally.passed,
        "failed": tally.count(FAILED),
        "vacuous": tally.count(VACUOUS),
        "failures": [
            {
                "signature": name,
                "verdict": group.verdict,
                "judge": group.judge,
                "text": group.text,
                "count": len(group.seeds),
                "first_seed": min(group.seeds),
                "replay": subject.replay(min(group.seeds)),
            }
            for name, group in tally.ordered()
        ],
        "seen": {fact: {"seeds": count, "first_seed": first} for fact, (count, first) in sorted(tally.seen.items())},
        "never_seen": never_seen(subject, tally),
        "events": tally.events,
        "virtual_s": round(tally.virtual_s, 6),
        "work_s": round(tally.work_s, 3),
        "wall_s": round(wall_s, 3),
    }


def junit(subject: Subject, tally: Tally, wall_s: float) -> str:
    """One test case for each seed that was run, as CI servers read it; what proves nothing is an error there."""
    totals = {"tests": str(len(tally.done)), "failures": str(tally.count(FAILED)), "errors": str(tally.count(VACUOUS))}
    suite = ET.Element("testsuite", {"name": f"raftsim sweep {subject.name}", **totals, "time": f"{wall_s:.3f}"})
    group_of = {seed: (name, group) for name, group in tally.groups.items() for seed in group.seeds}
    for seed in sorted(tally.done):
        case = ET.SubElement(suite, "testcase", {"classname": subject.name, "name": f"seed {seed}"})
        if seed in group_of:
            name, group = group_of[seed]
            kind = "failure" if group.verdict == FAILED else "error"
            found = ET.SubElement(case, kind, {"type": _printable(group.judge), "message": _printable(name)})
            found.text = _printable(f"{group.text}\nReplay: {subject.replay(seed)}")
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def never_seen(subject: Subject, tally: Tally) -> list[str]:
    """The facts that no seed has brought about."""
    return [fact for fact in subject.facts if fact not in tally.seen]


def _printable(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _NO_XML.sub("�", text)
