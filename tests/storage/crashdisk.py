"""The simulated files of raftsim.sim.files, as a disk with the two directories of a server."""

from __future__ import annotations

from raftsim.sim.files import ENDLESS, PAGE, PowerCut, SimFiles

__all__ = ["PAGE", "CrashDisk", "PowerCut"]


class CrashDisk(SimFiles):
    def __init__(self, *, capacity: int = ENDLESS) -> None:
        super().__init__(capacity=capacity)
        self.wal = self.directory("wal")
        self.snapshots = self.directory("snapshots")

    def settled(self) -> CrashDisk:
        """Another disk that holds durably what programs see on this one."""
        disk = CrashDisk(capacity=self.capacity)
        for ours, copied in ((self.wal, disk.wal), (self.snapshots, disk.snapshots)):
            for name in ours.names():
                copied.create(name, 0).pwrite(ours.open(name).read(), 0)
                copied.open(name).sync()
            copied.sync()
        disk.open_files = disk.syncs = 0
        return disk
