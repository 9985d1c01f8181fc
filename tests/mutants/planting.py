"""A mutant planted into this very package, for tests whose own worlds and judges have to meet it."""

from __future__ import annotations

import sys
from inspect import getattr_static
from types import ModuleType
from typing import Any

import pytest

from raftsim.mutants.catalogue import CATALOGUE
from raftsim.mutants.copy import PACKAGE
from raftsim.mutants.mutant import references


def plant(id: str, patch: pytest.MonkeyPatch) -> None:
    """It is there until `patch` is undone."""

    def replace(owner: Any, name: str, by: Any) -> None:
        old = getattr_static(owner, name)
        if not isinstance(owner, ModuleType):
            patch.setattr(owner, name, by)
            return
        for place, key in references(PACKAGE, old):
            patch.setitem(place, key, by)

    mutant = CATALOGUE[id]
    patch.setattr(sys.modules[mutant.plant.__module__], "replace", replace)
    mutant.plant()
