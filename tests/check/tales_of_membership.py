"""How the membership may change."""

from __future__ import annotations

from raftsim.core.config import LEARNER, REMOVE, VOTER, Change, enter_joint, leave_joint, of, simple
from raftsim.core.entry import NOOP, Entry
from raftsim.core.output import FOLLOWER, LEADER, PRE_CANDIDATE
from tests.check.story import TRIO, Story, breaks, config, keeps

WITH_LEARNER = simple(TRIO, [Change(LEARNER, "n4", "n4")])
# n1 stays, n4 and n5 take the places of n2 and n3
JOINT = enter_joint(
    TRIO, [Change(REMOVE, "n2"), Change(REMOVE, "n3"), Change(VOTER, "n4", "n4"), Change(VOTER, "n5", "n5")]
)


@breaks("configuration safety")
def two_changes_at_once(story: Story) -> None:
    story.lead_and_commit()
    for index, voters in ((3, ("n1", "n2")), (4, ("n1",))):
        story.config("n1", index, of(*voters))
        story.lead_write("n1", config(1, *voters))


@breaks("configuration safety")
def change_before_a_commit_in_the_own_term(story: Story) -> None:
    story.lead_and_commit()
    story.elect("n1", 2, "n2")
    story.config("n1", 4, of("n1", "n2"))
    story.lead_write("n1", config(2, "n1", "n2"))


@breaks("configuration safety")
def two_voters_changed_at_once(story: Story) -> None:
    story.lead_and_commit()
    story.config("n1", 3, of("n1"))
    story.lead_write("n1", config(1, "n1"))


@breaks("configuration safety")
def configuration_not_rolled_back(story: Story) -> None:
    story.config("n2", 2, of("n1", "n2"))
    story.write("n2", None, 2, config(1, "n1", "n2"))
    story.write("n2", None, 2, Entry(2, NOOP))


@keeps
def configuration_rolled_back(story: Story) -> None:
    story.config("n2", 2, of("n1", "n2"))
    story.write("n2", None, 2, config(1, "n1", "n2"))
    story.config("n2", 1, TRIO)
    story.write("n2", None, 2, Entry(2, NOOP))


@keeps
def two_voters_replaced_through_a_joint_configuration(story: Story) -> None:
    story.lead_and_commit()
    index = story.change("n1", JOINT, "n2", "n4")
    story.commit("n1", index, LEADER)
    index = story.change("n1", leave_joint(JOINT), "n4")
    story.commit("n1", index, LEADER)


@breaks("configuration safety")
def joint_configuration_that_leaves_out_an_old_voter(story: Story) -> None:
    story.lead_and_commit()
    story.change("n1", enter_joint(of("n1", "n2"), [Change(REMOVE, "n2"), Change(VOTER, "n4", "n4")]))


@breaks("configuration safety")
def joint_configuration_left_for_other_voters(story: Story) -> None:
    story.lead_and_commit()
    index = story.change("n1", JOINT, "n2", "n4")
    story.commit("n1", index, LEADER)
    story.change("n1", of("n1", "n4"))


@breaks("configuration safety")
def joint_configuration_left_before_it_is_committed(story: Story) -> None:
    story.lead_and_commit()
    story.change("n1", JOINT, "n2", "n4")
    story.change("n1", leave_joint(JOINT))


@breaks("commit quorum")
def only_the_old_half_counted(story: Story) -> None:
    story.lead_and_commit()
    story.commit("n1", story.change("n1", JOINT, "n2"), LEADER)


@breaks("commit quorum")
def only_the_new_half_counted(story: Story) -> None:
    story.lead_and_commit()
    story.commit("n1", story.change("n1", JOINT, "n4"), LEADER)


@breaks("commit quorum")
def copy_of_a_non_voter_counted(story: Story) -> None:
    story.lead_and_commit()
    story.commit("n1", story.change("n1", WITH_LEARNER, "n4"), LEADER)


@keeps
def non_voter_added_and_made_a_voter(story: Story) -> None:
    story.lead_and_commit()
    story.commit("n1", story.change("n1", WITH_LEARNER, "n2", "n4"), LEADER)
    voters = simple(WITH_LEARNER, [Change(VOTER, "n4")])
    story.commit("n1", story.change("n1", voters, "n2", "n4"), LEADER)


@breaks("voters only")
def elected_by_the_new_half_alone(story: Story) -> None:
    _joint_in_term_one(story)
    story.stand("n1", 2)
    for voter in ("n4", "n5"):
        story.ask("n1", 2, voter)
        story.grant(voter, 2, "n1")
    story.role("n1", LEADER, 2)


@keeps
def elected_by_both_halves(story: Story) -> None:
    _joint_in_term_one(story)
    story.stand("n1", 2)
    for voter in ("n2", "n4"):
        story.ask("n1", 2, voter)
        story.grant(voter, 2, "n1")
    story.role("n1", LEADER, 2)


@breaks("voters only")
def vote_of_a_non_voter_counted(story: Story) -> None:
    story.lead_and_commit()
    story.change("n1", WITH_LEARNER, "n4")
    story.role("n1", FOLLOWER, 1)
    story.stand("n1", 2)
    story.ask("n1", 2, "n4")
    story.grant("n4", 2, "n1")
    story.role("n1", LEADER, 2)


@breaks("voters only")
def non_voter_stands(story: Story) -> None:
    story.lead_and_commit()
    story.change("n1", WITH_LEARNER, "n4")
    story.role("n4", PRE_CANDIDATE, 1)


def _joint_in_term_one(story: Story) -> None:
    story.lead_and_commit()
    story.change("n1", JOINT, "n2", "n4", "n5")
    story.role("n1", FOLLOWER, 1)
