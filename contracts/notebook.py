"""Judging a pandas frame: for people at a notebook, not for the stream."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from contracts.base import refuse
from contracts.reading import SECRET
from contracts.rules import BETWEEN
from passerelle.contract import Batch, Dialect, Failure
from passerelle.errors import ContractError

if TYPE_CHECKING:
    from contracts.base import DataContract


def _dialect(contract: DataContract) -> Dialect:
    """What ``judge`` gives out, read again."""
    lists = {column.name: BETWEEN for column in contract.columns if column.many}
    return Dialect(id="notebook", sender="notebook", columns={}, secrecy=(SECRET,), multivalue=lists)


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    if pa.types.is_timestamp(column.type):
        column = pc.cast(column, pa.date32())
    if pa.types.is_floating(column.type) and _whole(column):
        column = pc.cast(column, pa.int64())
    return pc.cast(column, pa.string())


def _whole(column: pa.ChunkedArray) -> bool:
    """A column of integers with gaps comes as floating point from pandas."""
    return bool(pc.all(pc.equal(column, pc.round(column))).as_py() or False)


def _table(contract: DataContract, frame: pd.DataFrame) -> pa.Table:
    table: pa.Table | None = None
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        table = pa.table({str(name): _text(table[name]) for name in table.column_names})
    except (pa.ArrowException, TypeError, ValueError):
        table = None
    if table is None:  # raised here, outside the except: the original holds a value
        raise ContractError(
            "a column of the frame mixes types", where=contract.id, hint="give text, or one type a column"
        )
    expected = [column.name for column in contract.columns]
    strange = [name for name in table.column_names if name not in expected]
    missing = [column.name for column in contract.columns if column.required and column.name not in table.column_names]
    if strange or missing:
        raise ContractError(
            f"the frame lacks {missing or 'nothing'} and has {len(strange)} columns that the contract does not name",
            where=contract.id,
            hint=f"columns: {', '.join(expected)}",
        )
    return table


def _repeated(contract: DataContract, accepted: pa.Table, rows: np.ndarray) -> list[Failure]:
    frame = accepted.to_pandas(types_mapper=pd.ArrowDtype)
    failures = []
    for key in contract.unique:
        later = frame.duplicated(list(key)).to_numpy()
        if later.any():
            failures.append(Failure("unique", key[0], rows[later]))
    return failures


def validate(contract: DataContract, frame: pd.DataFrame, day: date) -> pd.DataFrame:
    """Judge ``frame`` as one batch as of ``day``, uniqueness included; give it back typed (Arrow-backed columns).

    Raises:
        ContractError: rows break the contract; counts by rule and column, never a value.
    """
    judgement = contract.judge(Batch(_table(contract, frame), first_row=1), _dialect(contract), day)
    failures = [*judgement.failures, *_repeated(contract, judgement.accepted, judgement.accepted_rows)]
    if failures:
        rejected = np.unique(np.concatenate([failure.rows for failure in failures])).size
        raise refuse(contract, len(frame), rejected, failures)
    accepted: pd.DataFrame = judgement.accepted.to_pandas(types_mapper=pd.ArrowDtype)
    return accepted
