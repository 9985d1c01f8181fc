"""Variables against a model that is nothing but a dictionary, and the edges one by one."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raftsim.machine.base import InvalidRequest, Machine
from raftsim.machine.variables import MAX_NAME_BYTES, Variables, delete_command, put_command
from raftsim.machine.varstate import MAX_ITEMS_BYTES

K = {"k": "v"}


def stored(index: int, *, created: int | None = None, **changes: Any) -> dict[str, Any]:
    """The variable default/a as put at `index` (and at time 100 * index)."""
    created = index if created is None else created
    times = {"CreateTime": 100 * created, "ModifyTime": 100 * index}
    names = {"Namespace": "default", "Path": "a", "Items": K}
    return {"CreateIndex": created, "ModifyIndex": index, **times, **names, **changes}


def put(machine: Variables, index: int, path: str = "a", cas: int | None = None, space: str = "default") -> Any:
    return machine.apply(index, put_command(space, path, K, cas, 100 * index))


def delete(machine: Variables, index: int, path: str = "a", cas: int | None = None) -> Any:
    return machine.apply(index, delete_command("default", path, cas))


def test_put_get_delete() -> None:
    machine: Machine = (variables := Variables())
    assert machine.query(("get", "default", "a")) == {"variable": None, "index": 1}
    assert put(variables, 5) == {"result": "ok", "variable": stored(5), "index": 5}
    assert put(variables, 7) == {"result": "ok", "variable": stored(7, created=5), "index": 7}
    assert machine.query(("get", "default", "a")) == {"variable": stored(7, created=5), "index": 7}
    assert delete(variables, 8) == {"result": "ok", "variable": None, "index": 8}
    assert machine.query(("get", "default", "a")) == {"variable": None, "index": 8}
    assert delete(variables, 9) == {"result": "ok", "variable": None, "index": 9}
    assert machine.query(("list", "*", "")) == {"variables": [], "index": 8}


def test_check_and_set() -> None:
    machine = Variables()
    absent = {"result": "conflict", "variable": None, "index": 0}
    assert put(machine, 2, cas=9) == absent
    assert delete(machine, 3, cas=9) == absent
    assert delete(machine, 4, cas=0)["result"] == "ok"
    assert put(machine, 5, cas=0)["result"] == "ok"
    present = {"result": "conflict", "variable": stored(5), "index": 5}
    assert put(machine, 6, cas=0) == put(machine, 7, cas=6) == delete(machine, 8, cas=0) == present
    assert put(machine, 9, cas=5)["variable"] == stored(9, created=5)
    assert delete(machine, 10, cas=9)["result"] == "ok"


def test_lists_are_sorted_and_know_their_prefix() -> None:
    machine = Variables()
    for index, (space, path) in enumerate(
        [("b", "p/b"), ("a", "z"), ("b", "p/a"), ("b", "p"), ("a", "p/~"), ("b", "q")], 2
    ):
        put(machine, index, path, space=space)  # fmt: skip

    def found(space: str, prefix: str) -> list[tuple[str, str]]:
        listed = machine.query(("list", space, prefix))
        assert listed["index"] == 7
        assert all("Items" not in variable for variable in listed["variables"])
        return [(variable["Namespace"], variable["Path"]) for variable in listed["variables"]]

    assert found("b", "p/") == [("b", "p/a"), ("b", "p/b")]
    assert found("*", "p") == [("a", "p/~"), ("b", "p"), ("b", "p/a"), ("b", "p/b")]
    assert found("*", "") == [("a", "p/~"), ("a", "z"), ("b", "p"), ("b", "p/a"), ("b", "p/b"), ("b", "q")]
    assert found("c", "") == found("a", "zz") == []


def test_results_share_nothing_with_the_state() -> None:
    machine = Variables()
    put(machine, 2)["variable"]["Items"]["k"] = "changed"
    machine.query(("get", "default", "a"))["variable"]["Items"]["k"] = "changed"
    put(machine, 3, cas=0)["variable"]["Items"]["k"] = "changed"
    assert machine.query(("get", "default", "a"))["variable"] == stored(2)


def test_a_variable_without_items_shows_none() -> None:
    machine = Variables()
    assert "Items" not in machine.apply(2, put_command("default", "a", {}, None, 1))["variable"]


def test_digests_tell_states_apart() -> None:
    def digest(*commands: bytes) -> str:
        machine = Variables()
        for index, command in enumerate(commands, 2):
            machine.apply(index, command)
        return machine.digest()

    one = put_command("default", "a", {"x": "1", "y": "2"}, None, 5)
    assert put_command("default", "a", {"y": "2", "x": "1"}, None, 5) == one
    assert digest(one) == digest(one)
    others = {
        digest(),
        digest(one),
        digest(put_command("default", "a", {"x": "1", "y": "3"}, None, 5)),
        digest(put_command("default", "a", {"x": "1", "y": "2"}, None, 6)),
        digest(put_command("default", "b", {"x": "1", "y": "2"}, None, 5)),
        digest(put_command("other", "a", {"x": "1", "y": "2"}, None, 5)),
        digest(one, one),
        digest(one, delete_command("default", "a", None)),
    }
    assert len(others) == 8


@pytest.mark.parametrize(
    ("path", "space", "items", "why"),
    [
        ("", "default", K, 'invalid path ""'),
        ("a.b", "*", K, 'invalid path "a.b"'),
        ("a\n", "default", K, 'invalid path "a\n"'),
        ("x" * 129, "default", K, 'invalid path "' + "x" * 129 + '"'),
        ("a", "*", {"k": "x" * MAX_ITEMS_BYTES}, "variables are limited to 64KiB in total size"),
        ("a", "default", {"k": "é" * 32768}, "variables are limited to 64KiB in total size"),
        ("nomad", "*", K, 'can not target wildcard ("*")namespace'),
        ("a", "", K, 'invalid namespace ""'),
        ("a", "x" * 129, K, 'invalid namespace "' + "x" * 129 + '"'),
        ("nomad", "default", K, '"nomad" is a reserved top-level directory path'),
        ("nomad/", "default", K, "only paths at"),
        ("nomad/jobless", "default", K, "only paths at"),
    ],
)
def test_puts_that_are_refused(path: str, space: str, items: dict[str, str], why: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Variables().check_command(put_command(space, path, items, None, 1))
    assert str(caught.value).startswith(why)


@pytest.mark.parametrize(
    ("path", "space", "items"),
    [
        ("a-Z_0~/", "Default-1", K),
        ("/", "default", K),
        ("x" * 128, "x" * 128, K),
        ("nomad/jobs", "default", K),
        ("nomad/job-templates/x", "default", K),
        ("nomads", "default", {"": ""}),
        ("a", "default", {"k": "x" * (MAX_ITEMS_BYTES - 1)}),
    ],
)
def test_puts_at_the_edge(path: str, space: str, items: dict[str, str]) -> None:
    command = put_command(space, path, items, 2**64 - 1, 2**63 - 1)
    Variables().check_command(command)
    assert Variables().apply(2, command)["result"] == "conflict"


_MALFORMED: list[object] = [
    1,
    {},
    ("put",),
    ("get", "default", "a"),
    ("put", "default", "a", K, None),
    ("put", "default", "a", K, -1, 1),
    ("put", "default", "a", K, True, 1),
    ("put", "default", "a", K, 1.0, 1),
    ("put", "default", "a", K, None, None),
    ("put", "default", "a", K, None, -1),
    ("put", "default", "a", K, None, 2**63),
    ("put", "default", "a", {"k": 1}, None, 1),
    ("put", "default", "a", {b"k": "v"}, None, 1),
    ("put", "default", b"a", K, None, 1),
    ("put", "default", "a", [("k", "v")], None, 1),
    ("delete", "default", "a"),
    ("delete", "default", "a", -1),
    ("delete", "*", "a", None),
    ("delete", "default", "x" * (MAX_NAME_BYTES + 1), None),
    ("delete", "x" * (MAX_NAME_BYTES + 1), "a", None),
]


@pytest.mark.parametrize(
    "command",
    [b"", b"\xc1", msgpack.packb(1) + b"\x00", b"\x94\xa3pu", *(msgpack.packb(value) for value in _MALFORMED)],
)
def test_what_is_no_command(command: bytes) -> None:
    with pytest.raises(InvalidRequest):
        Variables().check_command(command)


@given(st.binary(max_size=40))
def test_any_bytes_are_checked_without_another_error(data: bytes) -> None:
    machine = Variables()
    try:
        machine.check_command(data)
    except InvalidRequest:
        return
    assert machine.apply(2, data)["result"] in ("ok", "conflict")


@pytest.mark.parametrize(
    "query", [(), ("get", "default"), ("get", "default", 1), ("list", None, ""), ("scan", "a", "b")]
)
def test_what_is_no_query(query: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidRequest):
        Variables().query(query)


NAMES = st.tuples(st.sampled_from(["default", "a", "b"]), st.sampled_from(["a", "a/b", "a/c", "b", "~"]))
CAS = st.none() | st.integers(0, 12)
PUTS = st.tuples(st.just("put"), NAMES, st.dictionaries(st.text(max_size=2), st.text(max_size=2), max_size=2), CAS)
DELETES = st.tuples(st.just("delete"), NAMES, st.none(), CAS)


@settings(max_examples=200)
@given(st.lists(PUTS | DELETES, max_size=12), st.sampled_from(["*", "default", "a"]), st.sampled_from(["", "a", "a/"]))
def test_against_a_dictionary(
    steps: list[tuple[str, tuple[str, str], Any, int | None]], space: str, prefix: str
) -> None:
    machine = Variables()
    model: dict[tuple[str, str], dict[str, Any]] = {}
    touched = 1
    for index, (operation, name, items, cas) in enumerate(steps, 2):
        old = model.get(name)
        if operation == "put":
            result = machine.apply(index, put_command(*name, items, cas, 100 * index))
        else:
            result = machine.apply(index, delete_command(*name, cas))
        if cas is not None and cas != (old["ModifyIndex"] if old else 0):
            assert result == {"result": "conflict", "variable": old, "index": old["ModifyIndex"] if old else 0}
            continue
        if operation == "put":
            changes = {"Namespace": name[0], "Path": name[1]}
            model[name] = stored(index, created=old["CreateIndex"] if old else index, **changes)
            model[name].pop("Items")
            model[name].update({"Items": items} if items else {})
        else:
            model.pop(name, None)
        touched = index if operation == "put" or old else touched
        assert result == {"result": "ok", "variable": model.get(name), "index": index}
    matching = [
        {key: value for key, value in variable.items() if key != "Items"}
        for (namespace, path), variable in sorted(model.items())
        if space in ("*", namespace) and path.startswith(prefix)
    ]
    assert machine.query(("list", space, prefix)) == {"variables": matching, "index": touched}
    for namespace in ("default", "a", "b"):
        found = model.get((namespace, "a"))
        expected = {"variable": found, "index": found["ModifyIndex"] if found else touched}
        assert machine.query(("get", namespace, "a")) == expected
