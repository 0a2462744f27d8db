"""How many codes of a column are in which edition of their list, and why the rest is not: counts by cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, cast

from passerelle.contract import CodeList
from passerelle.profile.counts import FEW, SMALL, Count, masked
from passerelle.profile.editions import CAUSES, Cause, Edition, cause

NAMED: Final = 10
"""Codes named for one cause."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Codes that an edition does not list, for one cause: how many, in how many rows, and some of them.

    ``edition`` is the edition that the codes are of, where the cause knows it. ``rows`` is None where showing it would give
    back a masked count by subtraction. ``named`` has codes of a public list only where a row says nothing of a person, or at
    least ``SMALL`` rows share the code; a code of no list is named only where no row says anything of a person.
    """

    cause: Cause
    edition: str | None
    codes: int
    rows: Count | None
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one edition on file lists of a column: distinct codes and rows, and the rest by cause."""

    edition: str
    codes: int
    rows: Count
    rest: tuple[Rest, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """The code list that a column's contract declares, and how its codes stand to every edition on file.

    ``coverage`` begins with the declared edition, if that is on file; it is empty where the column may not be counted.
    """

    name: str
    version: str
    about: str
    coverage: tuple[Coverage, ...] = ()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Listing:
        """Read what ``asdict`` wrote. Raises KeyError, TypeError: it is not that."""
        coverage = tuple(
            Coverage(
                **{**one, "rest": tuple(Rest(**{**rest, "named": tuple(rest["named"])}) for rest in one["rest"])},
            )
            for one in value["coverage"]
        )
        return cls(**{**value, "coverage": coverage})


def listing(
    counts: Mapping[str, int], rows: int, editions: Sequence[Edition], declared: CodeList, *, personal: bool
) -> Listing:
    """How the codes of a column stand to each of ``editions``.

    Args:
        counts: rows by distinct code.
        rows: rows of the file, those without a code included.
        editions: those on file of the declared list, the declared one first.
        declared: the edition that the contract declares.
        personal: whether the file's rows say something of persons.
    """
    found = []
    for one in editions:
        causes = _causes(counts, one, [other for other in editions if other is not one], declared)
        found.append(_coverage(counts, rows, one, causes, personal=personal))
    return Listing(declared.name, declared.version, declared.about, tuple(found))


Why = tuple[Cause, str | None]


def _causes(
    counts: Mapping[str, int], against: Edition, others: Sequence[Edition], declared: CodeList
) -> dict[Why, Counter[str]]:
    """Rows by code of what ``against`` does not list, by cause and edition, in the order of ``CAUSES``."""
    causes: dict[Why, Counter[str]] = {}
    for code in counts.keys() - against.codes:
        why = cause(code, against, others, declared)
        if why is not None:
            causes.setdefault(why, Counter())[code] = counts[code]
    return dict(sorted(causes.items(), key=lambda item: (CAUSES.index(item[0][0]), item[0][1] or "")))


def _coverage(
    counts: Mapping[str, int], rows: int, against: Edition, causes: Mapping[Why, Counter[str]], *, personal: bool
) -> Coverage:
    rest = [
        Rest(why, of, len(codes), masked(codes.total(), rows), _named(codes, why, against, personal=personal))
        for (why, of), codes in causes.items()
    ]
    coded = sum(counts.values())
    listed = coded - sum(codes.total() for codes in causes.values())
    matched = len(counts) - sum(len(codes) for codes in causes.values())
    alone = masked(rows - coded, rows) == FEW
    return Coverage(against.version, matched, masked(listed, rows), tuple(_unsubtractable(rest, alone=alone)))


def _named(codes: Counter[str], why: Cause, against: Edition, *, personal: bool) -> tuple[str, ...]:
    """Former codes come with what replaced them."""
    public = why in {"replaced", "edition"}
    shown = sorted(code for code, rows in codes.items() if not personal or (public and rows >= SMALL))[:NAMED]
    return tuple(f"{code} → {against.replaced[code]}" if why == "replaced" else code for code in shown)


def _unsubtractable(rest: list[Rest], *, alone: bool) -> Iterable[Rest]:
    """One masked count alone comes back from the total: the smallest count beside it is then not shown either.

    ``alone`` says that the rows without a code are few, which is such a count as well.
    """
    shown = [one for one in rest if isinstance(one.rows, int)]
    if alone + sum(one.rows == FEW for one in rest) != 1 or not shown:
        return rest
    least = min(shown, key=lambda one: cast("int", one.rows))
    return [replace(one, rows=None) if one is least else one for one in rest]


def as_json(value: Listing) -> dict[str, Any]:
    """The listing as JSON values."""
    written = asdict(value)
    for one in written["coverage"]:
        one["rest"] = [{**rest, "named": list(rest["named"])} for rest in one["rest"]]
    written["coverage"] = list(written["coverage"])
    return written
