"""Builds the profile of a file batch by batch; memory does not grow with the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from passerelle.contract import Column, Judgement, Kind, PersonClass
from passerelle.errors import OurWayError
from passerelle.profile.counts import SMALL, masked
from passerelle.profile.editions import Edition, known
from passerelle.profile.listing import Listing, listing
from passerelle.profile.model import ColumnProfile, Profile, RuleCount

TOP: Final = 20
"""Codes listed per column."""
DISTINCT_LIMIT = 50_000
"""Codes counted per column; beyond it the column is an identifier, not a classification."""
SECRET: Final = "*"  # noqa: S105 -- the secrecy mark of statistics, not a password


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

    def counts(self) -> dict[str, int] | None:
        """Rows by code; None beyond the limit."""
        if self._over:
            return None
        return dict(zip(self._seen["code"].to_pylist(), self._seen["n"].to_pylist(), strict=True))

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

    def __init__(self, column: Column, editions: Sequence[Edition], *, personal: bool) -> None:
        self._column = column
        self._editions = [] if column.codes is None else known(editions, column.codes)
        self._personal = personal
        open_ = column.person is PersonClass.NONE and column.identifier is None
        indirect = column.person is PersonClass.INDIRECT and column.identifier is None
        ranged = column.kind in {Kind.INTEGER, Kind.DECIMAL, Kind.DATE, Kind.COUNT}
        self._range = _Range() if open_ and ranged else None
        self._years = _Years() if indirect and column.kind is Kind.DATE else None
        coded = column.kind is Kind.CODE
        self._codes = _Codes() if open_ and coded else None
        self._listed = _Codes() if indirect and coded and self._editions else self._codes
        self._nulls = 0
        self._secret = 0

    def add(self, column: pa.ChunkedArray) -> None:
        self._nulls += column.null_count
        if self._column.kind is Kind.COUNT:
            column = self._without_secrets(column)
        for part in {self._range, self._years, self._codes, self._listed}:
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
            listing=self._listing(rows),
        )

    def _listing(self, rows: int) -> Listing | None:
        declared = self._column.codes
        if declared is None:
            return None
        counts = self._listed.counts() if self._listed and rows >= SMALL else None
        return listing(counts or {}, rows, self._editions if counts else (), declared, personal=self._personal)


class ProfileBuilder:
    """Adds judgements one by one; memory does not grow with the file.

    ``editions`` are the editions of code lists on file, which the columns' codes are held against.
    """

    def __init__(self, columns: Iterable[Column], editions: Sequence[Edition] = ()) -> None:
        columns = tuple(columns)
        personal = any(column.person is not PersonClass.NONE or column.identifier for column in columns)
        self._columns = {column.name: _ColumnBuilder(column, editions, personal=personal) for column in columns}
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
