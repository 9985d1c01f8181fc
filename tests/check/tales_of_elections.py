"""Who may vote, stand and lead."""

from __future__ import annotations

from raftsim.core.config import of
from raftsim.core.entry import HardState, Restored, bootstrapped
from raftsim.core.messages import VoteReply
from raftsim.core.output import FOLLOWER, LEADER, PRE_CANDIDATE
from raftsim.trace.events import CRASH, WIPE
from tests.check.story import TRIO, Story, breaks, config, keeps


@breaks("election safety")
def two_leaders_in_a_term(story: Story) -> None:
    story.elect("n1", 1, "n2")
    # a server nobody knew, which believes to be the only voter
    story.start("n4", Restored(HardState(), [*bootstrapped(TRIO).entries, config(0, "n4")]))
    story.stand("n4", 1)
    story.role("n4", LEADER, 1)


@keeps
def two_leaders_in_two_terms(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.elect("n3", 2, "n2")


@breaks("one vote per term")
def vote_changed_in_a_term(story: Story) -> None:
    story.grant("n2", 1, "n1")
    story.write("n2", (1, "n3"))


@breaks("one vote per term")
def two_votes_told_of(story: Story) -> None:
    story.grant("n2", 1, "n1")
    story.role("n2", FOLLOWER, 2)
    story.write("n2", (2, None))
    story.sync("n2")
    story.send(VoteReply(1, "n2", "n3", granted=True))


@keeps
def vote_repeated_after_a_restart(story: Story) -> None:
    story.grant("n2", 1, "n1")
    story.crash("n2")
    story.start("n2", Restored(HardState(1, "n1"), bootstrapped(TRIO).entries))
    story.send(VoteReply(1, "n2", "n1", granted=True))


@keeps
def vote_that_nobody_heard_of_is_lost_and_cast_anew(story: Story) -> None:
    story.write("n2", (1, "n1"))
    story.crash("n2", 0)
    story.start("n2", bootstrapped(TRIO))
    story.grant("n2", 1, "n3")


@breaks("voters only")
def too_few_votes(story: Story) -> None:
    story.stand("n1", 1)
    story.role("n1", LEADER, 1)


@breaks("voters only")
def vote_of_a_stranger_counted(story: Story) -> None:
    story.start("n4", Restored())
    story.stand("n1", 1)
    story.grant("n4", 1, "n1")
    story.role("n1", LEADER, 1)


@breaks("voters only")
def removed_server_stands(story: Story) -> None:
    _remove_leader(story)
    story.commit("n1", 3, LEADER)
    story.role("n1", FOLLOWER, 1)
    story.role("n1", PRE_CANDIDATE, 1)


@keeps
def server_stands_while_its_removal_is_not_committed(story: Story) -> None:
    _remove_leader(story)
    story.role("n1", FOLLOWER, 1)
    story.role("n1", PRE_CANDIDATE, 1)


def _remove_leader(story: Story) -> None:
    story.lead_and_commit()
    story.config("n1", 3, of("n2", "n3"))
    story.lead_write("n1", config(1, "n2", "n3"))
    for follower, first in (("n2", 3), ("n3", 2)):
        story.config(follower, 3, of("n2", "n3"))
        story.replicate("n1", follower, 1, first)


@breaks("up-to-date votes")
def vote_for_a_shorter_log(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.replicate("n1", "n2", 1, 2)
    story.stand("n3", 2)
    story.ask("n3", 2, "n2")
    story.grant("n2", 2, "n3")


@keeps
def vote_for_oneself_in_a_term_in_which_a_lost_disk_had_stood_with_less(story: Story) -> None:
    story.stand("n3", 2)
    story.ask("n3", 2, "n2")
    story.tell("n3", CRASH, story.seqs["n3"])
    story.tell("n3", WIPE, None)
    story.start("n3", Restored(HardState(), bootstrapped(TRIO).entries))
    story.elect("n1", 1, "n2")
    story.replicate("n1", "n3", 1, 2)
    story.stand("n3", 2)


@keeps
def vote_for_an_equal_log(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.replicate("n1", "n2", 1, 2)
    story.replicate("n1", "n3", 1, 2)
    story.elect("n3", 2, "n2")


@keeps
def a_wiped_server_stands_again_in_a_term_in_which_it_had_asked(story: Story) -> None:
    story.stand("n1", 2)
    story.ask("n1", 2, "n2")
    story.crash("n1")
    story.tell("n1", WIPE, None)
    story.start("n1", bootstrapped(TRIO))
    story.elect("n3", 1, "n2")
    story.replicate("n3", "n1", 1, 2)
    story.stand("n1", 2)  # with a longer log than it had then


@breaks("leader completeness")
def leader_without_a_committed_entry(story: Story) -> None:
    story.lead_and_commit()
    story.stand("n3", 2)
    story.grant("n2", 2, "n3")
    story.role("n3", LEADER, 2)


@keeps
def late_leader_of_an_earlier_term(story: Story) -> None:
    story.stand("n3", 1)
    story.ask("n3", 1, "n2")
    story.grant("n2", 1, "n3")  # and the reply is long on its way
    story.elect("n1", 2, "n2")
    story.replicate("n1", "n2", 2, 2)
    story.commit("n1", 2, LEADER, 2)
    story.role("n3", LEADER, 1)
