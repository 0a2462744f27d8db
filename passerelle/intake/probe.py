"""``probe``: a proposal of a dialect, with what speaks for it. It is printed and never applied: a person declares dialects.

Of the file it says formats and counts. Names of columns are part of the file: they are in the proposal and left out of what it
says unless they are asked for.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from passerelle.errors import IntakeError
from passerelle.intake.content import Content
from passerelle.intake.documents import MARKS, Sampled, sampled_json, sampled_lines, sampled_workbook
from passerelle.intake.explain import explaining
from passerelle.intake.limits import MAX_COLUMNS, MIN_PIECE_BYTES
from passerelle.intake.lines import PROBE_BYTES, PROBE_ROWS, sampled_text
from passerelle.intake.original import OnDisk
from passerelle.intake.outline import ENCODING, sampled_xml
from passerelle.intake.recognise import TEXT, kind_of
from passerelle.intake.scan import BOM, ENCODINGS
from passerelle.intake.shapes import SECRECY_MARKS, ColumnGuess, guess
from passerelle.intake.source import open_file

_FRENCH: Final = frozenset("àâäçéèêëîïôöùûüÿœæÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸŒÆ’‘“”«»–—…€°ß\u00a0")
_XML: Final = ("XML or HTML",)
_DECLARATION: Final = 256
_SINGLE: Final = ("cp1252", "iso-8859-15", "mac-roman")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a file looks like: settings of a Dialect, what speaks for each, and its columns; nothing is applied.

    ``settings`` has a Dialect's fields that are sure enough to propose, ``named`` those that hold words of the file;
    ``evidence`` has for each setting what was found, in counts; ``rows`` is how many rows were looked at, and ``whole`` whether
    that is the whole file. ``lists`` and ``days`` are as in ``Sampled``; ``joined`` has by column (from 1) the mark that most of
    its cells hold, where any holds one.
    """

    settings: dict[str, Any]
    evidence: dict[str, str]
    columns: tuple[ColumnGuess, ...]
    rows: int
    whole: bool
    warnings: tuple[str, ...] = field(default=())
    named: dict[str, Any] = field(default_factory=dict)
    lists: dict[str, tuple[str, str]] = field(default_factory=dict)
    days: tuple[int, ...] = ()
    joined: dict[int, str] = field(default_factory=dict)

    def as_json(self, *, show_header: bool = False) -> dict[str, Any]:
        """The proposal as JSON; the names of the columns only with ``show_header``."""
        columns = [
            {"column": one.place, "guess": one.main, "shapes": one.shapes, "marks": one.marks, "flaws": one.flaws}
            | ({"name": one.name} if show_header else {})
            for one in self.columns
        ]
        return {
            "applied": False, "settings": self.settings, "evidence": self.evidence, "columns": columns,
            "rows_looked_at": self.rows, "whole_file": self.whole, "warnings": list(self.warnings),
        } | ({"named": self.named} if show_header else {})  # fmt: skip


def probe(path: Path) -> Proposal:
    """Look at the beginning of a file.

    Raises:
        IntakeError: it is no readable regular file, over a limit, or in no format that has a reader.
    """
    with explaining():
        return _probed(path)


def _probed(path: Path) -> Proposal:
    original = OnDisk(open_file(path))
    try:
        content = Content(original, MIN_PIECE_BYTES)
        head = content.head(PROBE_BYTES + 1)
        if not head:
            raise IntakeError("expected a file with something in it, came an empty one", where="input")
        whole = len(head) <= PROBE_BYTES
        settings: dict[str, Any] = {"packings": [content.packing]}
        kind = _kind(head)
        if head.startswith(b"PK"):
            sample = sampled_workbook(content.file, PROBE_ROWS)
            return _proposal(settings, {}, sample, whole=sample.whole)
        if not kind.startswith(TEXT) and kind not in {"JSON", "XML or HTML"}:
            raise IntakeError(f"expected CSV, JSON, XML or a workbook, came {kind}", where="input")
        if (at := head.find(b"\0")) >= 0:
            raise IntakeError("expected CSV, JSON, XML or a workbook, came a NUL byte", where=_place(head, at))
        encoding, evidence, warnings = _encoding(
            head, said=ENCODING.search(head[:_DECLARATION]) if kind in _XML else None
        )
        settings["encoding"] = encoding
        text = head.removeprefix(BOM)[:PROBE_BYTES].decode(encoding.removesuffix("-sig"), "replace")
        if not text.strip():
            raise IntakeError("expected a file with something in it, came one without a column", where="input")
        sample = _sampled(text, kind, whole=whole)
        sample.warnings.extend(warnings)
        return _proposal(settings, evidence, sample, whole=whole)
    finally:
        original.close()


def _kind(head: bytes) -> str:
    """As ``kind_of``, where a byte order mark or blank lines may stand before a document."""
    kind = kind_of(head)
    within = kind_of(head.removeprefix(BOM).lstrip())
    return within if kind.startswith(TEXT) and within in {"JSON", *_XML} else kind


def _place(head: bytes, at: int) -> str:
    lines = head[:at].split(b"\n")
    return f"line {len(lines)}, byte {len(lines[-1]) + 1}"


def _sampled(text: str, kind: str, *, whole: bool) -> Sampled:
    if kind == "JSON":
        lines = sampled_lines(text, PROBE_ROWS, whole=whole)
        return lines or sampled_json(text, PROBE_ROWS)
    if kind in _XML:
        return sampled_xml(text, PROBE_ROWS)
    return sampled_text(text, whole=whole)


