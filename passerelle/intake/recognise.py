"""Which of the declared dialects a file is in: the one whose header is the file's, exactly. Nothing is guessed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from passerelle.contract import Dialect
from passerelle.errors import IntakeError, UsageError
from passerelle.intake.chunks import check_envelope
from passerelle.intake.limits import MAX_COLUMNS
from passerelle.intake.scan import BOM

WORKBOOK: Final = b"PK\x03\x04"
_KINDS: Final = (
    (WORKBOOK, "a workbook or zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\x1f\x8b", "a gzip file"),
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "an old binary workbook or document"),
    (b"PAR1", "a Parquet file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"\xff\xfe\0\0", "UTF-32 text"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
    (b"<", "XML or HTML"),
    (b"{", "JSON"),
    (b"[", "JSON"),
)
TEXT: Final = "text"
_OLE: Final = b"\xd0\xcf\x11\xe0"
_PASSWORD: Final = "EncryptedPackage".encode("utf-16-le")
_HINT: Final = "check the version of the format, its separator and its encoding with the sender"


def kind_of(head: bytes) -> str:
    """What a file that begins with ``head`` looks like, for a message."""
    if head.startswith(_OLE) and _PASSWORD in head:
        return "a workbook under a password"
    found = next((kind for magic, kind in _KINDS if head.startswith(magic)), None)
    if found is not None:
        return found
    if len(head) > 1 and (head[1::2].count(0) > len(head) // 4 or head[::2].count(0) > len(head) // 4):
        return "UTF-16 text"
    if head.startswith(BOM):
        return "text with a byte order mark"
    return "text whose lines end with CR" if b"\r" in head and b"\n" not in head else TEXT


def is_workbook(head: bytes) -> bool:
    """Whether ``head`` begins an Office Open XML file."""
    return head.startswith(WORKBOOK)


def check_declared(dialects: Sequence[Dialect]) -> None:
    """Refuse declarations that cannot be carried out.

    Raises:
        UsageError: no dialect, two headers for one contract column, or more columns than the limit.
    """
    if not dialects:
        raise UsageError("no dialect is declared for this input")
    for dialect in dialects:
        targets = [target for target in dialect.columns.values() if target is not None]
        if not all(targets) or not targets or len(set(targets)) < len(targets) or len(dialect.columns) > MAX_COLUMNS:
            raise UsageError(f"dialect {dialect.id}: its columns must be 1 to {MAX_COLUMNS}, each read at most once")
        if strange := {*dialect.serial_dates, *dialect.multivalue} - set(targets):
            raise UsageError(f"dialect {dialect.id}: {len(strange)} columns with settings are not read")
        if not dialect.packings or dialect.short_rows < 0 or (dialect.serial_dates and not dialect.date_formats):
            raise UsageError(f"dialect {dialect.id}: packings, short rows or date formats that read nothing")
        check_envelope(dialect)


def first_difference(dialect: Dialect, came: Sequence[str | None]) -> int | None:
    """The first column, from 1, where ``came`` is not the header of ``dialect`` (None: it is)."""
    expected = list(dialect.columns)
    if list(came) == expected:
        return None
    pairs = zip(expected, came, strict=False)
    return next((place for place, (a, b) in enumerate(pairs, 1) if a != b), min(len(expected), len(came)) + 1)


def choose(candidates: Sequence[tuple[Dialect, Sequence[str | None] | None]], head: bytes) -> Dialect:
    """The one dialect whose header came.

    Args:
        candidates: each dialect with the header as it reads it, None where it cannot read one.
        head: the first bytes of the file, to say what kind of file came.

    Raises:
        IntakeError: none fits, or several; the message holds no word of the file.
    """
    fitting = [dialect for dialect, came in candidates if came is not None and first_difference(dialect, came) is None]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(dialect.id for dialect in fitting)
        raise IntakeError(f"the header fits {len(fitting)} dialects: {names}", where="input", hint="name the sender")
    read = [(dialect, came) for dialect, came in candidates if came is not None]
    if not read or (not kind_of(head).startswith(TEXT) and all(dialect.format == "csv" for dialect, _ in read)):
        expected = ", ".join(_described(dialect) for dialect, _ in candidates)
        raise IntakeError(f"expected a header of {expected}, came {kind_of(head)}", where="input", hint=_HINT)
    dialect, came = max(
        read, key=lambda pair: (first_difference(*pair) or 0, -abs(len(pair[0].columns) - len(pair[1])))
    )
    others = f" (the nearest of {len(candidates)} dialects)" if len(candidates) > 1 else ""
    raise IntakeError(
        f"expected the {len(dialect.columns)} columns of dialect {dialect.id}{others}, came {len(came)}; "
        f"first difference at column {first_difference(dialect, came)}",
        where="input",
        hint=_HINT,
    )


def _described(dialect: Dialect) -> str:
    place = dialect.encoding if dialect.format != "xlsx" else f"sheet {dialect.sheet}" if dialect.sheet else "any sheet"
    after = f", after {len(dialect.lead)} declared lines" if dialect.lead else ""
    return f"{dialect.id} ({dialect.format}, {place}, {len(dialect.columns)} columns{after})"
