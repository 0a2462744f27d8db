"""The profile of a batch or a file: aggregates only, built batch by batch, and the verdict that checks give on it.

What a column may show depends on what it says of a person (``PersonClass``):

    none              nulls, range of numbers and dates, and for codes: distinct count and the most frequent codes
    indirect          nulls; for dates the years that at least 11 rows share
    direct, special   nulls

A count of 1 to 10 rows is written ``<11`` and one that leaves 1 to 10 rows on the other side ``all but <11`` (at least 11
units, as French public statistics do). The three totals (read, accepted, rejected) are exact: the sender is told them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from passerelle.contract import Column, Judgement, Kind, PersonClass
from passerelle.errors import OurWayError

FORMAT = "passerelle-profile/1"
SMALL = 11  # rows; a count below it is masked
FEW: Literal["<11"] = "<11"
NEARLY_ALL: Literal["all but <11"] = "all but <11"
TOP = 20  # codes listed per column
DISTINCT_LIMIT = 50_000  # codes counted per column; beyond it the column is an identifier, not a classification
SECRET = "*"  # noqa: S105 -- the secrecy mark of statistics, not a password

Count = int | Literal["<11", "all but <11"]


def masked(count: int, total: int) -> Count:
    """``count`` of ``total`` rows, or the mark that replaces it when it or its complement is 1 to 10."""
    if 0 < count < SMALL:
        return FEW
    return NEARLY_ALL if 0 < total - count < SMALL else count


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """Aggregates of one column over the accepted rows; a field is None where the column may not or cannot show it."""

    name: str
    kind: Kind
    required: bool
    nulls: Count
    secret: Count | None = None
    lowest: str | None = None
    highest: str | None = None
    distinct: int | None = None
    top: tuple[tuple[str, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How many rows broke one rule in one column."""

    rule: str
    column: str
    rows: Count


