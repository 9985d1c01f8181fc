"""The log in memory (paper sections 5.3 and 5.4.1), from its base on (section 7).

Invariants: everything up to the base is compacted, its last term is kept; the entry at index i is
`entries[i - base_index - 1]`, the last one at `last_index`; terms never fall from one entry to the next.
"""

from __future__ import annotations

from collections.abc import Sequence

from raftsim.core.entry import Entry


class Log:
    def __init__(self, entries: Sequence[Entry], base_index: int = 0, base_term: int = 0) -> None:
        self._entries = list(entries)
        self.base_index = base_index
        self.base_term = base_term
        self.last_index = base_index + len(self._entries)

    @property
    def last_term(self) -> int:
        return self._entries[-1].term if self._entries else self.base_term

    def term_at(self, index: int) -> int | None:
        """The term of the entry at `index` (at the base, too). None below the base and beyond the end: not known."""
        place = index - self.base_index
        if place == 0:
            return self.base_term
        return self._entries[place - 1].term if 0 < place <= len(self._entries) else None

    def slice(self, lo: int, hi: int) -> list[Entry]:
        """The entries with lo < index <= hi; lo is not below the base."""
        assert self.base_index <= lo, (self.base_index, lo)
        return self._entries[lo - self.base_index : hi - self.base_index]

    def batch(self, lo: int, max_entries: int, max_bytes: int) -> tuple[list[Entry], int]:
        """Entries after `lo` within both limits, but at least one if there is any; and their size."""
        batch = self.slice(lo, lo + max_entries)
        total = 0
        for count, entry in enumerate(batch):
            size = entry.size
            if total + size > max_bytes and count > 0:
                return batch[:count], total
            total += size
        return batch, total

    def append(self, entries: Sequence[Entry]) -> None:
        self._entries.extend(entries)
        self.last_index += len(entries)

    def truncate(self, index: int) -> None:
        """Drop the entry at `index` and all after it."""
        assert self.base_index < index <= self.last_index + 1, (index, self.base_index, self.last_index)
        del self._entries[index - self.base_index - 1 :]
        self.last_index = index - 1

    def compact(self, index: int) -> None:
        """Forget the entries up to `index`, but for the term of the last."""
        term = self.term_at(index)
        assert term is not None, (index, self.base_index, self.last_index)
        del self._entries[: index - self.base_index]
        self.base_index, self.base_term = index, term

    def is_up_to_date(self, last_index: int, last_term: int) -> bool:
        """Whether a log that ends so is at least as up to date as this one (paper 5.4.1)."""
        return (last_term, last_index) >= (self.last_term, self.last_index)

    def first_conflict(self, first_index: int, entries: Sequence[Entry]) -> int | None:
        """The first index at or after `first_index` where `entries` add to or contradict this log, or None."""
        for index, entry in enumerate(entries, first_index):
            if self.term_at(index) != entry.term:
                return index
        return None

    def agreement_hint(self, index: int, term: int) -> tuple[int, int]:
        """The highest (index, term) at or below `index` with a term of at most `term`: logs cannot agree above it.

        Where the log is compacted its terms are not known, so the search ends at the base or, below it, at `index`.
        """
        index = min(index, self.last_index)
        while index > self.base_index:
            found = self._entries[index - self.base_index - 1].term
            if found <= term:
                return index, found
            index -= 1
        return index, self.base_term if index == self.base_index else 0
