"""Write into pages what their commands print now: `python -m tests.docs.refresh docs/tutorial.md`.

Output that agrees with its page is left as it is. Read what changed before you keep it: the text around it must agree.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docs.play import differences


def refresh(page: Path) -> int:
    """Play `page` and replace the output that differs. Returns how often."""
    with TemporaryDirectory() as directory:
        found = differences(page, Path(directory))
    lines = page.read_text().splitlines()
    for difference in reversed(found):
        first = difference.command.line - 1
        lines[first : first + len(difference.command.output)] = difference.actual
    page.write_text("\n".join(lines) + "\n")
    return len(found)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(f"{name}: {refresh(Path(name).absolute())} outputs replaced")  # noqa: T201
