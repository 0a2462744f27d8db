"""A batch against its root in the trail: which line was edited, deleted, inserted, moved. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from passerelle.trail import merkle

Code = Literal["edited", "deleted", "inserted", "reordered", "altered", "hashes_altered", "restored", "back_dated"]
HASH = merkle.HASH_SIZE


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: ``number`` is the line's in the log; ``first`` and ``last`` are its batch's.

    ``altered``: the batch does not give its root, and its stored hashes are no help to say which line. ``hashes_altered``: its
    lines are good, its stored hashes are not. ``restored``: lines are back that had expired. ``back_dated``: a line that no
    batch holds yet is older than what was sealed before it.
    """

    code: Code
    first: int
    last: int
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Anchor:
    """A batch as the trail tells it."""

    first: int
    last: int
    root: bytes
    until: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A line as it stands: its number, and the hash of what it says now (empty: it is no line any more)."""

    number: int
    hash: bytes


def compare(anchor: Anchor, stored: bytes, rows: Sequence[Stored]) -> Iterator[Finding]:
    """What is wrong with the lines of one batch; ``stored`` are the hashes that it kept, one after the other."""
    kept = [stored[place : place + HASH] for place in range(0, len(stored), HASH)]
    whole = len(kept) == anchor.last - anchor.first + 1 and len(stored) % HASH == 0 and merkle.root(kept) == anchor.root
    numbers = list(range(anchor.first, anchor.last + 1))
    good = (
        [row.number for row in rows] == numbers
        and all(row.hash for row in rows)
        and merkle.root([row.hash for row in rows]) == anchor.root
    )
    if good:
        if not whole:
            yield Finding("hashes_altered", anchor.first, anchor.last)
        return
    if not whole:
        yield Finding("altered", anchor.first, anchor.last)
        return
    yield from _named(anchor, kept, rows)


def _named(anchor: Anchor, kept: list[bytes], rows: Sequence[Stored]) -> Iterator[Finding]:
    """Which lines, from the hashes that the batch kept and that the trail vouches for."""
    hashes = [row.hash for row in rows]
    lost, strange = Counter(kept) - Counter(hashes), Counter(hashes) - Counter(kept)
    told = False
    for code, a, b, c, d in SequenceMatcher(None, kept, hashes, autojunk=False).get_opcodes():
        if code == "equal":
            continue
        told = True
        gone, come = kept[a:b], rows[c:d]
        for offset in range(max(len(gone), len(come))):
            missing = offset < len(gone) and gone[offset] in lost
            new = offset < len(come) and come[offset].hash in strange
            number = anchor.first + a + offset if offset < len(gone) else come[offset].number
            if missing and new:
                yield Finding("edited", anchor.first, anchor.last, number)
                continue
            if missing:
                yield Finding("deleted", anchor.first, anchor.last, number)
            if new:
                yield Finding("inserted", anchor.first, anchor.last, come[offset].number)
            if not missing and not new:
                yield Finding("reordered", anchor.first, anchor.last, number)
    if not told:
        yield Finding("reordered", anchor.first, anchor.last)  # the lines are in order, their numbers are not
