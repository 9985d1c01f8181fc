"""What may be said, to peers and to clients, and what must be remembered."""

from __future__ import annotations

from raftsim.core.entry import NOOP, Entry, HardState, Restored, bootstrapped
from raftsim.core.messages import Append, AppendReply, Vote, VoteReply
from raftsim.core.output import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE
from raftsim.node.requests import Command, Outcome, Query
from raftsim.trace.events import ERROR, OUTCOME, READ, REQUEST
from tests.check.story import TRIO, Story, breaks, command, keeps, meta


@breaks("durable before send")
def vote_told_before_it_is_durable(story: Story) -> None:
    story.role("n2", FOLLOWER, 1)
    story.write("n2", (1, "n1"))
    story.send(VoteReply(1, "n2", "n1", granted=True))


@breaks("durable before send")
def entry_acknowledged_before_it_is_durable(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.write("n2", None, 2, Entry(1, NOOP))
    story.send(AppendReply(1, "n2", "n1", ok=True, index=2))


@breaks("durable before send")
def candidate_asks_before_its_own_vote_is_durable(story: Story) -> None:
    story.role("n1", CANDIDATE, 1)
    story.write("n1", (1, "n1"))
    story.ask("n1", 1, "n2")


@breaks("durable before send")
def candidate_claims_entries_that_are_not_durable(story: Story) -> None:
    story.stand("n1", 1)
    story.write("n1", None, 2, command(1))
    story.send(Vote(1, "n1", "n2", 2, 1))


@keeps
def pre_vote_promises_nothing(story: Story) -> None:
    story.role("n1", PRE_CANDIDATE, 0)
    story.send(Vote(1, "n1", "n2", 1, 0, pre=True))
    story.send(VoteReply(1, "n2", "n1", granted=True, pre=True))


@breaks("message sanity")
def append_from_one_who_does_not_lead(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.send(Append(1, "n2", "n3", 1, 0))


@breaks("message sanity")
def message_of_a_term_not_reached(story: Story) -> None:
    story.send(VoteReply(3, "n2", "n1", granted=False))


@breaks("message sanity")
def commit_index_not_reached(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.send(Append(1, "n1", "n2", 2, 1, [], commit=2))


@breaks("message sanity")
def previous_term_made_up(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.send(Append(1, "n1", "n2", 2, 0))


@keeps
def late_append_of_a_deposed_leader(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.role("n1", FOLLOWER, 2)
    story.send(Append(1, "n1", "n2", 2, 1))


@breaks("read index")
def read_confirmed_below_what_was_committed(story: Story) -> None:
    story.lead_and_commit()
    story.tell("n1", REQUEST, (7, Query(("get",))))
    story.tell("n1", READ, (7, 1))


@breaks("read index")
def read_answered_before_it_was_applied(story: Story) -> None:
    story.lead_and_commit()
    story.tell("n1", REQUEST, (7, Query(("get",))))
    story.tell("n1", READ, (7, 2))
    story.tell("n1", OUTCOME, (7, Outcome("ok")))


@keeps
def stale_read(story: Story) -> None:
    story.lead_and_commit()
    story.tell("n3", REQUEST, (7, Query(("get",), stale=True)))
    story.tell("n3", OUTCOME, (7, Outcome("ok")))


@keeps
def linearizable_read(story: Story) -> None:
    story.lead_and_commit()
    story.apply("n1", 1)
    story.tell("n1", REQUEST, (7, Query(("get",))))
    story.tell("n1", READ, (7, 2))
    story.apply("n1", 2)
    story.tell("n1", OUTCOME, (7, Outcome("ok")))


@breaks("restored as written")
def durable_entry_missing_after_a_restart(story: Story) -> None:
    story.write("n1", None, 2, command(1))
    story.sync("n1")
    story.crash("n1")
    story.start("n1", bootstrapped(TRIO))


@breaks("restored as written")
def durable_term_missing_after_a_restart(story: Story) -> None:
    story.write("n1", (1, None))
    story.crash("n1")
    story.start("n1", bootstrapped(TRIO))


@keeps
def lost_write_missing_after_a_restart(story: Story) -> None:
    story.write("n1", (1, None))
    story.write("n1", None, 2, command(1))
    story.crash("n1", 1)
    story.start("n1", Restored(HardState(1, None), bootstrapped(TRIO).entries))


@breaks("durability")
def acknowledged_without_being_applied(story: Story) -> None:
    story.tell("n1", REQUEST, (7, Command(b"put")))
    story.tell("n1", OUTCOME, (7, Outcome("ok")))


@breaks("bounded queues")
def leader_takes_more_than_it_may(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.lead_write("n1", command(1, b"12345"), command(1, b"1234567"))


@keeps
def leader_takes_more_when_some_is_committed(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.lead_write("n1", command(1, b"12345"))
    story.replicate("n1", "n2", 1, 2)
    story.commit("n1", 3, LEADER)
    story.lead_write("n1", command(1, b"1234567"))


@keeps
def follower_takes_what_two_leaders_could_not_commit(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.lead_write("n1", command(1, b"1234567"))
    story.replicate("n1", "n2", 1, 2)
    story.elect("n2", 2, "n3")
    story.write("n3", (2, "n2"), 2, *story.logs["n2"][1:], command(2, b"1234567"))


@keeps
def leader_that_was_restarted_from_a_snapshot_of_what_its_log_still_has(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.lead_write("n1", command(1, b"1234567"))
    story.replicate("n1", "n2", 1, 2)
    story.commit("n1", 3, LEADER)
    story.commit("n2", 3)
    for index in (1, 2, 3):
        story.apply("n2", index)
    story.snapshot("n2", meta(3, 1))
    story.crash("n2")
    story.start("n2", Restored(HardState(1, "n1"), story.logs["n2"], snapshot=meta(3, 1)))
    story.restore("n2", meta(3, 1))
    story.elect("n2", 2, "n1")
    story.lead_write("n2", command(2, b"1234567"))


@keeps
def leader_that_had_heard_of_the_commit_before_it_wrote(story: Story) -> None:
    story.elect("n1", 1, "n2")
    story.lead_write("n1", command(1, b"1234567"))
    story.replicate("n1", "n3", 1, 2)
    story.commit("n1", 3, LEADER)
    story.commit("n2", 3)
    story.replicate("n1", "n2", 1, 2)
    story.elect("n2", 2, "n1")
    story.lead_write("n2", command(2, b"1234567"))


@breaks("bounded queues")
def more_requests_than_a_server_may_work_on(story: Story) -> None:
    for number in range(4):
        story.tell("n1", REQUEST, (number, Command(b"put")))


@keeps
def request_that_is_refused_because_there_are_too_many(story: Story) -> None:
    for number in range(3):
        story.tell("n1", REQUEST, (number, Command(b"put")))
    story.tell("n1", OUTCOME, (2, Outcome("refused")))
    story.tell("n1", REQUEST, (3, Command(b"put")))


@breaks("no exception")
def server_fails(story: Story) -> None:
    story.tell("n1", ERROR, "AssertionError: index 3")
