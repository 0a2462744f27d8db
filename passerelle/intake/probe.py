"""``probe``: a proposal of a dialect, with what speaks for it. It is printed and never applied: a person declares dialects.

Of the file it says formats and counts. Names of columns are part of the file: they are in the proposal and left out of what it
says unless they are asked for.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from passerelle.errors import IntakeError
from passerelle.intake.content import Content
from passerelle.intake.documents import Sampled, sampled_json, sampled_lines, sampled_workbook, sampled_xml
from passerelle.intake.explain import explaining
from passerelle.intake.limits import MAX_COLUMNS, MIB, MIN_PIECE_BYTES
from passerelle.intake.original import OnDisk
from passerelle.intake.recognise import TEXT, kind_of
from passerelle.intake.scan import BOM
from passerelle.intake.shapes import SECRECY_MARKS, ColumnGuess, guess
from passerelle.intake.source import open_file

PROBE_BYTES: Final = 4 * MIB
"""How much of the file is looked at, from its beginning."""
PROBE_ROWS: Final = 5_000
_SEPARATORS: Final = (";", ",", "\t", "|")
_FRENCH: Final = frozenset("àâäçéèêëîïôöùûüÿœæÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸŒÆ’‘“”«»–—…€°ß\u00a0")
_SINGLE: Final = ("cp1252", "iso-8859-15", "mac-roman")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a file looks like: settings of a Dialect, what speaks for each, and its columns; nothing is applied.

    ``settings`` has a Dialect's fields that are sure enough to propose; ``evidence`` has for each setting what was found,
    in counts; ``rows`` is how many rows were looked at, and ``whole`` whether that is the whole file. ``path`` is where the
    records of a document are, in its own names.
    """

    settings: dict[str, Any]
    evidence: dict[str, str]
    columns: tuple[ColumnGuess, ...]
    rows: int
    whole: bool
    warnings: tuple[str, ...] = field(default=())
    path: str = ""

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
        } | ({"path": self.path} if show_header else {})  # fmt: skip


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
        kind = kind_of(head)
        if head.startswith(b"PK"):
            sample = sampled_workbook(content.file, PROBE_ROWS)
            return _proposal(settings, {}, sample, whole=sample.whole)
        if not kind.startswith(TEXT) and kind not in {"JSON", "XML or HTML"}:
            raise IntakeError(f"expected CSV, JSON, XML or a workbook, came {kind}", where="input")
        if (at := head.find(b"\0")) >= 0:
            raise IntakeError("expected CSV, JSON, XML or a workbook, came a NUL byte", where=_place(head, at))
        settings["encoding"], evidence = _encoding(head)
        text = head.removeprefix(BOM)[:PROBE_BYTES].decode(settings["encoding"].removesuffix("-sig"), "replace")
        return _proposal(settings, evidence, _sampled(text, kind, whole=whole), whole=whole)
    finally:
        original.close()


def _place(head: bytes, at: int) -> str:
    lines = head[:at].split(b"\n")
    return f"line {len(lines)}, byte {len(lines[-1]) + 1}"


def _sampled(text: str, kind: str, *, whole: bool) -> Sampled:
    if kind == "JSON":
        lines = sampled_lines(text, PROBE_ROWS, whole=whole)
        return lines or sampled_json(text, PROBE_ROWS)
    if kind.startswith("XML"):
        return sampled_xml(text, PROBE_ROWS)
    return _sampled_csv(text, whole=whole)


def _proposal(settings: dict[str, Any], evidence: dict[str, str], sample: Sampled, *, whole: bool) -> Proposal:
    if sample.width > MAX_COLUMNS:
        raise IntakeError(f"expected at most {MAX_COLUMNS} columns, came {sample.width}", where="input")
    settings, evidence = settings | sample.settings, evidence | sample.evidence
    columns = tuple(
        guess(place + 1, sample.names[place] if sample.names else None, (row[place] for row in sample.rows))
        for place in range(sample.width)
    )
    _from_columns(columns, settings, evidence)
    return Proposal(settings, evidence, columns, len(sample.rows), whole, tuple(sample.warnings), sample.path)


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
        settings["date_formats"] = sorted(dates, key=lambda name: -dates[name])
        evidence["date_formats"] = ", ".join(f"{dates[name]} cells like {name}" for name in settings["date_formats"])
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


