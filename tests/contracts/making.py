"""Samples read without the gateway's intake, so that contracts are tested alone."""

from __future__ import annotations

import csv
from datetime import date
from typing import Final

import pyarrow as pa

from contracts.registry import contract
from contracts.samples import sample
from passerelle.contract import Batch

DAY: Final = date(2026, 11, 30)
"""As of which tests judge rows: no sample tells of what happens later."""


def sampled(contract_id: str, rows: int, bad_rate: float, seed: int = 0) -> Batch:
    """A sample as one batch of text columns."""
    text = b"".join(sample(contract_id, rows, bad_rate, seed)).decode("cp1252")
    header, *lines = csv.reader(text.splitlines(), delimiter=";")
    assert header == list(contract(contract_id).dialect("hub").columns)
    columns = zip(*lines, strict=True) if lines else ((),) * len(header)
    names = zip(header, columns, strict=True)
    return Batch(pa.table({name: pa.array([v or None for v in values], pa.string()) for name, values in names}), 1)
