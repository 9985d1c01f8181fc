"""Planted bugs of durability: what was promised and is not on the disk, or only a part of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace as changed
from typing import Any

from raftsim.core import replication
from raftsim.core.entry import COMMAND, Entry
from raftsim.core.messages import Append, Message, Vote
from raftsim.core.output import Write
from raftsim.core.raft import Raft
from raftsim.mutants.mutant import mutant, replace
from raftsim.mutants.scenes_durability import a_sync_fails, power_cut_after_a_new_file, power_cut_at_its_worst
from raftsim.storage import files, frames
from raftsim.storage.files import Directory
from raftsim.storage.segment import Segment, number_of
from raftsim.storage.wal import Wal


@mutant(
    "B01",
    "votes and acknowledgements sent before they are durable",
    source="Raft Figure 2 (persistent state); PySyncObj#84, robustmq#2039",
    needs=("crash", "disk stall"),
    judge="durable before send",
)
def promise_before_sync() -> None:
    """A server answers at once, while its disk still works. If it crashes now it forgets that it has voted, and votes
    again in the same term for somebody else.
    """
    promise = Raft.promise

    def answer(raft: Raft, message: Message) -> None:
        (promise if isinstance(message, Vote) else Raft.send)(raft, message)

    replace(Raft, "promise", answer)


@mutant(
    "B02",
    "term and vote written one after the other",
    source="Raft Figure 2; hashicorp/raft#661",
    needs=("power cut within a write",),
    judge="restored as written",
)
def term_and_vote_apart() -> None:
    """A new term is written first, the vote in it afterwards. After a crash in between, the vote of the old term stands
    beside the new term: a vote that was never given, and that keeps the server from giving another.
    """
    append: Any = Wal._append_frame

    def in_two(wal: Wal, writes: Sequence[Write]) -> None:
        for write in writes:
            before = wal._position.hard
            if write.hard is not None and write.hard.term > before.term:
                append(wal, [Write(write.seq, changed(before, term=write.hard.term))])
        append(wal, writes)

    replace(Wal, "_append_frame", in_two)


@mutant(
    "B38",
    "a leader counts its own copy before it is on its disk",
    source="Raft section 5.3, dissertation 10.2.1; d-engine#447, goraft#150",
    needs=("disk stall", "partition"),
    judge="commit quorum",
)
def count_own_unsynced() -> None:
    """A leader counts itself among those that hold an entry from the moment it has it in memory. Then a majority is one
    disk short, and a single power cut takes what was committed.
    """
    append = replication.append_own

    def hasty(raft: Raft, entry: Entry) -> int:
        raft.durable.index = append(raft, entry)
        return raft.durable.index

    replace(replication, "append_own", hasty)


@mutant(
    "B38",
    "the log written without a sync",
    source="Raft Figure 2; PySyncObj#84, dragonboat#201",
    needs=("power cut",),
    judge="restored as written",
    trap=power_cut_at_its_worst,
)
def append_without_sync() -> None:
    """What is written is called durable while it may be in the page cache alone. A killed process loses nothing, which
    is why it goes unnoticed; a power cut takes all of it.
    """

    def append(segment: Segment, payload: bytes) -> None:
        frame = frames.encode(payload, segment.number, segment._offset)
        segment._file.pwrite(frame, segment._offset)
        segment._offset += len(frame)

    replace(Segment, "append", append)


@mutant(
    "B39",
    "a single voter applies what is not durable yet",
    source="etcd#14370, etcd#10508",
    needs=("disk stall",),
    judge="commit quorum",
)
def apply_before_durable() -> None:
    """A server that is alone needs nobody to agree, so it takes for committed, applies and answers what it has just
    handed to its disk. The client has its answer, and a crash takes the write.
    """
    propose = Raft.propose

    def hasty(raft: Raft, data: bytes, kind: int = COMMAND) -> tuple[int, int]:
        index, term = propose(raft, data, kind)
        if raft.config.voters == (raft.id,):
            raft.durable.index = index
            replication.advance_commit(raft, raft.heartbeat_deadline)
        return index, term

    replace(Raft, "propose", hasty)


@mutant(
    "B40",
    "a failed sync swallowed",
    source="rostam#94; Rebello et al., USENIX ATC 2020",
    needs=("disk failure", "power cut"),
    judge="restored as written",
    trap=a_sync_fails,
)
def sync_error_swallowed() -> None:
    """A write or sync fails, and the server goes on as if it had not. It acknowledges what its disk does not hold."""
    append = Segment.append

    def careless(segment: Segment, payload: bytes) -> None:
        with suppress(OSError):
            append(segment, payload)

    replace(Segment, "append", careless)


@mutant(
    "B40",
    "a failed sync tried again",
    source="PostgreSQL's fsyncgate, 2018; Rebello et al., USENIX ATC 2020",
    needs=("disk failure", "power cut"),
    judge="restored as written",
    trap=a_sync_fails,
)
def sync_tried_again() -> None:
    """A sync fails and is repeated, and the second one succeeds: the kernel had called the pages clean after the first,
    and had nothing left to write.
    """
    append = Segment.append

    def stubborn(segment: Segment, payload: bytes) -> None:
        try:
            append(segment, payload)
        except OSError:
            segment._file.sync()
            segment._offset += frames.size(len(payload))

    replace(Segment, "append", stubborn)


@mutant(
    "B41",
    "entries written before the term they are of",
    source="Raft Figure 2; openraft, docs/protocol/io_ordering.md",
    needs=("power cut within a write",),
    judge="restored as written",
)
def entries_before_term() -> None:
    """Entries of a new term are durable before that term is. After a crash in between, a server holds entries of a term
    that it does not know of, and may follow and elect servers of a term that it had left.
    """
    append: Any = Wal._append_frame

    def in_two(wal: Wal, writes: Sequence[Write]) -> None:
        for write in writes:
            if write.hard is not None and write.entries:
                append(wal, [changed(write, hard=None)])
                append(wal, [Write(write.seq, write.hard)])
            else:
                append(wal, [write])

    replace(Wal, "_append_frame", in_two)


@mutant(
    "B45",
    "cutting and appending are two writes",
    source="Raft section 5.3; hashicorp/raft#113 and raft.go:1564",
    needs=("duplicate", "power cut within a write"),
    judge="restored as written",
)
def rewrite_in_parts() -> None:
    """A follower writes whatever an Append brings, what it has already too: it cuts its log and writes the entries one
    by one. All is as before when it has finished; a power cut on the way takes what it had acknowledged long ago.
    """
    take: Any = replication._take
    append: Any = Wal._append_frame

    def rewrite(raft: Raft, message: Append) -> Any:
        prev, end = message.prev_index, message.prev_index + len(message.entries)
        if prev >= raft.commit and raft.log.term_at(prev) == message.prev_term and end >= raft.log.last_index > prev:
            raft.append(prev + 1, message.entries)
        return take(raft, message)

    def one_by_one(wal: Wal, writes: Sequence[Write]) -> None:
        for write in writes:
            append(wal, [changed(write, entries=write.entries[:1])])
            for index, entry in enumerate(write.entries[1:], write.first_index + 1):
                append(wal, [Write(write.seq, None, index, [entry])])

    replace(replication, "_take", rewrite)
    replace(Wal, "_append_frame", one_by_one)


@mutant(
    "B38",
    "the name of a new file not synced",
    source="Pillai et al., OSDI 2014",
    needs=("power cut",),
    judge="restored as written",
    trap=power_cut_after_a_new_file,
)
def new_name_not_synced() -> None:
    """When a file of the log is full a new one is begun, its content is synced, its directory is not. After a power cut
    there is no such file, and all that was written to it is gone with its name.
    """

    whole = files.publish

    def publish(directory: Directory, name: str, content: bytes, size: int = 0) -> None:
        if number_of(name) is None:
            whole(directory, name, content, size)
            return
        file = directory.create(name + files.TEMPORARY, size)
        try:
            file.pwrite(content, 0)
            file.sync()
        finally:
            file.close()
        directory.rename(name + files.TEMPORARY, name)

    replace(files, "publish", publish)
