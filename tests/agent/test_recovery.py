"""peers.json: what it does to a server's data."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from raftsim.agent.identity import Identity
from raftsim.agent.recovery import PEERS_JSON, recover
from raftsim.core.config import Config, Server, of
from raftsim.core.entry import COMMAND, CONFIG, NOOP, Entry, HardState, Restored, SnapshotMeta, bootstrapped
from raftsim.core.output import Write
from raftsim.storage import recover_peers
from raftsim.storage.datadir import DataDir
from raftsim.storage.errors import StorageError
from raftsim.storage.inspect import inspect

A, B, C, D = (f"127.0.0.1:{4647 + 10 * i}" for i in range(4))
ID_A, ID_B = "11111111-1111-4111-8111-111111111111", "aaaaaaaa-1111-4111-8111-111111111111"
OLD = of(A, B, C)
LOG = [Entry(0, CONFIG, OLD), Entry(1, NOOP), *(Entry(1, COMMAND, b"%d" % i) for i in range(3, 9)), Entry(3, NOOP)]
HARD = HardState(4, B)
RECOVERED = HardState(4, B, founder=True)  # its vote counts, the operator says so


def whose(config: Config = OLD, id: str = A) -> Identity:
    return Identity(id, id, "c1", config)


def fill(path: Path, *, snapshot: int = 0) -> Path:
    """A data directory with the whole log, and a snapshot of our own up to the entry `snapshot`."""
    data = DataDir.open(path, cluster_id="c1", server_id=A)
    data.bootstrap(bootstrapped(OLD))
    data.append([Write(1, HARD, 2, LOG[1:])])
    if snapshot:
        data.save_snapshot(SnapshotMeta(snapshot, LOG[snapshot - 1].term, OLD, 1), [b"state of ", b"%d" % snapshot])
    data.close()
    return path


def order(path: Path, peers: object) -> Path:
    file = path / "raft" / PEERS_JSON
    file.write_text(json.dumps(peers))
    return file


def opened(path: Path) -> Restored:
    data = DataDir.open(path, cluster_id="c1", server_id=A)
    restored = data.restored
    data.close()
    return restored


def with_members(config: Config, entries: Sequence[Entry]) -> list[Entry]:
    return [Entry(entry.term, CONFIG, config) if entry.kind == CONFIG else entry for entry in entries]


def aside(path: Path) -> Path:
    (found,) = path.glob("before-recovery-*")
    return found


# what it does to the data


def test_every_configuration_becomes_the_new_one_and_nothing_else_changes(tmp_path: Path) -> None:
    fill(tmp_path)
    file = order(tmp_path, [A, D])
    (note,) = recover(tmp_path, 2, whose())
    assert f"{file}: followed. The members are {A}, {D}; the log ends at index 9 of term 3" in note
    assert opened(tmp_path) == Restored(RECOVERED, with_members(of(A, D), LOG))


def test_the_snapshot_gets_the_new_members_and_the_log_goes_on_behind_it(tmp_path: Path) -> None:
    fill(tmp_path, snapshot=6)
    order(tmp_path, [A])
    recover(tmp_path, 2, whose())
    meta = SnapshotMeta(6, 1, of(A), 1)
    assert opened(tmp_path) == Restored(RECOVERED, LOG[6:], 6, 1, meta)
    data = DataDir.open(tmp_path, cluster_id="c1", server_id=A)
    assert b"".join(data.load_snapshot(meta)) == b"state of 6"
    data.append([Write(1, None, 10, [Entry(5, NOOP)])])
    data.close()
    assert opened(tmp_path).entries == [*LOG[6:], Entry(5, NOOP)]


def test_a_snapshot_that_stands_for_the_whole_log(tmp_path: Path) -> None:
    fill(tmp_path, snapshot=9)
    order(tmp_path, [A])
    (note,) = recover(tmp_path, 2, whose())
    assert "the log ends at index 9 of term 3" in note
    assert opened(tmp_path) == Restored(RECOVERED, [], 9, 3, SnapshotMeta(9, 3, of(A), 1))


def test_survivors_with_different_logs_still_agree_where_they_agreed(tmp_path: Path) -> None:
    """Equal (index, term) is an equal entry before, and must be so after."""
    longer, shorter = fill(tmp_path / "longer"), tmp_path / "shorter"
    data = DataDir.open(shorter, cluster_id="c1", server_id=B)
    data.append([Write(0, HardState(2, None), 1, [*LOG[:5], Entry(2, CONFIG, of(A, B))])])
    data.close()
    for path, id in ((longer, A), (shorter, B)):
        order(path, [A, B, D])
        recover(path, 2, whose(id=id))
    long, short = (inspect(path).restored.entries for path in (longer, shorter))
    assert long[:5] == short[:5]
    assert (short[5].term, short[5].data) == (2, of(A, B, D))
    assert [entry.term for entry in long] == [entry.term for entry in LOG]


def test_the_old_state_is_kept_whole_and_can_be_put_back(tmp_path: Path) -> None:
    fill(tmp_path, snapshot=6)
    before = inspect(tmp_path)
    order(tmp_path, [A])
    recover(tmp_path, 2, whose())
    kept = inspect(aside(tmp_path))
    assert (kept.restored, kept.identity) == (before.restored, before.identity)
    assert json.loads((aside(tmp_path) / "raft" / PEERS_JSON).read_text()) == [A]
    shutil.rmtree(tmp_path / "raft")
    (aside(tmp_path) / "raft").rename(tmp_path / "raft")
    (tmp_path / "raft" / PEERS_JSON).unlink()
    assert opened(tmp_path) == before.restored


def test_it_is_followed_once(tmp_path: Path) -> None:
    fill(tmp_path)
    file = order(tmp_path, [A])
    assert recover(tmp_path, 2, whose())
    assert not file.exists()
    assert recover(tmp_path, 2, whose()) == []
    assert sorted(place.name for place in (tmp_path / "raft").iterdir()) == [
        "LOCK",
        "identity.json",
        "snapshots",
        "wal",
    ]


def test_non_voters_and_a_server_that_left_itself_out(tmp_path: Path) -> None:
    fill(tmp_path)
    order(tmp_path, [{"id": ID_A, "address": A}, {"id": ID_B.upper(), "address": B, "non_voter": True}])
    missing, followed = recover(tmp_path, 3, whose())
    assert f"this server, {A}, is not in it" in missing
    assert f"The members are {ID_A}, {ID_B} (non-voter);" in followed
    members = opened(tmp_path).entries[0].data
    assert members == Config((ID_A,), learners=(ID_B,), servers=(Server(ID_A, A), Server(ID_B, B)))


class Crash(Exception):
    pass


def test_a_crash_between_any_two_steps_is_completed_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0
    really: Callable[[Path, Path], None] = recover_peers._move
    for survived in range(100):
        path = fill(tmp_path / str(survived), snapshot=6)
        before = inspect(path).restored
        order(path, [A])
        left = survived

        def move(source: Path, target: Path) -> None:
            nonlocal left
            if left == 0:
                raise Crash
            left -= 1
            really(source, target)

        monkeypatch.setattr(recover_peers, "_move", move)
        try:
            recover(path, 2, whose())
            steps = survived
        except Crash:
            monkeypatch.setattr(recover_peers, "_move", really)
            (note,) = recover(path, 2, whose())
            assert "had been interrupted is complete" in note
        assert opened(path) == Restored(RECOVERED, LOG[6:], 6, 1, SnapshotMeta(6, 1, of(A), 1))
        assert inspect(aside(path)).restored == before
        names = {place.name for place in (path / "raft").iterdir()}
        assert names == {"LOCK", "identity.json", "snapshots", "wal"}
        if steps:
            break
    assert steps == 6


def test_a_crash_while_the_new_state_is_made_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, snapshot=6)
    before = inspect(tmp_path).restored
    order(tmp_path, [A])

    def crash(*_: Any) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(recover_peers, "publish", crash)
        with pytest.raises(Crash):
            recover(tmp_path, 2, whose())
    assert (tmp_path / "raft" / "recovering.tmp").is_dir()
    assert inspect(tmp_path).restored == before
    assert recover(tmp_path, 2, whose())
    assert opened(tmp_path).snapshot == SnapshotMeta(6, 1, of(A), 1)


@pytest.mark.parametrize("begun", [False, True])
def test_nothing_to_recover(tmp_path: Path, *, begun: bool) -> None:
    if begun:
        DataDir.open(tmp_path, cluster_id="c1", server_id=A).close()
    (tmp_path / "raft").mkdir(exist_ok=True)
    file = order(tmp_path, [A])
    with pytest.raises(StorageError, match="there is no Raft state here to recover"):
        recover(tmp_path, 2, whose())
    assert file.exists()


def test_a_running_server_and_the_data_of_others_are_left_alone(tmp_path: Path) -> None:
    fill(tmp_path)
    file = order(tmp_path, [A])
    with pytest.raises(StorageError, match=f"holds the data of server '{A}', this is server '{B}'"):
        recover(tmp_path, 2, whose(id=B))
    data = DataDir.open(tmp_path, cluster_id="c1", server_id=A)
    with pytest.raises(StorageError, match="in use by process"):
        recover(tmp_path, 2, whose())
    data.close()
    assert file.exists()
    assert opened(tmp_path).entries == LOG
