"""From YAML to what every disk is like."""

from __future__ import annotations

from typing import Final

from raftsim.scenario.fields import Field
from raftsim.scenario.model import Disks
from raftsim.sim.disk import BYTES, FORMS, RECORDS, DiskModel, Form

KEYS: Final = ("sync", "save", "form")


def disks(field: Field) -> Disks:
    block = field.block("'disks'", KEYS)
    usual = DiskModel()
    sync = block.get("sync", Field.durations, (usual.sync_min_s, usual.sync_max_s))
    save = block.get("save", Field.durations, (usual.save_min_s, usual.save_max_s))
    form: Form = BYTES if block.get("form", lambda value: value.choice(FORMS), RECORDS) == BYTES else RECORDS
    return Disks(DiskModel(*sync, *save, form), tuple(block.entries))
