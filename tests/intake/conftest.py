"""Small files to read, and what they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from passerelle.contract import Dialect
from passerelle.intake import Source, open_source

Opened = Callable[..., Source]


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """Opens bytes as a source in one dialect of columns a, b, c; further arguments are the dialect's."""

    def open_bytes(data: bytes, *, batch_bytes: int = 4096, **declared: object) -> Source:
        path = tmp_path / "any"
        path.write_bytes(data)
        return open_source(path, [dialect(**declared)], batch_bytes=batch_bytes)

    return open_bytes


def dialect(**declared: object) -> Dialect:
    settings: dict[str, object] = {"id": "d", "sender": "s", "columns": {"a": "a", "b": "b", "c": "c"}, **declared}
    return Dialect(**settings)  # type: ignore[arg-type]  # the tests declare what they need


def read(source: Source) -> list[tuple[str | None, ...]]:
    """Every row of the second pass."""
    with source:
        return [tuple(row.values()) for batch in source.batches() for row in batch.rows.to_pylist()]