def _proposal(settings: dict[str, Any], evidence: dict[str, str], sample: Sampled, *, whole: bool) -> Proposal:
    if not sample.width:
        raise IntakeError("expected a file with something in it, came one without a column", where="input")
    if sample.width > MAX_COLUMNS:
        raise IntakeError(f"expected at most {MAX_COLUMNS} columns, came {sample.width}", where="input")
    settings, evidence = settings | sample.settings, evidence | sample.evidence
    columns = tuple(
        guess(place + 1, sample.names[place] if sample.names else None, (row[place] for row in sample.rows))
        for place in range(sample.width)
    )
    _from_columns(columns, settings, evidence)
    rows, warnings = len(sample.rows), tuple(sample.warnings)
    joined = {
        place + 1: mark for place in range(sample.width) if (mark := _joined([row[place] for row in sample.rows]))
    }
    return Proposal(settings, evidence, columns, rows, whole, warnings, sample.named, sample.lists, sample.days, joined)


def _joined(cells: Sequence[str]) -> str | None:
    """The mark that most of the cells hold; None: none does."""
    counts = Counter(mark for cell in cells for mark in MARKS if mark in cell)
    return max(counts, key=lambda mark: counts[mark]) if counts else None


def _from_columns(columns: Sequence[ColumnGuess], settings: dict[str, Any], evidence: dict[str, str]) -> None:
    """The settings that the cells speak for."""
    shapes: Counter[str] = Counter()
    marks: Counter[str] = Counter()
    flaws: Counter[str] = Counter()
    for column in columns:
        shapes.update(column.shapes)
        marks.update(column.marks)
        flaws.update(column.flaws)
    comma, point = shapes["decimal with comma"], shapes["decimal with point"]
    if comma or point:
        settings["decimal"] = "," if comma > point else "."
        evidence["decimal"] = f"{comma} decimals with a comma, {point} with a point"
    dates = {name[5:]: count for name, count in shapes.items() if name.startswith("date ")}
    if dates:
        often = sorted(dates, key=lambda name: -dates[name])
        evidence["date_formats"] = ", ".join(f"{dates[name]} cells like {name}" for name in often)
        if whole_days := [name for name in often if "%H" not in name]:
            settings["date_formats"] = whole_days
    nulls = [mark for mark in marks if mark not in SECRECY_MARKS]
    settings["nulls"] = ["", *sorted(nulls)]
    evidence["nulls"] = ", ".join(
        [f"{shapes['empty']} empty cells", *(f"{marks[mark]} {mark}" for mark in sorted(nulls))]
    )
    if marks["*"]:
        settings["secrecy"] = ("*",)
        evidence["secrecy"] = f"{marks['*']} cells are *"
    if flaws["spaces around"]:
        settings["trim"] = True
        evidence["trim"] = f"{flaws['spaces around']} cells with spaces around them"
    if flaws["no-break space"]:
        settings["nbsp"] = True
        evidence["nbsp"] = f"{flaws['no-break space']} cells with a no-break space"


def _encoding(head: bytes, *, said: re.Match[bytes] | None) -> tuple[str, dict[str, str], list[str]]:
    """The encoding that the bytes, or an XML declaration, speak for, with the evidence and what to look at."""
    marked = head.startswith(BOM)
    high = len(head) - len(head.translate(None, bytes(range(128, 256))))
    try:
        text = head.decode()
        fault = None
    except UnicodeDecodeError as error:
        fault = error.start
        text = head[:fault].decode()
        if fault >= len(head) - 3 and len(head) > PROBE_BYTES:  # cut inside a character
            fault = None
    if said is not None and (name := _declared(said[1])) not in {None, "utf-8"}:
        return str(name), {"encoding": f"the document says so; {high} bytes beyond ASCII"}, []
    if fault is None:
        many = len(text) - len(text.encode("ascii", "ignore"))
        name = "utf-8-sig" if marked else "utf-8"
        fits = "" if high else ": every encoding fits"
        told = f"valid UTF-8, {many} characters beyond ASCII, {'a' if marked else 'no'} byte order mark{fits}"
        return name, {"encoding": told}, []
    scores = {codec: _french(head, codec) for codec in _SINGLE}
    best = max(_SINGLE, key=lambda codec: scores[codec])
    told = ", ".join(f"{codec} {scores[codec]}" for codec in _SINGLE)
    evidence = {
        "encoding": f"not UTF-8 at byte {fault + 1}; of {high} bytes beyond ASCII, French letters and signs: {told}"
    }
    valid = len(head.decode("utf-8", "ignore").encode()) - (len(head) - high)
    if marked or valid > high - valid:
        line = head.count(b"\n", 0, fault) + 1
        mixed = (
            f"{high - valid} bytes are not UTF-8 where {valid} are, the first in line {line}: two encodings in one file"
        )
        return "utf-8-sig" if marked else "utf-8", evidence, [mixed]
    return best, evidence, []


def _declared(name: bytes) -> str | None:
    """The encoding of a dialect that an XML declaration names."""
    try:
        codec = codecs.lookup(name.decode("ascii")).name
    except LookupError:
        return None
    return next((one for one, known in ENCODINGS.items() if codecs.lookup(known).name == codec), None)


def _french(head: bytes, codec: str) -> int:
    high = Counter(head.translate(None, bytes(range(128))))
    return sum(count for byte, count in high.items() if bytes([byte]).decode(codec, "ignore") in _FRENCH)
