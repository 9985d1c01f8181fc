"""The replicated state machine: `Machine` is what a server needs of one, and what you implement to bring your own.

An agent runs the one that `raftsim.machine` in its configuration names, as `package.module:factory`.
"""

from raftsim.machine.base import InvalidRequest, Machine, UnreadableState, at_once

__all__ = ["InvalidRequest", "Machine", "UnreadableState", "at_once"]
