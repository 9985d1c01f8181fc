"""The runner itself: it does what a page says, and notices when that is not so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.play import Difference, differences


def play(tmp_path: Path, text: str) -> list[Difference]:
    page = tmp_path / "page.md"
    page.write_text(text)
    directory = tmp_path / "play"
    directory.mkdir()
    return differences(page, directory)


def test_a_page_is_one_story(tmp_path: Path) -> None:
    page = """
```text file=note
4646
```
```console
$ mkdir deep; cd deep; word=kept
$ cat ../note; echo $word; echo $HOME
4646
kept
/home/you
$ if true; then
>   echo two lines
> fi
two lines
$ false
$ echo $?
1
```
"""
    assert play(tmp_path, page) == []


def test_a_port_on_a_page_is_a_free_one(tmp_path: Path) -> None:
    page = """
```console
$ echo $NOMAD_ADDR
http://127.0.0.1:4646
$ test $NOMAD_ADDR = http://127.0.0.1:4646 && echo the same
the same
$ test $NOMAD_ADDR = http://127.0.0.1:46""46 || echo in truth another
in truth another
```
"""
    assert play(tmp_path, page) == []


def test_what_differs_is_found_with_its_line(tmp_path: Path) -> None:
    (found,) = play(tmp_path, "```console\n$ echo a\na\n$ echo b\nc\n```\n")
    assert (found.command.text, found.command.line, found.actual) == ("echo b", 5, ["b"])


def test_a_terminal_goes_on_until_it_is_interrupted(tmp_path: Path) -> None:
    page = """
```console terminal=1
$ python -u -c 'import time; print("one"); print("two"); time.sleep(60)'
one
```
```console terminal=1
two
^C
…
KeyboardInterrupt
```
"""
    assert play(tmp_path, page) == []


@pytest.mark.parametrize("block", ["```console terminal=1\n$ sleep 60\n```\n", "```console\n$ sleep 60 &\n```\n"])
def test_what_a_page_leaves_running_is_an_error(tmp_path: Path, block: str) -> None:
    with pytest.raises(AssertionError, match="the page does not stop"):
        play(tmp_path, block)
