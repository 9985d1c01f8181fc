"""Every message a correct server may send, as hypothesis strategies."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from raftsim.core.config import LEARNER, REMOVE, VOTER, Change, Server, enter_joint, initial
from raftsim.core.entry import COMMAND, CONFIG, NOOP, RESTORE_STEP, Entry, SnapshotMeta
from raftsim.core.messages import Append, AppendReply, Hail, Install, InstallReply, TimeoutNow, Vote, VoteReply
from raftsim.node.ports import PeerMessage, Ping
from raftsim.node.requests import (
    ChangeMembership,
    Command,
    Outcome,
    Query,
    ReadMembership,
    Relay,
    RelayReply,
    RemovePeer,
    Request,
    RestoreStep,
    TransferLeadership,
)

numbers = st.integers(0, (1 << 63) - 1)
ids = st.text(min_size=1, max_size=20)
texts = st.text(max_size=20) | st.just("\udcff")  # half a surrogate pair, as undecodable input leaves it
datas = st.binary(max_size=50)

scalars = (
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | st.floats(allow_nan=False) | texts | datas
)
plain: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)

_three = initial(Server(id, f"127.0.0.1:{port}") for id, port in (("n1", 4647), ("n2", 4657), ("n3", 4667)))
_replaced = [Change(VOTER, "n4", "127.0.0.1:4677", incarnation=7), Change(LEARNER, "n1", returning=True)]
configs = st.sampled_from([_three, enter_joint(_three, _replaced)])

entries = st.one_of(
    st.builds(Entry, numbers, st.just(NOOP)),
    st.builds(Entry, numbers, st.sampled_from([COMMAND, RESTORE_STEP]), datas),
    st.builds(Entry, numbers, st.just(CONFIG), configs),
)

metas = st.builds(
    lambda index, term, config, before: SnapshotMeta(index, term, config, max(0, index - before)),
    st.integers(1, (1 << 63) - 1),
    numbers,
    configs,
    numbers,
)
changes = st.tuples(st.sampled_from([VOTER, LEARNER, REMOVE]), ids, texts)

requests: st.SearchStrategy[Request] = st.one_of(
    st.builds(Command, datas),
    st.builds(RestoreStep, datas),
    st.builds(Query, st.lists(plain, max_size=3).map(tuple), st.booleans()),
    st.builds(ReadMembership, st.booleans()),
    st.builds(RemovePeer, id=texts),
    st.builds(RemovePeer, address=texts),
    st.builds(ChangeMembership, st.lists(changes, max_size=3).map(tuple)),
    st.builds(TransferLeadership, st.none() | texts, st.none() | texts),
)
outcomes = st.builds(
    Outcome,
    st.sampled_from(["ok", "refused", "unknown"]),
    value=plain,
    reason=texts,
    detail=plain,
    forwarded=st.booleans(),
)

messages: st.SearchStrategy[PeerMessage] = st.one_of(
    st.builds(Vote, numbers, ids, ids, numbers, numbers, st.booleans(), st.booleans()),
    st.builds(VoteReply, numbers, ids, ids, st.booleans(), st.booleans(), texts, numbers),
    st.builds(Append, numbers, ids, ids, numbers, numbers, st.lists(entries, max_size=4), numbers, numbers),
    st.builds(AppendReply, numbers, ids, ids, st.booleans(), numbers, numbers, numbers, numbers, numbers),
    st.builds(Install, numbers, ids, ids, metas, numbers, datas, st.booleans(), numbers),
    st.builds(InstallReply, numbers, ids, ids, numbers, numbers, st.booleans(), numbers, numbers),
    st.builds(TimeoutNow, numbers, ids, ids),
    st.builds(Hail, numbers, ids, ids, numbers, numbers, st.booleans(), st.booleans()),
    st.builds(Ping, ids, ids),
    st.builds(Relay, ids, ids, numbers, requests),
    st.builds(RelayReply, ids, ids, numbers, outcomes),
)
