"""A bug of a shipped implementation: the smallest scene that shows it, and the mistake itself, to be planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

Patch = pytest.MonkeyPatch


@dataclass(frozen=True, slots=True)
class Bug:
    """`scene` fails when the bug is there; `plant` puts it there."""

    id: str
    title: str
    scene: Callable[[], None]
    plant: Callable[[Patch], None]

    def __str__(self) -> str:
        return f"{self.id} {self.title}"


def holds(bug: Bug) -> None:
    bug.scene()


def is_caught(bug: Bug, patch: Patch) -> None:
    bug.plant(patch)
    with pytest.raises(AssertionError):
        bug.scene()
