"""Personal data found in a column of free text, a whole batch at a time.

A text is cut into pieces: those that a kind has claimed, and those still free. Each kind looks at the free pieces only, so that
nothing is counted twice, and the text with its data masked is its pieces put together again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from passerelle.freetext.patterns import BREAK, KINDS, PATTERNS, TOKENS
from passerelle.freetext.validity import VALIDITY

if TYPE_CHECKING:
    import polars as pl

MARK: Final = "\ufdd0"
"""A noncharacter of Unicode, meant for no text: it bounds candidates while a text is being cut."""
_BREAK = "break"
_CONTEXT = 40  # characters of a neighbour that are looked at


@dataclass(frozen=True)
class Spotted:
    """What a column of n texts holds: per kind, how many in each row, (n,) int64."""

    counts: Mapping[str, npt.NDArray[np.int64]]
    _column: pa.ChunkedArray
    _pieces: pl.DataFrame

    def totals(self) -> dict[str, int]:
        """How many of each kind in all (kinds that there are)."""
        return {kind: total for kind, found in self.counts.items() if (total := int(found.sum()))}

    def masked(self, kinds: Collection[str]) -> pa.ChunkedArray:
        """The column with each datum of ``kinds`` replaced by its token; other rows are untouched."""
        import polars as pl

        tokens = {kind: TOKENS[kind] for kind in kinds}
        claimed = pl.col("kind").is_in(list(tokens))
        rewritten = (
            self._pieces.filter(claimed.any().over("row"))
            .with_columns(
                text=pl.when(claimed)
                .then(pl.col("kind").replace_strict(tokens, default=None, return_dtype=pl.String))
                .otherwise("text")
            )
            .group_by("row", maintain_order=True)
            .agg(pl.col("text").str.join(""))
        )
        if rewritten.is_empty():
            return self._column
        mask = np.zeros(len(self._column), np.bool_)
        mask[rewritten["row"].to_numpy()] = True
        whole = self._column.combine_chunks()
        new = rewritten["text"].to_arrow().cast(whole.type)
        return pa.chunked_array([pc.replace_with_mask(whole, pa.array(mask), new)])


def spot(column: pa.ChunkedArray) -> Spotted:
    """Find personal data in a column of text; a null has none."""
    import polars as pl

    frame = pl.DataFrame({"text": pl.Series(pl.from_arrow(column), dtype=pl.String)}).with_row_index("row")
    some = pl.any_horizontal([pl.col("text").str.contains(pattern) for pattern in PATTERNS.values()])
    pieces = frame.filter(some).select(
        "row", pl.lit(None, pl.String).alias("kind"), pl.col("text").str.replace_all(MARK, "", literal=True)
    )
    for kind in (_BREAK, *KINDS):
        pieces = _cut(pieces, kind)
    counts = {
        kind: np.bincount(pieces.filter(pl.col("kind") == kind)["row"].to_numpy(), minlength=len(column)).astype(
            np.int64
        )
        for kind in KINDS
    }
    return Spotted(counts, column, pieces)


def _cut(pieces: pl.DataFrame, kind: str) -> pl.DataFrame:
    """``pieces`` with what ``kind`` claims in pieces of its own."""
    import polars as pl

    pattern = BREAK if kind == _BREAK else PATTERNS[kind]
    wanted = pl.col("kind").is_null() & pl.col("text").str.contains(pattern)
    if pieces.select(~wanted.any()).item():
        return pieces
    marked = pl.col("text").str.replace_all(pattern, f"${{1}}${{3}}{MARK}${{2}}${{4}}{MARK}")
    parts = (
        pieces.with_columns(text=pl.when(wanted).then(marked).otherwise("text").str.split(MARK))
        .with_columns(place=pl.int_ranges(pl.col("text").list.len()))
        .explode("text", "place")
        .with_columns(before=_neighbour(1).str.tail(_CONTEXT), after=_neighbour(-1).str.head(_CONTEXT))
    )
    valid = pl.lit(value=True) if kind == _BREAK else VALIDITY[kind]()
    claimed = (pl.col("place") % 2 == 1) & valid.fill_null(value=False)
    return _joined(parts.with_columns(kind=pl.when(claimed).then(pl.lit(kind)).otherwise("kind")))


def _neighbour(by: int) -> pl.Expr:
    import polars as pl

    same = pl.col("row").shift(by) == pl.col("row")
    return pl.when(same).then(pl.col("text").shift(by)).otherwise(pl.lit("")).fill_null("")


def _joined(parts: pl.DataFrame) -> pl.DataFrame:
    """Free pieces that follow each other, put together again: a candidate refused must not hide another kind's."""
    import polars as pl

    claimed = pl.col("kind").is_not_null()
    begins = claimed | claimed.shift(1, fill_value=True) | (pl.col("row") != pl.col("row").shift(1))
    return (
        parts.with_columns(run=begins.fill_null(value=True).cum_sum())
        .group_by("run", maintain_order=True)
        .agg(pl.col("row").first(), pl.col("kind").first(), pl.col("text").str.join(""))
        .drop("run")
    )
