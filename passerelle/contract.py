"""What the engine knows of a data contract. The contracts themselves are in ``contracts/`` and come in as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Rows = npt.NDArray[np.int64]
Packing = Literal["plain", "zip", "gzip"]


class PersonClass(StrEnum):
    """How much a column says of a person (GDPR art. 4(1), 9)."""

    NONE = "none"
    INDIRECT = "indirect"
    DIRECT = "direct"
    SPECIAL = "special_category"


class Kind(StrEnum):
    """The type of a column in the machine format."""

    TEXT = "text"
    CODE = "code"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    BOOLEAN = "boolean"
    COUNT = "count"  # an integer, or the secrecy mark "*", or null: three different things


@dataclass(frozen=True, slots=True)
class CodeList:
    """One edition of a code list, by reference: values are not copied here.

    ``valid_from`` and ``valid_to`` are its first and last day, None where its publisher states none; ``about`` says what its
    codes stand for, where a change of edition moves borders (territory) or trades (occupation).
    """

    name: str
    version: str
    valid_from: date | None = None
    valid_to: date | None = None
    about: Literal["territory", "occupation", "other"] = "other"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a contract: its name, what it means in French and English, what it says of a person.

    ``identifier`` names the scheme of an identifier of persons ("nir", "france-travail", "email", …): such a column feeds
    the person index, and leaves only as a keyed pseudonym where the exchange says so. ``codes`` is the edition of the code
    list that its values are taken from: a share matched without it means nothing. ``many``: the cell is a list, ``;`` between
    its values once accepted, and each value is judged. ``free_text``: persons may be spoken of in it, so it leaves as the
    exchange's policy says. ``part``: what it is of the weak key of a person, name and birth date.
    """

    name: str
    fr: str
    en: str
    kind: Kind = Kind.TEXT
    person: PersonClass = PersonClass.NONE
    required: bool = True
    identifier: str | None = None
    codes: CodeList | None = None
    many: bool = False
    free_text: bool = False
    part: Literal["last_name", "first_name", "birth_date"] | None = None


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one sender writes one dataset: declared, never guessed.

    ``columns`` maps each header of the file, in order, to a column of the contract, or to None when it is read and dropped.
    ``date_formats`` are strptime patterns tried in that order; ``secrecy`` are the marks of statistical secrecy, neither null
    nor zero; ``trim`` is a declared, counted repair (surrounding whitespace, no-break space included); ``zero_fill`` maps a
    contract column to the width its lost leading zeros restore.

    ``packings`` are what the file may come in. CSV: ``escape`` makes the character after it text; without ``header``, the
    columns are by position; ``lead`` and ``trail`` are regular expressions of the lines before the header and after the last
    row. Declared, counted repairs: ``blank_lines`` are skipped, ``short_rows`` is how many columns at its end a row may
    lack, ``nbsp`` makes no-break spaces plain, ``serial_dates`` (contract columns) turns Excel's day numbers since
    ``serial_epoch`` into dates of the first of ``date_formats``. ``multivalue`` maps a contract column to the mark between
    its values. JSON and XML: ``columns`` are paths in a record, ``path`` says where the records are, ``rows`` what in a
    record makes a row, ``beside`` what else the document may hold, ``optional`` what a record may lack; ``namespace`` and
    ``schema`` (a path to its XSD) are the XML's. docs/spec/dialect.md has it all.
    """

    id: str
    sender: str
    columns: Mapping[str, str | None]
    format: Literal["csv", "xlsx", "json", "jsonl", "xml"] = "csv"
    encoding: str = "utf-8"
    separator: str = ";"
    quote: str | None = '"'
    line_end: Literal["lf", "crlf", "any", "cr"] = "any"
    decimal: Literal[".", ","] = "."
    nulls: tuple[str, ...] = ("",)
    secrecy: tuple[str, ...] = ()
    date_formats: tuple[str, ...] = ("%Y-%m-%d",)
    trim: bool = False
    zero_fill: Mapping[str, int] = field(default_factory=dict)
    sheet: str | None = None
    packings: tuple[Packing, ...] = ("plain", "zip", "gzip")
    escape: str | None = None
    header: bool = True
    lead: tuple[str, ...] = ()
    trail: tuple[str, ...] = ()
    blank_lines: bool = False
    short_rows: int = 0
    nbsp: bool = False
    serial_dates: tuple[str, ...] = ()
    serial_epoch: Literal[1900, 1904] = 1900
    multivalue: Mapping[str, str] = field(default_factory=dict)
    path: str = ""
    rows: str = ""
    beside: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    namespace: str | None = None
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Some consecutive rows of a file: text columns under the contract's names, null where the dialect says null.

    ``first_row`` is the number of the first row in the file, counted from 1 without the header.
    """

    rows: pa.Table
    first_row: int


@dataclass(frozen=True, slots=True)
class Failure:
    """One rule broken in one column by some rows (offsets in the batch)."""

    rule: str
    column: str
    rows: Rows


@dataclass(frozen=True, slots=True)
class Judgement:
    """A contract's answer on one batch: a pure function of the batch and of the day of the run.

    ``accepted`` has the contract's columns, typed, in the contract's order; ``accepted_rows`` and ``rejected_rows`` are
    offsets in the batch that part it in two; ``repairs`` counts declared repairs by name; ``notes`` are said of accepted rows
    and reject nothing.
    """

    accepted: pa.Table
    accepted_rows: Rows
    rejected_rows: Rows
    failures: tuple[Failure, ...]
    repairs: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[Failure, ...] = ()


class Contract(Protocol):
    """A data contract: one version of one dataset.

    Implementations MUST be stateless, MUST vectorise ``judge`` over the batch, and MUST NOT put a value of a row in an
    exception. Callers MUST treat rows named in ``unique`` duplicates (rule ``unique``) as rejected: uniqueness needs the whole
    file, so the engine judges it.
    """

    @property
    def id(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def title(self) -> Mapping[str, str]: ...
    @property
    def columns(self) -> tuple[Column, ...]: ...
    @property
    def unique(self) -> tuple[tuple[str, ...], ...]: ...
    @property
    def dialects(self) -> tuple[Dialect, ...]: ...
    def judge(self, batch: Batch, dialect: Dialect, day: date) -> Judgement: ...
    def compared(self, batch: Batch, dialect: Dialect, names: Sequence[str]) -> pa.Table:
        """The columns ``names`` as keys are compared: text, repaired, one writing for one value; null where there is none."""
        ...
