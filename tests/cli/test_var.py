"""`raftsim var` against a scripted server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.stub import Stub
from tests.cli.terminal import run, run_on_terminal

PATH = "/v1/var/app/config"
NANO = 1_000_000_000
VARIABLE = {
    "CreateIndex": 7,
    "CreateTime": 1767323045 * NANO,
    "Items": {"size": "9", "color": "blue"},
    "ModifyIndex": 7,
    "ModifyTime": 1767323045 * NANO,
    "Namespace": "default",
    "Path": "app/config",
}
CHANGED = {**VARIABLE, "ModifyIndex": 12, "ModifyTime": 1767326645 * NANO}
TABLE = """\
Namespace   = default
Path        = app/config
Create Time = 2026-01-02T03:04:05Z
Check Index = 7

Items
color = blue
size  = 9
"""


def as_json(document: object) -> str:
    return json.dumps(document, indent=4) + "\n"


def test_put_creates_a_variable(stub: Stub) -> None:
    stub.on("PUT", PATH, VARIABLE)
    args = ("var", "put", "app/config", "color=blue", "size=9")
    assert run(*args, NOMAD_ADDR=stub.address) == (0, as_json(VARIABLE), "")
    assert stub.asked == [("PUT", f"{PATH}?cas=0")]
    assert json.loads(stub.requests[-1].body) == {
        "Namespace": "default",
        "Path": "app/config",
        "Items": {"color": "blue", "size": "9"},
    }


@pytest.mark.parametrize(
    ("flags", "query"),
    [
        (["-check-index=12"], "?cas=12"),
        (["--cas", "12"], "?cas=12"),
        (["-force"], ""),
        (["-force=false"], "?cas=0"),
        (["-namespace=team"], "?namespace=team&cas=0"),
    ],
)
def test_put_checks_the_index_unless_forced(stub: Stub, flags: list[str], query: str) -> None:
    stub.on("PUT", PATH, VARIABLE)
    assert run("var", "put", *flags, "/app/config/", "a=1", NOMAD_ADDR=stub.address).code == 0
    assert stub.asked == [("PUT", f"{PATH}{query}")]


def test_put_on_a_terminal_says_what_it_did(stub: Stub) -> None:
    stub.on("PUT", PATH, VARIABLE)
    args = ("var", "put", "app/config", "color=blue")
    said = 'Created variable "app/config" with modify index 7\n'
    assert run_on_terminal(*args, NOMAD_ADDR=stub.address) == (0, said)
    assert run_on_terminal(*args, "-out=table", NOMAD_ADDR=stub.address) == (0, TABLE)
    assert run(*args, "-out=none", NOMAD_ADDR=stub.address).out == said


def test_put_takes_values_from_files_and_from_standard_input(stub: Stub, tmp_path: Path) -> None:
    stub.on("PUT", PATH, VARIABLE)
    (tmp_path / "cert").write_text("line\nline\n")
    pairs = (f"cert=@{tmp_path}/cert", "key=-", r"user=\@me", "url=a=b")
    assert run("var", "put", "app/config", *pairs, stdin="sécret", NOMAD_ADDR=stub.address).code == 0
    items = {"cert": "line\nline\n", "key": "sécret", "user": "@me", "url": "a=b"}
    assert json.loads(stub.requests[-1].body)["Items"] == items


@pytest.mark.parametrize(
    ("pairs", "error"),
    [
        (["a"], 'invalid key/value pair "a": format must be key=value'),
        (["=a"], 'invalid key/value pair "=a": format must be key=value'),
        (["a="], 'invalid key/value pair "a=": the value is empty'),
        (["a=1", "a=2"], 'invalid key/value pair "a=2": the key is given twice'),
        (["a=@/nowhere/x"], 'invalid key/value pair "a=@/nowhere/x": No such file or directory'),
        (["a=@/"], 'invalid key/value pair "a=@/": Is a directory'),
        (["a=@/dev/zero"], 'invalid key/value pair "a=@/dev/zero": the value is larger than 65536 bytes'),
    ],
)
def test_put_rejects_bad_pairs(stub: Stub, pairs: list[str], error: str) -> None:
    failed = (1, "", f"Failed to parse K=V data: {error}\n")
    assert run("var", "put", "app/config", *pairs, NOMAD_ADDR=stub.address) == failed
    assert not stub.requests


def test_put_needs_data() -> None:
    failed = (1, "", "Must supply data\nFor additional help try 'raftsim var put -help'\n")
    assert run("var", "put", "app/config") == failed


def test_a_conflict_is_explained(stub: Stub) -> None:
    stub.on("PUT", PATH, CHANGED, 409)
    code, out, err = run("var", "put", "-check-index=7", "app/config", "a=1", NOMAD_ADDR=stub.address)
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        "",
        "Check-and-Set conflict",
        "",
        "    Your provided check-index (7) does not match the server-side index (12).",
        "    The server-side item was last updated on 2026-01-02T04:04:05Z.",
        "    To go ahead all the same, add -check-index=12.",
        "",
    ]


def test_a_conflict_without_a_variable_is_an_error_like_others(stub: Stub) -> None:
    stub.on("DELETE", PATH, "gone", 409)
    failed = (1, "", "Error purging variable: Unexpected response code: 409 (gone)\n")
    assert run("var", "purge", "app/config", NOMAD_ADDR=stub.address) == failed


def test_get_is_a_table_on_a_terminal_and_json_in_a_pipe(stub: Stub) -> None:
    stub.on("GET", PATH, VARIABLE)
    args = ("var", "get", "app/config")
    assert run_on_terminal(*args, NOMAD_ADDR=stub.address) == (0, TABLE)
    assert run(*args, NOMAD_ADDR=stub.address) == (0, as_json(VARIABLE), "")
    assert run(*args, "-out=table", NOMAD_ADDR=stub.address).out == TABLE
    assert run_on_terminal(*args, "--json", NOMAD_ADDR=stub.address) == (0, as_json(VARIABLE))


def test_get_shows_a_later_change(stub: Stub) -> None:
    stub.on("GET", PATH, CHANGED)
    shown = run("var", "get", "-out=table", "app/config", NOMAD_ADDR=stub.address).out
    assert "Modify Time = 2026-01-02T04:04:05Z\nCheck Index = 12\n" in shown


def test_get_of_one_item_has_no_newline(stub: Stub) -> None:
    stub.on("GET", PATH, VARIABLE)
    assert run("var", "get", "-item=color", "app/config", NOMAD_ADDR=stub.address) == (0, "blue", "")
    failed = (1, "", 'Variable does not contain "shape" item\n')
    assert run("var", "get", "-item", "shape", "app/config", NOMAD_ADDR=stub.address) == failed


def test_get_of_nothing(stub: Stub) -> None:
    stub.on("GET", PATH, "variable not found", 404)
    assert run("var", "get", "app/config", NOMAD_ADDR=stub.address) == (1, "", "Variable not found\n")


@pytest.mark.parametrize("body", ["[]", '{"Items": [1]}'])
def test_get_of_something_else(stub: Stub, body: str) -> None:
    stub.on("GET", PATH, body)
    failed = (1, "", "Error retrieving variable: the answer is not what Nomad's API says\n")
    assert run("var", "get", "app/config", NOMAD_ADDR=stub.address) == failed


def test_list_is_sorted(stub: Stub) -> None:
    entries = [{**CHANGED, "Path": "z"}, {**VARIABLE, "Namespace": "b"}, {**VARIABLE, "Path": "a", "ModifyTime": None}]
    stub.on("GET", "/v1/vars", entries)
    shown = run("var", "list", "-out=table", "-namespace=*", "a b", NOMAD_ADDR=stub.address).out
    assert shown == (
        "Namespace  Path        Last Updated\n"
        "b          app/config  2026-01-02T03:04:05Z\n"
        "default    a           <none>\n"
        "default    z           2026-01-02T04:04:05Z\n"
    )
    assert stub.asked == [("GET", "/v1/vars?namespace=%2A&prefix=a+b")]
    assert run("var", "list", NOMAD_ADDR=stub.address).out == as_json(entries)


@pytest.mark.parametrize("body", ["[]", "null"])
def test_list_of_nothing(stub: Stub, body: str) -> None:
    stub.on("GET", "/v1/vars", body)
    assert run_on_terminal("var", "list", NOMAD_ADDR=stub.address) == (0, "No matching variables found\n")
    assert run("var", "list", NOMAD_ADDR=stub.address).out == "[]\n"


def test_purge(stub: Stub) -> None:
    stub.on("DELETE", PATH, status=204)
    done = (0, 'Successfully purged variable "app/config"!\n', "")
    assert run("var", "purge", "app/config", NOMAD_ADDR=stub.address) == done
    assert run("var", "purge", "-check-index=0", "app/config", NOMAD_ADDR=stub.address) == done
    assert stub.asked == [("DELETE", PATH), ("DELETE", f"{PATH}?cas=0")]
    shown = run("var", "purge", "-json", "app/config", NOMAD_ADDR=stub.address).out
    assert json.loads(shown) == {"Purged": {"Namespace": "default", "Path": "app/config"}}


@pytest.mark.parametrize(
    ("index", "error"),
    [
        ("abc", 'Invalid -check-index value "abc": not parsable as uint64'),
        ("-1", 'Invalid -check-index value "-1": not parsable as uint64'),
        ("18446744073709551616", 'Invalid -check-index value "18446744073709551616": out of range for uint64'),
    ],
)
def test_a_check_index_is_a_uint64(index: str, error: str) -> None:
    code, _, err = run("var", "purge", "-check-index", index, "app/config")
    assert (code, err.splitlines()[0]) == (1, error)


def test_a_path_is_quoted(stub: Stub) -> None:
    stub.on("GET", "/v1/var/a%20b/%C3%A9%3F", VARIABLE)
    assert run("var", "get", "a b/é?", NOMAD_ADDR=stub.address).code == 0


@pytest.mark.parametrize("command", [["put", "a", "k=v"], ["get", "a"], ["purge", "a"]])
def test_one_variable_needs_one_namespace(command: list[str]) -> None:
    failed = (1, "", 'The wildcard namespace ("*") is not valid for this command.\n')
    assert run("var", *command, NOMAD_NAMESPACE="*") == failed


def test_a_write_is_refused_by_what_is_not_raftsim(stub: Stub) -> None:
    stub.raftsim = False
    for command in (["put", "app/config", "k=v"], ["purge", "app/config"]):
        code, _, err = run("var", *command, NOMAD_ADDR=stub.address)
        assert code == 1
        assert err.startswith(f"Refusing: {stub.address} is not a raftsim server.")
    assert stub.asked == []