def _encoding(head: bytes) -> tuple[str, dict[str, str]]:
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
    if fault is None:
        many = len(text) - len(text.encode("ascii", "ignore"))
        name = "utf-8-sig" if marked else "utf-8" if high else "ascii"
        said = f"valid UTF-8, {many} characters beyond ASCII, {'a' if marked else 'no'} byte order mark"
        return name, {"encoding": said}
    scores = {codec: _french(head, codec) for codec in _SINGLE}
    best = max(_SINGLE, key=lambda codec: scores[codec])
    said = ", ".join(f"{codec} {scores[codec]}" for codec in _SINGLE)
    return best, {
        "encoding": f"not UTF-8 at byte {fault + 1}; of {high} bytes beyond ASCII, French letters and signs: {said}"
    }


def _french(head: bytes, codec: str) -> int:
    high = Counter(head.translate(None, bytes(range(128))))
    return sum(count for byte, count in high.items() if bytes([byte]).decode(codec, "ignore") in _FRENCH)


def _sampled_csv(text: str, *, whole: bool) -> Sampled:
    settings: dict[str, Any] = {"format": "csv"}
    evidence: dict[str, str] = {}
    crlf = text.count("\r\n")
    lf, cr = text.count("\n") - crlf, text.count("\r") - crlf
    ends = {"crlf": crlf, "lf": lf, "cr": cr}
    settings["line_end"] = next((name for name, count in ends.items() if count and count == sum(ends.values())), "any")
    if settings["line_end"] == "any" and cr > 10 * (crlf + lf):
        settings["line_end"] = "cr"
    evidence["line_end"] = f"{crlf} CRLF, {lf} LF, {cr} CR"
    rows, separator, quote = _best(text, evidence, cr=settings["line_end"] == "cr")
    settings |= {"separator": separator, "quote": quote}
    if not whole and rows:
        rows.pop()
    return _headed(rows, settings, evidence)


def _best(text: str, evidence: dict[str, str], *, cr: bool) -> tuple[list[list[str]], str, str | None]:
    """The separator and quote under which most rows have one width, the widest of equals."""
    inside = {mark: re.search(f'[^{re.escape(mark)}\r\n"]"[^{re.escape(mark)}\r\n"]', text) for mark in _SEPARATORS}
    tried = {
        (mark, quote): [] if quote and inside[mark] else _records(text, mark, quote, cr=cr)
        for mark in _SEPARATORS
        for quote in ('"', None)
    }
    scores = {key: _regular(rows) for key, rows in tried.items()}
    best = max(
        scores,
        key=lambda key: (
            (scores[key][1] > 1) * sum(scores[key][0] >= share for share in _OFTEN),
            scores[key][0],
            scores[key][1],
        ),
    )
    names = {"\t": "tab"}
    evidence["separator"] = ", ".join(
        f"{names.get(mark, mark)} {scores[mark, best[1]][1]} columns in {scores[mark, best[1]][0]:.0%} of rows"
        for mark in _SEPARATORS
    )
    evidence["quote"] = f"{text.count(chr(34))} quotes"
    return tried[best], *best


_OFTEN: Final = (0.5, 0.9)
"""Shares of rows of one width: half of them speak for a separator, where titles or footers have another; nearly all, more."""


def _records(text: str, separator: str, quote: str | None, *, cr: bool) -> list[list[str]]:
    csv.field_size_limit(PROBE_BYTES)
    lines = io.StringIO(text.replace("\r", "\n") if cr else text, newline="")
    quoting: Literal[0, 3] = csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL
    rows: list[list[str]] = []
    try:
        for row in csv.reader(lines, delimiter=separator, quotechar=quote, quoting=quoting, strict=quote is not None):
            rows.append(row)
            if len(rows) > PROBE_ROWS:
                break
    except csv.Error:
        return []
    return rows


