"""How leadership is handed over."""

from __future__ import annotations

from raftsim.core.config import LEARNER, Change, simple
from raftsim.core.entry import NOOP, Entry
from raftsim.core.messages import TimeoutNow, Vote
from raftsim.core.output import FOLLOWER
from raftsim.node.requests import REFUSED, TIMED_OUT, TRANSFERRING, Outcome, TransferLeadership
from raftsim.trace.events import OUTCOME, REQUEST
from tests.check.story import TRIO, Story, breaks, command, keeps


@breaks("leadership transfer")
def told_to_stand_with_an_incomplete_log(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.send(TimeoutNow(1, "n1", "n2"))


@breaks("leadership transfer")
def non_voter_told_to_stand(story: Story) -> None:
    story.lead_and_commit()
    story.change("n1", simple(TRIO, [Change(LEARNER, "n4", "n4")]), "n4")
    story.send(TimeoutNow(1, "n1", "n4"))


@breaks("message sanity")
def told_to_stand_by_one_who_does_not_lead(story: Story) -> None:
    story.lead_and_commit()
    story.send(TimeoutNow(1, "n2", "n1"))


@breaks("leadership transfer")
def leader_writes_while_it_hands_over(story: Story) -> None:
    _hand_over(story)
    story.lead_write("n1", command(1))


@breaks("leadership transfer")
def leader_writes_because_another_transfer_was_refused(story: Story) -> None:
    _hand_over(story)
    story.tell("n1", REQUEST, (8, TransferLeadership(id="n3")))
    story.tell("n1", OUTCOME, (8, Outcome(REFUSED, reason=TRANSFERRING)))
    story.lead_write("n1", command(1))


@keeps
def transfer_given_up(story: Story) -> None:
    _hand_over(story)
    story.tell("n1", OUTCOME, (7, Outcome(REFUSED, reason=TIMED_OUT)))
    story.lead_write("n1", command(1))


@keeps
def transfer_given_up_in_a_turn_that_writes(story: Story) -> None:
    _hand_over(story)
    story.write("n1", None, 3, Entry(1, NOOP))
    story.tell("n1", OUTCOME, (7, Outcome(REFUSED, reason=TIMED_OUT)))
    story.sync("n1")


@keeps
def transfer_to_a_voter(story: Story) -> None:
    _hand_over(story)
    story.stand("n2", 2)
    story.send(Vote(2, "n2", "n1", 2, 1, force=True))
    story.grant("n1", 2, "n2")
    story.role("n2", "leader", 2)
    story.lead_write("n2", Entry(2, NOOP))


@keeps
def late_word_of_a_deposed_leader(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.elect("n3", 2, "n2")
    story.role("n1", FOLLOWER, 2)
    story.send(TimeoutNow(1, "n1", "n2"))


@breaks("leadership transfer")
def votes_asked_for_with_force_on_its_own(story: Story) -> None:
    story.stand("n2", 1)
    story.send(Vote(1, "n2", "n1", 1, 0, force=True))


def _hand_over(story: Story) -> None:
    story.lead_and_commit()
    story.tell("n1", REQUEST, (7, TransferLeadership(id="n2")))
    story.send(TimeoutNow(1, "n1", "n2"))
