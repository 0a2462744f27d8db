"""What a report says, as one JSON object (docs/spec/report.md).

Counts, ids, row numbers and sentences of the contract: no field takes a value of the file.
"""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

FORMAT = "passerelle-report/1"
FIRST_ROWS = 5

Text = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Instant = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")]
Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]
Positive = Annotated[int, Field(ge=1, le=2**53 - 1)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Bilingual(_Part):
    fr: Text
    en: Text


class Contract(_Part):
    """The data contract that judged the rows."""

    id: Word
    version: Word
    title: Bilingual


class Dialect(_Part):
    """How the file was read, as declared."""

    id: Word
    format: Word
    encoding: Word
    separator: Word
    decimal: Word
    date_formats: tuple[Word, ...]


class Outcome(_Part):
    """``delivered``: accepted rows went on; ``refused``: nothing did, and why; ``where`` is a line and column of the file."""

    state: Literal["delivered", "refused"]
    error: Word | None
    message: Bilingual | None
    hint: Bilingual | None
    where: Word | None


class Counts(_Part):
    """Rows."""

    read: Count
    accepted: Count
    rejected: Count


class Rule(_Part):
    """One rule broken in one column: by how many rows, the first of them (from 1, without the header), what was expected."""

    rule: Word
    column: Word
    label: Bilingual
    count: Positive
    first_rows: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=FIRST_ROWS)]
    expected: Bilingual


class Repair(_Part):
    """A repair that the dialect declares, and how many cells it mended."""

    repair: Word
    column: Word | None
    count: Positive
    says: Bilingual


class CodeList(_Part):
    """The edition of a code list that values were compared with; its first and last day where its publisher states them."""

    name: Word
    version: Word
    valid_from: Day | None
    valid_to: Day | None
    columns: Annotated[tuple[Word, ...], Field(min_length=1)]


class Check(_Part):
    """A check of the whole file that failed; of level ``error`` it refuses the file."""

    id: Word
    level: Literal["error", "warning"]
    fr: Text
    en: Text


class VerdictsNote(_Part):
    """Where the verdicts row by row are: in the parcel of that id, sealed to the sender, or why there are none."""

    state: Literal["sealed", "none"]
    parcel: Word | None
    reason: Literal["no_approved_key", "rows_not_judged", "returned_before"] | None
    hint: Bilingual | None


class Report(_Part):
    """The whole report."""

    format: Literal["passerelle-report/1"]
    run: Word
    written_at: Instant
    convention: Word
    exchange: Word
    title: Bilingual
    article: Word | None
    period: Word
    sender: Word
    contract: Contract
    dialect: Dialect | None
    outcome: Outcome
    tolerated_share: Annotated[float, Field(ge=0, le=1)]
    counts: Counts | None
    rules: tuple[Rule, ...]
    repairs: tuple[Repair, ...]
    code_lists: tuple[CodeList, ...]
    checks: tuple[Check, ...]
    verdicts: VerdictsNote


def as_bytes(report: Report) -> bytes:
    """The report as indented JSON in UTF-8, keys sorted, one final newline: the same report gives the same bytes."""
    value = report.model_dump(mode="json")
    return (json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()