def _regular(rows: Sequence[Sequence[str]]) -> tuple[float, int]:
    """The share of the rows that have the most frequent width, and that width."""
    widths = Counter(len(row) for row in rows if row)
    if not widths:
        return 0.0, 0
    width, count = widths.most_common(1)[0]
    return round(count / sum(widths.values()), 4), width


def _headed(rows: list[list[str]], settings: dict[str, Any], evidence: dict[str, str]) -> Sampled:
    width = _regular(rows)[1]
    if width > MAX_COLUMNS:
        return Sampled(settings, evidence, None, [], width, [])
    blank = sum(not row for row in rows)
    lead = _lead(rows, width)
    body = [row for row in rows[lead:] if row]
    names, header, said = None, False, "no row"
    if body:
        header, said = _is_header(body[0], body[1:], width)
        names = body[0] if header and len(body[0]) == width else None
    settings["header"] = header
    evidence["header"] = said
    short = sum(len(row) < width for row in body)
    wide = sum(len(row) > width for row in body)
    warnings = [f"{wide} rows have more than {width} columns"] if wide else []
    if header:
        warnings += _names_warnings(body[0])
    if blank:
        settings["blank_lines"], evidence["blank_lines"] = True, f"{blank} blank lines"
    if lead:
        warnings.append(f"{lead} lines before the header: declare them with lead")
    if short:
        warnings.append(f"{short} rows have fewer than {width} columns: short_rows, or lines after the rows (trail)")
    kept = [row for row in body[1 if header else 0 :] if len(row) == width]
    return Sampled(settings, evidence, names, kept, width, warnings)


def _lead(rows: Sequence[Sequence[str]], width: int) -> int:
    """How many rows stand before the header: those of one cell, and shorter ones where the first whole row is a header."""
    ones = 0
    while ones < len(rows) and width > 1 and len(rows[ones]) == 1:
        ones += 1
    first = next((place for place, row in enumerate(rows) if len(row) >= width), 0)
    below = [row for row in rows[first + 1 :] if row]
    return first if first > ones and _is_header(rows[first], below, width)[0] else ones


def _names_warnings(names: Sequence[str]) -> list[str]:
    """What is wrong with the names of columns, in counts."""
    nameless = sum(not name for name in names)
    repeated = len([name for name in names if name]) - len({name for name in names if name})
    return [
        *(
            [f"{nameless} columns have no name: separators at the end of lines, or values without a title"]
            if nameless
            else []
        ),
        *([f"{repeated} names of columns repeat another: no dialect can declare them"] if repeated else []),
    ]


def _is_header(first: Sequence[str], others: Sequence[Sequence[str]], width: int) -> tuple[bool, str]:
    """A header is text, each name once, above columns that are something else or never repeat it."""
    columns = [
        guess(place + 1, None, [row[place] for row in others[:200] if len(row) > place]) for place in range(width)
    ]
    top = [guess(1, None, [cell]).main for cell in first]
    unlike = sum(
        kind == "text" and column.main not in {"text", "empty"} for kind, column in zip(top, columns, strict=False)
    )
    repeated = sum(
        cell != "" and any(len(r) > place and r[place] == cell for r in others[:200])
        for place, cell in enumerate(first)
    )
    numbers = sum(kind not in {"text", "empty"} for kind in top)
    named = [cell for cell in first if cell]
    distinct = len(set(named)) == len(named)
    said = (
        f"first row: {numbers} numbers or dates, {unlike} texts above columns of numbers or dates, {repeated} repeated below, "
        f"{'all different' if distinct else 'some the same'}"
    )
    return bool(named) and numbers == 0 and repeated == 0 and (distinct or unlike > 0), said
