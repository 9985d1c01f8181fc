"""The transcripts in tests/transcripts: what the servers say to each other, written down and read by people.

After a change that is meant, write them anew and read the difference: `python -m tests.core.test_transcripts`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.transcript import play

TRANSCRIPTS = sorted((Path(__file__).parent.parent / "transcripts").glob("*.txt"))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(path: Path) -> None:
    text = path.read_text()
    assert play(text) == text


def test_they_are_there_and_each_says_something() -> None:
    assert len(TRANSCRIPTS) >= 6
    for path in TRANSCRIPTS:
        assert sum(line.startswith("  ") for line in path.read_text().splitlines()) > 10, path


def test_a_transcript_that_is_wrong_is_found() -> None:
    for path in TRANSCRIPTS:
        lines = path.read_text().splitlines()
        output = next(number for number, line in enumerate(lines) if line.startswith("  "))
        assert play("\n".join(lines[:output] + lines[output + 1 :])) == path.read_text()


if __name__ == "__main__":
    for path in TRANSCRIPTS:
        path.write_text(play(path.read_text()))
