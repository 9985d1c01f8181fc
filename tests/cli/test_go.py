"""Arguments in Go's style, read by a small command."""

from __future__ import annotations

from typing import Any

import click
import pytest

from raftsim.cli.go import GoCommand, GoGroup, Lazy, UnknownCommand, option


@click.command("probe", cls=GoCommand)
@option("json", dest="as_json", help="Boolean.")
@option("peer-id", "id", value="<id>", help="Text.")
@option("count", value="N", type=int, envvar="PROBE_COUNT", help="Number.")
@option("set", value="k=v", dest="settings", multiple=True, help="Repeated.")
@click.argument("words", metavar="<word>...", nargs=-1)
def probe(**found: Any) -> Any:
    return found


def read(*args: str) -> dict[str, Any]:
    with probe.make_context("probe", list(args)) as ctx:
        found = probe.invoke(ctx)
        assert isinstance(found, dict)
        return found


def complaint(*args: str) -> str:
    with pytest.raises(click.UsageError) as caught:
        read(*args)
    return caught.value.format_message()


def test_nothing_given_gives_the_defaults() -> None:
    assert read() == {"as_json": False, "peer_id": None, "count": None, "settings": (), "words": ()}


@pytest.mark.parametrize("word", ["-json", "--json", "-json=1", "-json=t", "--json=TRUE", "-json=True", "-json=T"])
def test_a_boolean_is_switched_on(word: str) -> None:
    assert read(word)["as_json"] is True


@pytest.mark.parametrize("word", ["-json=0", "-json=f", "--json=false", "-json=FALSE", "-json=False", "-json=F"])
def test_a_boolean_is_switched_off(word: str) -> None:
    assert read("-json", word)["as_json"] is False


def test_a_boolean_takes_no_word_after_it() -> None:
    assert read("-json", "false") == {**read("-json"), "words": ("false",)}


@pytest.mark.parametrize("args", [["-peer-id=a=b"], ["--peer-id=a=b"], ["-peer-id", "a=b"], ["--id", "a=b"]])
def test_a_value_in_every_form(args: list[str]) -> None:
    assert read(*args)["peer_id"] == "a=b"


def test_a_value_may_look_like_an_option() -> None:
    assert read("-peer-id", "-json") == {**read(), "peer_id": "-json"}
    assert read("-peer-id", "-help")["peer_id"] == "-help"


def test_an_empty_value_is_a_value() -> None:
    assert read("-peer-id=")["peer_id"] == ""


def test_the_last_value_wins_unless_all_are_kept() -> None:
    assert read("-count=1", "-count", "2", "-set=a=1", "--set", "b=2") == {
        **read(),
        "count": 2,
        "settings": ("a=1", "b=2"),
    }


def test_options_stand_anywhere_until_two_dashes() -> None:
    assert read("a", "-count=3", "-", "--", "-json", "--", "b") == {
        **read(),
        "count": 3,
        "words": ("a", "-", "-json", "--", "b"),
    }


def test_the_environment_is_beaten_by_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_COUNT", "7")
    assert read()["count"] == 7
    assert read("-count=8")["count"] == 8


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["-jsn"], "flag provided but not defined: -jsn (did you mean -json?)"),
        (["--zzz=1"], "flag provided but not defined: -zzz"),
        (["-json=maybe"], 'invalid boolean value "maybe" for -json'),
        (["-json="], 'invalid boolean value "" for -json'),
        (["-peer-id"], "flag needs an argument: -peer-id"),
        (["-count=x"], "Invalid value for -count: 'x' is not a valid integer."),
    ],
)
def test_wrong_options_are_named(args: list[str], message: str) -> None:
    assert complaint(*args) == message


@pytest.mark.parametrize(
    ("arguments", "args", "message"),
    [
        ([], ["x"], "This command takes no arguments"),
        (["<a>"], [], "This command takes one argument: <a>"),
        (["<a>"], ["x", "y"], "This command takes one argument: <a>"),
        (["<a>", "<b>"], ["x"], "This command takes two arguments: <a> <b>"),
        (["[<a>]"], ["x", "y"], "This command takes either no arguments or one: [<a>]"),
        (["<a>", "<b>..."], [], "This command takes at least one argument: <a> <b>..."),
    ],
)
def test_the_number_of_arguments(arguments: list[str], args: list[str], message: str) -> None:
    params: list[click.Parameter] = [
        click.Argument(
            [f"p{i}"],
            metavar=name,
            nargs=-1 if name.endswith("...") else 1,
            required=name[0] == "<" and "..." not in name,
        )
        for i, name in enumerate(arguments)
    ]
    command = GoCommand("probe", params=params, callback=lambda **_: None)
    with pytest.raises(click.UsageError) as caught:
        command.make_context("probe", args)
    assert caught.value.format_message() == message


def test_a_lazy_command_is_imported_when_it_is_asked_for() -> None:
    group = GoGroup("top", sections={"All": {"probe": Lazy("tests.cli.test_go:probe", "Probe")}})
    with group.make_context("top", ["probe", "-count=1", "x"]) as ctx:
        assert group.invoke(ctx) == {**read(), "count": 1, "words": ("x",)}


@pytest.mark.parametrize(
    ("word", "message"),
    [("prob", 'Unknown command "prob". Did you mean "probe"?'), ("xyz", 'Unknown command "xyz".')],
)
def test_an_unknown_command_is_told_its_neighbour(word: str, message: str) -> None:
    group = GoGroup("top", commands={"probe": probe})
    with pytest.raises(UnknownCommand) as caught, group.make_context("top", [word]) as ctx:
        group.invoke(ctx)
    assert caught.value.format_message() == message
