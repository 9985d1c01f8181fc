"""The page of the HTTP API has every endpoint, parameter, header and error text of the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import raftsim.http
from raftsim.http import routes
from raftsim.http.words import failure
from raftsim.node import requests
from raftsim.node.requests import LAST_VOTER, NOT_FOUND, REFUSED, UNKNOWN, Outcome
from raftsim.sim.world import World
from tests.docs.tables import REFERENCE, marked, table, tables

PAGE = REFERENCE / "http-api.md"
TEXT = PAGE.read_text()
SOURCES = sorted(Path(raftsim.http.__path__[0]).glob("*.py"))
DETAILS = {
    NOT_FOUND: {"address": "ADDRESS"},
    LAST_VOTER: (),
    "unreachable": "ADDRESS",
    "busy": "LIMIT",
    "invalid": "...",
    "lagging": "...",
}


def errors() -> set[tuple[int, str]]:
    """Status and text of each row, several texts in a row apart."""
    rows = table(PAGE, "Errors").rows
    return {
        (int(row[0].strip("`")), text)
        for row in rows
        for text in re.findall(r"``(.+?)``|`(.+?)`", row[1])
        for text in text
        if text
    }


def test_every_endpoint_is_there_and_no_other() -> None:
    paths = {marked(row[0])[0].split()[1] for row in table(PAGE, "Endpoints").rows}
    exact = {"/".join(segment or "" for segment in segments) for segments in routes._EXACT}
    trees = {"/".join(segment or "" for segment in segments) for segments in routes._SUBTREES}
    assert exact <= paths
    assert {path for path in paths - exact if not path.startswith(tuple(trees))} == set()
    assert all(any(path.startswith(f"{tree}/") for path in paths) for tree in trees)


def test_every_parameter_that_is_read_is_there() -> None:
    read = set()
    for source in SOURCES:
        text = source.read_text()
        read |= set(re.findall(r'(?:query|request\.query)\.(?:first|get)\("(\w+)"', text))
        read |= set(re.findall(r'"(\w+)" (?:not )?in (?:request\.)?query\b', text))
    documented = set(table(PAGE, "Parameters").column("Means"))
    assert documented == read


def test_every_header_that_is_sent_is_there() -> None:
    literals = {
        name
        for source in SOURCES
        for name in re.findall(r'(?:"|\\n)((?:X-|Raftsim)[\w-]*)(?:"|: )', source.read_text())
    }
    assert set(table(PAGE, "Headers").column("Means")) == {name for name in literals if name != "Raftsim"} | {"Raftsim"}


def test_every_outcome_is_there_in_its_words() -> None:
    reasons = {value for name, value in vars(requests).items() if name.isupper() and isinstance(value, str)}
    documented = errors()
    for reason in sorted(reasons - {requests.OK, REFUSED, UNKNOWN}):
        detail = DETAILS.get(reason)
        for outcome in (
            Outcome("refused", reason=reason, detail=detail),
            Outcome("unknown", reason=reason, detail=detail),
        ):
            answer = failure(outcome)
            assert (answer.status, answer.body.decode()) in documented


def test_every_error_that_handlers_raise_is_there() -> None:
    texts = {text for source in SOURCES for text in raised(ast.parse(source.read_text()))}
    assert len(texts) > 15
    for text in texts:
        assert any(text in known for _, known in errors()) or text in TEXT, text


def raised(tree: ast.AST) -> list[str]:
    """The constant beginnings of the texts that are given to HttpError."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "HttpError":
            text = node.args[1]
            first = text.values[0] if isinstance(text, ast.JoinedStr) else text
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.append(first.value.strip())
    return found


def test_the_keys_of_a_status() -> None:
    node = World(1, seed=1).hosts["n1"].node
    assert node is not None
    status = node.status()
    keys, why = tables(PAGE, "raftsim")
    assert sorted(keys.column("Means")) == sorted(status)
    assert list(why.column("Means")) == list(status["why"])