@dataclass(frozen=True, slots=True)
class Profile:
    """Aggregates of the file of one period; ``as_json`` and ``from_json`` are inverse."""

    period: str
    read: int
    accepted: int
    rejected: int
    rules: tuple[RuleCount, ...]
    columns: tuple[ColumnProfile, ...]

    @property
    def rejected_share(self) -> float:
        """Rejected rows over rows read; 0 for a file without rows."""
        return self.rejected / self.read if self.read else 0.0

    def share(self, count: Count) -> float:
        """``count`` over accepted rows, to four decimals; a masked count is the end it is near to (0 or 1)."""
        if isinstance(count, int):
            return round(count / self.accepted, 4) if self.accepted else 0.0
        return 1.0 if count == NEARLY_ALL else 0.0

    def as_json(self) -> dict[str, Any]:
        """The profile as JSON values (strings and integers only, so that every canonical form agrees)."""
        columns = [{k: v for k, v in asdict(c).items() if v is not None} for c in self.columns]
        for column in columns:
            if "top" in column:
                column["top"] = [list(pair) for pair in column["top"]]
        return {
            "format": FORMAT,
            "period": self.period,
            "read": self.read,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "rules": [asdict(rule) for rule in self.rules],
            "columns": columns,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Profile:
        """Read what ``as_json`` wrote.

        Raises:
            OurWayError: the value is not a profile of this format.
        """
        try:
            if value["format"] != FORMAT:
                raise OurWayError(f"expected a profile of format {FORMAT}", where="profile")
            return cls(
                period=str(value["period"]),
                read=int(value["read"]),
                accepted=int(value["accepted"]),
                rejected=int(value["rejected"]),
                rules=tuple(RuleCount(**rule) for rule in value["rules"]),
                columns=tuple(_column(column) for column in value["columns"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            fault = "the stored profile does not have the expected members"
        raise OurWayError(fault, where="profile", hint="profiles are written by the gateway only; restore the database")


def _column(value: Mapping[str, Any]) -> ColumnProfile:
    top = value.get("top")
    pairs = None if top is None else tuple((str(code), int(rows)) for code, rows in top)
    return ColumnProfile(**{**value, "kind": Kind(value["kind"]), "top": pairs})


class _Codes:
    """Counts each code of a classification, up to ``DISTINCT_LIMIT`` codes."""

    def __init__(self) -> None:
        self._seen = pa.table({"code": pa.array([], pa.string()), "n": pa.array([], pa.int64())})
        self._over = False

    def add(self, column: pa.ChunkedArray) -> None:
        if self._over:
            return
        counts = column.drop_null().value_counts()
        fresh = pa.table({"code": counts.field("values").cast(pa.string()), "n": counts.field("counts")})
        merged = pa.concat_tables([self._seen, fresh]).group_by("code", use_threads=False).aggregate([("n", "sum")])
        self._over = merged.num_rows > DISTINCT_LIMIT
        self._seen = self._seen.slice(0, 0) if self._over else merged.rename_columns({"n_sum": "n"})

    def distinct(self) -> int | None:
        return None if self._over else self._seen.num_rows

    def top(self) -> tuple[tuple[str, int], ...] | None:
        if self._over:
            return None
        order = self._seen.sort_by([("n", "descending"), ("code", "ascending")]).slice(0, TOP).to_pydict()
        return tuple((c, n) for c, n in zip(order["code"], order["n"], strict=True) if n >= SMALL)


class _Years:
    """Counts rows by year, and shows the first and last year that at least ``SMALL`` rows share."""

    def __init__(self) -> None:
        self._rows = np.zeros(10_000, dtype=np.int64)

    def add(self, column: pa.ChunkedArray) -> None:
        years = pc.year(column.drop_null()).to_numpy()
        self._rows += np.bincount(years, minlength=10_000)[:10_000]

    def ends(self) -> tuple[str | None, str | None]:
        shared = np.flatnonzero(self._rows >= SMALL)
        return (f"{shared[0]:04d}", f"{shared[-1]:04d}") if shared.size else (None, None)


class _Range:
    """Lowest and highest number or date, shown when at least ``SMALL`` rows have one."""

    def __init__(self) -> None:
        self._rows = 0
        self._lowest: Any = None
        self._highest: Any = None

    def add(self, column: pa.ChunkedArray) -> None:
        rows = len(column) - column.null_count
        if not rows:
            return
        ends = pc.min_max(column).as_py()
        self._lowest = ends["min"] if self._rows == 0 else min(self._lowest, ends["min"])
        self._highest = ends["max"] if self._rows == 0 else max(self._highest, ends["max"])
        self._rows += rows

    def ends(self) -> tuple[str | None, str | None]:
        return (str(self._lowest), str(self._highest)) if self._rows >= SMALL else (None, None)


class _ColumnBuilder:
    """What may be counted of one column, by its kind and person class."""

    def __init__(self, column: Column) -> None:
        self._column = column
        open_ = column.person is PersonClass.NONE and column.identifier is None
        indirect = column.person is PersonClass.INDIRECT and column.identifier is None
        ranged = column.kind in {Kind.INTEGER, Kind.DECIMAL, Kind.DATE, Kind.COUNT}
        self._range = _Range() if open_ and ranged else None
        self._years = _Years() if indirect and column.kind is Kind.DATE else None
        self._codes = _Codes() if open_ and column.kind is Kind.CODE else None
        self._nulls = 0
        self._secret = 0

    def add(self, column: pa.ChunkedArray) -> None:
        self._nulls += column.null_count
        if self._column.kind is Kind.COUNT:
            column = self._without_secrets(column)
        for part in (self._range, self._years, self._codes):
            if part is not None:
                part.add(column)

    def _without_secrets(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        secret = pc.equal(column, SECRET)
        self._secret += pc.sum(secret).as_py() or 0
        return column.filter(pc.invert(secret)).cast(pa.int64())

    def finish(self, rows: int) -> ColumnProfile:
        ends = self._range or self._years
        lowest, highest = ends.ends() if ends else (None, None)
        return ColumnProfile(
            name=self._column.name,
            kind=self._column.kind,
            required=self._column.required,
            nulls=masked(self._nulls, rows),
            secret=masked(self._secret, rows) if self._column.kind is Kind.COUNT else None,
            lowest=lowest,
            highest=highest,
            distinct=self._codes.distinct() if self._codes and rows >= SMALL else None,
            top=self._codes.top() if self._codes else None,
        )


class ProfileBuilder:
    """Adds judgements one by one; memory does not grow with the file."""

    def __init__(self, columns: Iterable[Column]) -> None:
        self._columns = {column.name: _ColumnBuilder(column) for column in columns}
        if not self._columns:
            raise OurWayError("expected at least one column to profile", where="profile")
        self._accepted = 0
        self._rejected = 0
        self._rules: Counter[tuple[str, str]] = Counter()

    def add(self, judgement: Judgement) -> None:
        """Count one batch: its accepted table, its rejected rows and its failures."""
        self._accepted += len(judgement.accepted_rows)
        self._rejected += len(judgement.rejected_rows)
        for failure in judgement.failures:
            self._rules[failure.rule, failure.column] += len(failure.rows)
        for name, builder in self._columns.items():
            builder.add(judgement.accepted.column(name))

    def finish(self, period: str) -> Profile:
        """The profile of everything added, for ``period``."""
        read = self._accepted + self._rejected
        rules = sorted(self._rules.items())
        return Profile(
            period=period,
            read=read,
            accepted=self._accepted,
            rejected=self._rejected,
            rules=tuple(RuleCount(rule, column, masked(rows, read)) for (rule, column), rows in rules),
            columns=tuple(builder.finish(self._accepted) for builder in self._columns.values()),
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, said in French and English; ``observed_public`` is an aggregate that may be shown.

    A failed finding of level ``error`` stops the exchange; one of level ``warning`` is shown.
    """

    id: str
    passed: bool
    fr: str
    en: str
    observed_public: str | None = None
    level: Literal["error", "warning"] = "error"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checks say of a profile. Passed means that no check of level ``error`` failed."""

    passed: bool
    findings: tuple[Finding, ...]

    def __post_init__(self) -> None:
        if not self.findings:
            raise OurWayError("expected at least one check, none was run", where="checks")
        if self.passed != all(f.passed or f.level == "warning" for f in self.findings):
            raise OurWayError("the verdict contradicts its findings", where="checks")

    def as_json(self) -> dict[str, Any]:
        """The verdict as JSON values."""
        return {"passed": self.passed, "findings": [asdict(finding) for finding in self.findings]}
