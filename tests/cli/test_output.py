from __future__ import annotations

import pytest

from raftsim.cli.output import columnize, format_kv, format_list, go_quote


def test_a_table_has_two_spaces_and_an_unpadded_last_column() -> None:
    rows = [("Node", "ID"), ("n1.global", " a "), ("n2", "longer")]
    assert columnize(rows) == "Node       ID\nn1.global  a\nn2         longer"


def test_an_empty_cell_is_blank_in_a_table_and_marked_in_a_list() -> None:
    rows = [("a", "", "c"), ("a", "b", "")]
    assert columnize(rows) == "a     c\na  b  "
    assert format_list(rows) == "a  <none>  c\na  b       <none>"


def test_keys_are_padded_and_glued_to_their_values() -> None:
    assert format_kv([("Path", "a b"), ("Namespace", "")]) == "Path      = a b\nNamespace = <none>"


def test_rows_may_have_unequal_lengths() -> None:
    assert columnize([("a",), ("bb", "c")]) == "a\nbb  c"
    assert columnize([]) == ""


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("n1", '"n1"'),
        ('a"b\\c', r'"a\"b\\c"'),
        ("\t\n\a\x1b\x7f", r'"\t\n\a\x1b\x7f"'),
        ("é☃", '"é☃"'),
        ("\u200b\U000e0001", r'"\u200b\U000e0001"'),
    ],
)
def test_quotes_are_those_of_go(text: str, quoted: str) -> None:
    assert go_quote(text) == quoted
