"""Planted bugs of reading a disk back: what a server makes of what it finds there."""

from __future__ import annotations

from raftsim.mutants.mutant import mutant, replace
from raftsim.mutants.scenes_durability import a_sync_fails, a_write_is_torn
from raftsim.storage import recovery
from raftsim.storage.files import Directory
from raftsim.storage.recovery import Found
from raftsim.storage.segment import Image, Segment, name_of


@mutant(
    "B42",
    "damage in the middle of the log taken for its end",
    source="pebble#453, samyama#1335; Alagappan et al., FAST 2018",
    needs=("bit rot",),
    judge="restored as written",
)
def damage_taken_for_torn() -> None:
    """Whatever does not fit its checksum is taken for a write that a crash has torn, and is cut off with all behind it.
    One rotten bit, and a server forgets entries that it had acknowledged.
    """
    replace(Image, "frame_begun_later", lambda _: False)


@mutant(
    "B42",
    "a torn write taken for damage",
    source="etcd#5230, etcd#14093, rabbitmq/ra#283",
    needs=("power cut within a write",),
    judge="convergence",
    trap=a_write_is_torn,
)
def torn_taken_for_damage() -> None:
    """Whatever does not fit its checksum is taken for damage. After a power cut in the middle of a write, which has
    promised nothing, the server refuses to start.
    """
    replace(Image, "frame_begun_later", lambda _: True)


@mutant(
    "B40",
    "what is found at the start taken for durable",
    source="Rebello et al., USENIX ATC 2020",
    needs=("disk failure", "power cut"),
    judge="restored as written",
    trap=a_sync_fails,
)
def page_cache_trusted() -> None:
    """After a failed sync the server stops and is started again, which is right; but it believes what it reads. That
    comes from the page cache, and another sync alone does not bring it to the platter.
    """

    def settle(directory: Directory, found: Found) -> Segment | None:
        image = found.image
        if image is None:
            return None
        file = directory.open(name_of(image.number), writable=True)
        if image.has_rest():
            file.pwrite(bytes(image.used - image.offset), image.offset)
        file.sync()
        directory.sync()
        return Segment(file, image.path, image.number, image.offset, len(image.data))

    replace(recovery, "settle", settle)
