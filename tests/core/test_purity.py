"""The core does no I/O, reads no clock and draws no randomness of its own; and it stays small."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import pytest

import raftsim.core

ROOM = Path(raftsim.core.__file__).parent
FILES = sorted(ROOM.rglob("*.py"))
TREES = {path.name: ast.parse(path.read_text()) for path in FILES}
ALLOWED = {"__future__", "typing", "dataclasses", "collections", "collections.abc", "enum", "math", "random"}
MAX_CODE_LINES, MAX_FILE_LINES, MAX_FUNCTION_LINES = 1700, 300, 60
NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}

each_file = pytest.mark.parametrize("name", TREES)


def imports(tree: ast.Module) -> list[tuple[str, list[str]]]:
    """(module, names taken from it; [] for the module itself)."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, list[str]()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            found.append((node.module or "", [alias.name for alias in node.names]))
    return found


def test_all_of_the_core_is_looked_at() -> None:
    assert {"raft.py", "election.py", "replication.py", "membership.py", "reads.py", "log.py"} <= TREES.keys()


@each_file
def test_the_core_imports_itself_and_a_few_pure_modules(name: str) -> None:
    strangers = {
        module
        for module, _ in imports(TREES[name])
        if module not in ALLOWED and module != "raftsim.core" and not module.startswith("raftsim.core.")
    }
    assert not strangers


@each_file
def test_randomness_is_handed_in(name: str) -> None:
    """Only the type is imported; a generator made here, or the shared one, would not follow the seed of the world."""
    for module, names in imports(TREES[name]):
        assert module != "random" or names == ["Random"]
    calls = [node.func for node in ast.walk(TREES[name]) if isinstance(node, ast.Call)]
    assert "Random" not in {call.id for call in calls if isinstance(call, ast.Name)}


@each_file
def test_nothing_reaches_out_of_the_core(name: str) -> None:
    called = {node.id for node in ast.walk(TREES[name]) if isinstance(node, ast.Name)}
    assert not called & {"open", "print", "input", "exec", "eval", "__import__", "id_", "hash", "globals"}


@each_file
def test_functions_and_files_fit_on_a_screen_or_few(name: str) -> None:
    assert len((ROOM / name).read_text().splitlines()) <= MAX_FILE_LINES
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < MAX_FUNCTION_LINES, node.name


def code_lines(text: str) -> int:
    """How many lines hold code: neither blank nor only a comment nor part of a docstring."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines.difference_update(range(node.lineno, (node.end_lineno or 0) + 1))
    return len(lines)


def test_what_counts_as_a_line_of_code() -> None:
    comments = '"""Doc,\nof two lines."""\n\n# why\n'
    code = 'x = (\n    1  # one\n)\n\n\ndef f():\n    """Doc."""\n    return """a\n\nb"""\n'
    assert (code_lines(comments), code_lines(comments + code)) == (0, 7)


def test_the_core_is_small() -> None:
    assert sum(code_lines(path.read_text()) for path in FILES) <= MAX_CODE_LINES
