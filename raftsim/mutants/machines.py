"""Planted bugs of the state machine: of what it puts into a snapshot, and what it makes of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from raftsim.machine.base import Slices
from raftsim.machine.sessions import Sessions
from raftsim.machine.sessiontable import Session, pack_table
from raftsim.machine.variables import Variables
from raftsim.machine.varstate import unpack_state
from raftsim.mutants.mutant import mutant, replace
from raftsim.mutants.scenes_clients import a_command_comes_again, a_session_outlives_a_snapshot, a_variable_is_deleted


@mutant(
    "B48",
    "the state of a snapshot merged into the old one",
    source="Raft section 7; jgroups-raft#301, cubefs#1521",
    needs=("partition",),
    judge="equal snapshots",
    trap=a_variable_is_deleted,
)
def state_merged() -> None:
    """A follower that is sent a snapshot adds what is in it to what it has. What was deleted meanwhile is back."""

    def restore(self: Variables, state: Iterable[bytes]) -> Slices[None]:
        index, variables, _ = yield from unpack_state(state)
        self._index, self._variables = index, self._variables | variables
        self._paths = {}
        for namespace, path in sorted(self._variables):
            self._paths.setdefault(namespace, []).append(path)

    replace(Variables, "restore", restore)


@mutant(
    "B48",
    "a snapshot that shows what was applied meanwhile",
    source="Raft section 7 (copy-on-write), dissertation 5.1.1",
    judge="equal snapshots",
)
def snapshot_not_frozen() -> None:
    """The state is looked at when the snapshot is written, not when it is taken. So it holds entries behind the index
    that it stands for, and whoever starts from it applies those a second time.
    """
    snapshot = Variables.snapshot

    def lazy(self: Variables) -> Iterator[bytes]:
        yield from snapshot(self)

    replace(Variables, "snapshot", lazy)


@mutant(
    "B48",
    "a part of the state not restored",
    source="Raft section 7",
    needs=("partition",),
    judge="equal snapshots",
)
def state_restored_in_part() -> None:
    """What a snapshot holds is not all that a machine makes of it: the last variable is left out. The server goes on
    with a state that no log leads to.
    """
    restore = Variables.restore

    def forgetful(self: Variables, state: Iterable[bytes]) -> Slices[None]:
        yield from restore(self, state)
        if self._variables:
            namespace, path = max(self._variables)
            del self._variables[namespace, path]
            self._paths[namespace].remove(path)

    replace(Variables, "restore", forgetful)


@mutant(
    "B69",
    "answers not remembered",
    source="dissertation 6.3, figure 6.2; summitdb#5, fluree/db#1839",
    needs=("lost answer",),
    judge="exactly once",
    trap=a_command_comes_again,
)
def retry_applied_twice() -> None:
    """A machine forgets what it answered. A client that had no answer sends its command again, and it is applied a
    second time, over what others have written since.
    """
    replace(Session, "remember", lambda *_: None)


@mutant(
    "B69",
    "the sessions left out of the snapshot",
    source="dissertation 6.3; rabbitmq/ra#145",
    needs=("partition",),
    judge="equal snapshots",
    trap=a_session_outlives_a_snapshot,
)
def sessions_not_in_snapshot() -> None:
    """A snapshot holds the state and not who has asked for what. A server that starts from it knows no session, and
    does not apply what the others apply.
    """

    def snapshot(self: Sessions) -> Iterator[bytes]:
        return chain(pack_table([]), self._machine.snapshot())

    replace(Sessions, "snapshot", snapshot)
