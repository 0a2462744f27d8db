"""pandera's polars backend, on a diet: each rule looks at the batch once, and no failing value is ever gathered.

pandera evaluates a check some five times (to ask whether it passed, for examples, for a report) and copies the schema at each
validation; of a batch of 20,000 rows that is more than half of the time. What it decides is the same.
"""

from __future__ import annotations

from typing import Any

import pandera.backends.polars.builtin_checks  # noqa: F401  (is_in, in_range)
import pandera.polars as pap
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.backends.base import ColumnInfo, CoreCheckResult
from pandera.backends.polars.components import ColumnBackend
from pandera.backends.polars.container import DataFrameSchemaBackend
from pandera.constants import CHECK_OUTPUT_KEY
from pandera.errors import FailureCaseMetadata, SchemaErrorReason


class _Valueless:
    """Gives no failure cases: they are the rows' values."""

    def failure_cases_metadata(self, *_: object) -> FailureCaseMetadata:
        return FailureCaseMetadata(failure_cases=pl.DataFrame(), message={}, error_counts={})


class _ColumnBackend(_Valueless, ColumnBackend):
    def run_check(
        self,
        check_obj: pl.LazyFrame,
        schema: pap.Column,  # noqa: ARG002  (pandera's form)
        check: pap.Check,
        check_index: int,
        *args: str,
    ) -> CoreCheckResult:
        judged = check._check_fn(PolarsData(check_obj, *args), **check._check_kwargs)  # noqa: SLF001  (as pandera's backend)
        return _result(judged.collect().to_series(), check, check_index, SchemaErrorReason.DATAFRAME_CHECK)

    def check_nullable(self, check_obj: pl.LazyFrame, schema: pap.Column) -> list[CoreCheckResult]:
        if schema.nullable:
            return []
        present = check_obj.select(pl.col(schema.selector).is_not_null()).collect().to_series()
        return [_result(present, "not_nullable", None, SchemaErrorReason.SERIES_CONTAINS_NULLS)]


def _result(judged: pl.Series, check: pap.Check | str, index: int | None, reason: SchemaErrorReason) -> CoreCheckResult:
    good = judged.fill_null(True) if judged.null_count() else judged
    return CoreCheckResult(
        passed=bool(good.all()),
        check=check,
        check_index=index,
        check_output=good.alias(CHECK_OUTPUT_KEY).to_frame(),
        reason_code=reason,
        message="",
    )


class _FrameBackend(_Valueless, DataFrameSchemaBackend):
    def collect_schema_components(
        self,
        check_obj: pl.LazyFrame,  # noqa: ARG002  (pandera's form)
        schema: pap.DataFrameSchema,
        column_info: ColumnInfo,
    ) -> list[Any]:
        return [column for name, column in schema.columns.items() if name not in column_info.absent_column_names]


class JudgedColumn(pap.Column):
    """pandera's column, on this backend."""


class JudgedFrame(pap.DataFrameSchema):
    """pandera's schema of a frame, on this backend."""


for _frame in (pl.LazyFrame, pl.DataFrame):
    JudgedColumn.register_backend(_frame, _ColumnBackend)
    JudgedFrame.register_backend(_frame, _FrameBackend)
