"""What a snapshot may stand for, and what it does to a log."""

from __future__ import annotations

from raftsim.core.config import of
from raftsim.core.entry import NOOP, Entry, HardState, Restored, bootstrapped
from raftsim.core.messages import Install, InstallReply
from raftsim.core.output import FOLLOWER
from tests.check.story import TRIO, Story, breaks, keeps, meta

PAIR = of("n1", "n2")


@breaks("snapshots are committed")
def snapshot_of_what_was_never_committed(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.receive("n3", meta(2, 1))
    story.snapshot("n3", meta(2, 1))


@breaks("snapshots are committed")
def snapshot_of_another_term(story: Story) -> None:
    story.lead_and_commit()
    story.receive("n3", meta(2, 2))
    story.snapshot("n3", meta(2, 2))


@breaks("snapshots are committed")
def snapshot_with_a_configuration_that_is_not_committed(story: Story) -> None:
    _applied_everywhere(story)
    story.change("n1", PAIR)
    story.snapshot("n1", meta(2, 1, PAIR, 3))


@breaks("equal snapshots")
def different_states_at_one_index(story: Story) -> None:
    _applied_everywhere(story)
    story.snapshot("n1", meta(2, 1), "bytes")
    story.snapshot("n2", meta(2, 1), "other bytes")


@keeps
def equal_states_at_one_index(story: Story) -> None:
    _applied_everywhere(story)
    story.snapshot("n1", meta(2, 1))
    story.snapshot("n2", meta(2, 1))


@breaks("ordering")
def snapshot_of_what_is_not_applied(story: Story) -> None:
    story.lead_and_commit()
    story.apply("n1", 1)
    story.snapshot("n1", meta(2, 1))


@breaks("ordering")
def older_snapshot_over_a_newer_state(story: Story) -> None:
    _applied_everywhere(story)
    story.restore("n1", meta(1, 0))


@breaks("ordering")
def state_restored_before_it_is_committed(story: Story) -> None:
    story.lead_and_commit()
    story.restore("n3", meta(2, 1))


@breaks("ordering")
def log_begins_behind_the_snapshot(story: Story) -> None:
    story.lead_and_commit()
    story.start("n4", Restored(HardState(1, None), [], 2, 1, meta(1, 0)))


@breaks("durable before send")
def snapshot_acknowledged_before_it_is_durable(story: Story) -> None:
    story.lead_and_commit()
    story.role("n3", FOLLOWER, 1)
    story.receive("n3", meta(2, 1))
    story.send(InstallReply(1, "n3", "n1", 2, 5, done=True))


@breaks("message sanity")
def snapshot_sent_that_is_not_committed(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.send(Install(1, "n1", "n3", meta(2, 1), 0, b"bytes", last=True))


@breaks("message sanity")
def snapshot_from_one_who_does_not_lead(story: Story) -> None:
    _applied_everywhere(story)
    story.send(Install(1, "n2", "n3", meta(2, 1), 0, b"bytes", last=True))


@keeps
def follower_goes_on_behind_an_installed_snapshot(story: Story) -> None:
    _applied_everywhere(story)
    story.snapshot("n1", meta(2, 1))
    story.send(Install(1, "n1", "n3", meta(2, 1), 0, b"bytes", last=True))
    story.role("n3", FOLLOWER, 1)
    story.install("n1", "n3", meta(2, 1))
    story.send(InstallReply(1, "n3", "n1", 2, 5, done=True))
    story.lead_write("n1", Entry(1, NOOP))
    story.replicate("n1", "n3", 1, 3)
    story.commit("n1", 3, "leader")
    story.commit("n3", 3)
    story.apply("n3", 3)


@breaks("configuration safety")
def configuration_of_the_snapshot_not_in_force(story: Story) -> None:
    _applied_everywhere(story)
    index = story.change("n1", PAIR, "n2")
    story.commit("n1", index, "leader")
    story.install("n1", "n3", meta(index, 1, PAIR, index))


@breaks("restored as written")
def snapshot_missing_after_a_restart(story: Story) -> None:
    _applied_everywhere(story)
    story.snapshot("n1", meta(2, 1))
    story.crash("n1")
    story.start("n1", Restored(HardState(1, "n1"), [*bootstrapped(TRIO).entries, Entry(1, NOOP)]))


@breaks("restored as written")
def entry_behind_the_snapshot_missing_after_a_restart(story: Story) -> None:
    _applied_everywhere(story)
    story.snapshot("n1", meta(2, 1))
    story.lead_write("n1", Entry(1, NOOP))
    story.crash("n1")
    story.start("n1", Restored(HardState(1, "n1"), [], 2, 1, meta(2, 1)))


@keeps
def restart_from_a_snapshot_and_what_is_behind_it(story: Story) -> None:
    _applied_everywhere(story)
    story.snapshot("n1", meta(2, 1))
    story.lead_write("n1", Entry(1, NOOP))
    story.crash("n1")
    story.start("n1", Restored(HardState(1, "n1"), [Entry(1, NOOP), Entry(1, NOOP)], 1, 0, meta(2, 1)))
    story.restore("n1", meta(2, 1))


@keeps
def a_crash_between_a_record_and_its_chunk(story: Story) -> None:
    """The last chunk is behind the record of its write; a crash that keeps the record may lose the chunk."""
    _applied_everywhere(story)
    story.write("n3", (1, None), 2, Entry(1, NOOP))
    story.sync("n3")
    for found in (None, meta(2, 1)):
        story.receive("n3", meta(2, 1))
        story.crash("n3")
        log = [*bootstrapped(TRIO).entries, Entry(1, NOOP)]
        story.start("n3", Restored(HardState(1), log, snapshot=found))


@breaks("restored as written")
def chunk_missing_that_was_durable(story: Story) -> None:
    _applied_everywhere(story)
    story.write("n3", (1, None), 2, Entry(1, NOOP))
    story.sync("n3")
    story.receive("n3", meta(2, 1))
    story.sync("n3")
    story.crash("n3")
    story.start("n3", Restored(HardState(1), [*bootstrapped(TRIO).entries, Entry(1, NOOP)]))


@breaks("restored as written")
def contradicting_entry_survives_the_snapshot(story: Story) -> None:
    _contradicted(story)
    log = [*bootstrapped(TRIO).entries, Entry(1, NOOP)]
    story.start("n3", Restored(HardState(2, None), log, snapshot=meta(2, 2)))


@keeps
def contradicting_entry_gives_way_to_the_snapshot(story: Story) -> None:
    _contradicted(story)
    story.start("n3", Restored(HardState(2, None), [], 2, 2, meta(2, 2)))


@keeps
def saved_snapshot_overtakes_the_write_of_its_term(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.replicate("n1", "n2", 1, 2)
    story.commit("n1", 2, "leader")
    story.role("n3", FOLLOWER, 1)
    story.write("n3", (1, None), 2, Entry(1, NOOP))
    story.commit("n3", 2)
    story.apply("n3", 1)
    story.apply("n3", 2)
    story.snapshot("n3", meta(2, 1))
    story.crash("n3", 0)
    story.start("n3", Restored(HardState(1, None), [], 2, 1, meta(2, 1)))


def _applied_everywhere(story: Story) -> None:
    """Index 2 is committed, and applied by n1 and n2."""
    story.lead_and_commit()
    for name in ("n1", "n2"):
        story.apply(name, 1)
        story.apply(name, 2)


def _contradicted(story: Story) -> None:
    """n3 holds its own entry at index 2; another one is committed, and n3 has received a snapshot of it."""
    story.elect("n3", 1, "n2")
    story.elect("n1", 2, "n2")
    story.replicate("n1", "n2", 2, 2)
    story.commit("n1", 2, "leader", 2)
    story.role("n3", FOLLOWER, 2)
    story.write("n3", (2, None))
    story.receive("n3", meta(2, 2))
    story.sync("n3")
    story.crash("n3")
