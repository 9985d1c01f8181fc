"""peers.json: which files are refused, and the explanation beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from raftsim.agent.recovery import MAX_FILE_BYTES, PEERS_INFO, PEERS_JSON, explain, read_peers, recover
from raftsim.agent.schema import ConfigError
from tests.agent.test_recovery import ID_A, ID_B, LOG, A, B, fill, opened, whose

WRONG_IN_2 = {
    "": "line 1, column 1: not valid JSON",
    f'["{A}",\n  {B}]': "line 2, column 8: not valid JSON",
    f'["{A}"': "line 1, column 18: not valid JSON",
    '["\udcff"]': "line 1: not UTF-8 text",
    "[" * 100_000: "nested too deeply",
    "{}": "not a list of servers",
    "[]": "there is no server in it",
    "[4647]": "server 1: raft_protocol is 2, so each server is its address alone",
    json.dumps([A, {"id": B, "address": B}]): "server 2: raft_protocol is 2, so each server is its address alone",
    json.dumps([A, B, A]): f"server 3: the id {A} is there twice",
    '["127.0.0.1"]': "server 1: '127.0.0.1' is not an address: host:port is expected",
    '["127.0.0.1:0"]': "server 1: '127.0.0.1:0' is not an address",
    json.dumps([f"127.0.0.1:{port}" for port in range(1, 27)]): "26 servers; at most 25 are possible",
    " " * MAX_FILE_BYTES + "[]": "larger than 1048576 bytes",
}
WRONG_IN_3 = {
    json.dumps([A]): 'server 1: raft_protocol is 3, so each server is an object with "id", "address" and "non_voter"',
    json.dumps([{"address": A}]): "server 1: id and address must be text, non_voter true or false",
    json.dumps([{"id": ID_A, "address": A, "non_voter": 1}]): "server 1: id and address must be text, non_voter true",
    json.dumps([{"id": A, "address": A}]): f"server 1: the id '{A}' is not a UUID",
    json.dumps([{"id": ID_A, "address": "host"}]): "server 1: 'host' is not an address",
    json.dumps([{"id": ID_A, "address": A, "voter": True}]): 'server 1: unknown key "voter"',
    json.dumps([{"id": ID_A, "address": A, "non_voter": True}]): "no server in it has a vote",
    json.dumps([{"id": i, "address": B} for i in (ID_B, ID_A)]): f"server 2: the address {B} is there twice",
    json.dumps([{"id": i, "address": a} for i, a in ((ID_B, A), (ID_B.upper(), B))]): f"the id {ID_B} is there twice",
}


@pytest.mark.parametrize(
    ("raft_protocol", "text", "message"),
    [(2, *wrong) for wrong in WRONG_IN_2.items()] + [(3, *wrong) for wrong in WRONG_IN_3.items()],
    ids=range(len(WRONG_IN_2) + len(WRONG_IN_3)),
)
def test_a_wrong_file_is_refused_and_changes_nothing(
    tmp_path: Path, raft_protocol: int, text: str, message: str
) -> None:
    fill(tmp_path)
    file = tmp_path / "raft" / PEERS_JSON
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ConfigError) as caught:
        recover(tmp_path, raft_protocol, whose())
    assert str(caught.value).startswith(f"{file}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert file.exists()
    assert opened(tmp_path).entries == LOG
    assert not list(tmp_path.glob("before-recovery-*"))


def test_the_explanation_is_written_once_and_its_examples_are_right(tmp_path: Path) -> None:
    (tmp_path / "raft").mkdir()
    explain(tmp_path)
    file = tmp_path / "raft" / PEERS_INFO
    text = file.read_text()
    assert max(map(len, text.split("\n"))) <= 120
    examples = [f"[{part.partition(']')[0]}]" for part in text.split("[")[1:]]
    for raft_protocol, example in zip((2, 3), examples, strict=True):
        (tmp_path / "example").write_text(example)
        members = read_peers(tmp_path / "example", raft_protocol)
        assert members is not None
        assert (len(members.voters), len(members.learners)) == ((2, 0) if raft_protocol == 2 else (1, 1))
    file.write_text("kept")
    explain(tmp_path)
    assert file.read_text() == "kept"
