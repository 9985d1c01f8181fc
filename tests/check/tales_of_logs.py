"""What may happen to a log, and what may be committed."""

from __future__ import annotations

from raftsim.core.entry import NOOP, Entry, HardState, Restored, bootstrapped
from raftsim.core.output import FOLLOWER, LEADER
from tests.check.story import TRIO, Story, breaks, command, keeps


@breaks("leader append-only")
def leader_cuts_its_log(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.write("n1", None, 2, Entry(1, NOOP))


@keeps
def follower_cuts_what_was_never_committed(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.elect("n3", 2, "n2")
    story.role("n1", FOLLOWER, 2)
    story.write("n1", (2, None))
    story.replicate("n3", "n1", 2, 2)


@breaks("log matching")
def two_entries_of_one_term_at_one_index(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.write("n2", None, 2, command(1))


@breaks("log matching")
def same_entry_after_different_ones(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.lead_write("n1", command(2))
    story.write("n2", None, 2, command(0), command(2))


@breaks("committed is immutable")
def committed_entry_replaced(story: Story) -> None:
    story.lead_and_commit()
    story.write("n1", (2, None))
    story.role("n1", FOLLOWER, 2)
    story.write("n1", None, 2, command(2))


@breaks("committed is immutable")
def committed_entry_cut_behind_an_equal_one(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.lead_write("n1", command(1))
    story.replicate("n1", "n2", 1, 2)
    story.replicate("n1", "n3", 1, 2)
    story.commit("n1", 3, LEADER)
    story.write("n3", None, 2, Entry(1, NOOP))


@keeps
def committed_entries_written_again(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.lead_write("n1", command(1))
    story.replicate("n1", "n2", 1, 2)
    story.commit("n1", 3, LEADER)
    story.replicate("n1", "n2", 1, 2)


@breaks("state machine safety")
def different_entries_applied(story: Story) -> None:
    story.lead_and_commit()
    story.apply("n1", 1)
    story.apply("n1", 2)
    story.write("n3", None, 2, command(0))
    story.commit("n3", 2)
    story.apply("n3", 1)
    story.apply("n3", 2)


@keeps
def equal_entries_applied_in_two_lives(story: Story) -> None:
    story.lead_and_commit()
    story.apply("n2", 1)
    story.crash("n2")
    story.start("n2", Restored(HardState(1, "n1"), [*bootstrapped(TRIO).entries, Entry(1, NOOP)]))
    story.commit("n2", 2)
    story.apply("n2", 1)
    story.apply("n2", 2)


@breaks("commit quorum")
def committed_by_the_leader_alone(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.commit("n1", 2, LEADER)


@breaks("commit quorum")
def copies_that_are_not_durable_counted(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.write("n2", None, 2, Entry(1, NOOP))
    story.commit("n1", 2, LEADER)


@breaks("commit quorum")
def entry_of_an_older_term_committed_by_counting(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.replicate("n1", "n2", 1, 2)
    story.elect("n1", 2, "n2")
    story.commit("n1", 2, LEADER, 2)


@breaks("commit quorum")
def follower_runs_ahead_of_all_leaders(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.commit("n2", 1)


@keeps
def opening_entry_carries_an_older_one(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.replicate("n1", "n2", 1, 2)
    story.elect("n1", 2, "n2")
    story.replicate("n1", "n2", 2, 3)
    story.commit("n1", 3, LEADER, 2)


@breaks("committed is durable")
def leader_commits_before_its_own_disk(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.write("n1", None, 3, command(1))
    story.replicate("n1", "n2", 1, 2)
    story.replicate("n1", "n3", 1, 2)
    story.commit("n1", 3, LEADER)


@breaks("ordering")
def term_falls(story: Story) -> None:
    story.role("n1", FOLLOWER, 2)
    story.role("n1", FOLLOWER, 1)


@breaks("ordering")
def durable_term_falls(story: Story) -> None:
    story.write("n1", (2, None))
    story.write("n1", (1, None))


@breaks("ordering")
def commit_index_falls(story: Story) -> None:
    story.lead_and_commit()
    story.commit("n2", 1)


@breaks("ordering")
def entry_skipped(story: Story) -> None:
    story.lead_and_commit()
    story.apply("n1", 2)


@breaks("ordering")
def applied_before_it_is_committed(story: Story) -> None:
    story.lead_and_commit()
    story.write("n3", None, 2, Entry(1, NOOP))
    story.apply("n3", 1)


@breaks("ordering")
def gap_in_the_log(story: Story) -> None:
    story.write("n1", None, 3, command(1))
