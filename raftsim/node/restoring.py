"""The machine becomes what a snapshot stands for, a slice in each turn: who leads, and who asks, is answered meanwhile.

Invariant: until the last slice the machine shows its old state, and nothing is applied to it.
"""

from __future__ import annotations

from raftsim.core.entry import SnapshotMeta
from raftsim.machine.base import Machine, Slices, UnreadableState
from raftsim.node.ports import Disk


class Restoring:
    """`meta` is what the machine is to become; None when it is nothing but what it was."""

    def __init__(self, machine: Machine, disk: Disk) -> None:
        self.meta: SnapshotMeta | None = None
        self._machine = machine
        self._disk = disk
        self._slices: Slices[None] | None = None

    def begin(self, meta: SnapshotMeta) -> None:
        """Whatever was begun before is given up."""
        self.stop()
        self.meta, self._slices = meta, self._machine.restore(self._disk.load_snapshot(meta))

    def go_on(self) -> bool:
        """One slice. Returns whether it was the last. Raises UnreadableState."""
        assert self.meta is not None
        assert self._slices is not None
        try:
            next(self._slices)
        except StopIteration:
            self.meta = self._slices = None
            return True
        except ValueError as error:
            why = f"the snapshot at index {self.meta.index} is no state of this machine: {error}"
            raise UnreadableState(why) from None
        return False

    def stop(self) -> None:
        """Give up what was begun: the machine keeps its old state."""
        if self._slices is not None:
            self._slices.close()
        self.meta = self._slices = None
