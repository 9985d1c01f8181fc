"""What one seed has shown, and by what a failure is told from others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

PASS: Final = "pass"
FAILED: Final = "failed"  # something was violated
VACUOUS: Final = "vacuous"  # the run proves nothing, or could not be decided

_SHOWN: Final = 160  # characters of a signature
_STATE: Final = "; there is: "  # what follows describes the cluster at that moment
_QUOTED: Final = re.compile(r"b?'(?:[^'\\]|\\.)*'|b?\"(?:[^\"\\]|\\.)*\"")
_NAME: Final = re.compile(
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"  # an id in raft protocol 3
    r"|\b\d+\.\d+\.\d+\.\d+:\d+\b"
    r"|\b[nc]\d+(?:\.\d+)?\b"
    r"|(?<![\w#])-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?\b"
)
_RUN: Final = re.compile(r"#(?:(?:, | and |-)#)+")


@dataclass(frozen=True, slots=True)
class Result:
    """Of one seed. `judge` and `text`: what was wrong. `facts`: how often what rare thing came about.

    `drawn`: what the run was like, where the seed draws that. All of it but `wall_s` is the same on every machine.
    """

    seed: int
    verdict: str
    judge: str = ""
    text: str = ""
    facts: Mapping[str, int] = field(default_factory=dict)
    drawn: Mapping[str, Any] = field(default_factory=dict)
    events: int = 0
    virtual_s: float = 0.0
    digest: str = ""
    wall_s: float = 0.0

    @property
    def signature(self) -> str:
        """The judge, and the text without what differs between two seeds with the same mistake."""
        return signature(self.judge, self.text)

    def plain(self) -> dict[str, Any]:
        """As JSON can say it."""
        return {"schema": "raftsim.seed/1", "signature": self.signature, **asdict(self)}


def signature(judge: str, text: str) -> str:
    """`judge: text` in one line, with `#` for every number, name, id and quoted value, or a row of them."""
    text = " ".join(text.partition(_STATE)[0].split())
    text = _RUN.sub("#", _NAME.sub("#", _QUOTED.sub("#", text)))
    whole = f"{judge}: {text}"
    return whole if len(whole) <= _SHOWN else f"{whole[: _SHOWN - 1]}…"
