"""The machine of a server that was not given another one, in both worlds."""

from __future__ import annotations

from raftsim.machine.base import Machine
from raftsim.machine.sessions import Sessions
from raftsim.machine.variables import Variables


def standard_machine() -> Machine:
    """Nomad's variables, with sessions around them."""
    return Sessions(Variables())
