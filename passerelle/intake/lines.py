"""The beginning of a delimited text, looked at for a proposal: its separator, quote, line ends, header and the lines around."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, Literal

from passerelle.errors import IntakeError
from passerelle.intake.documents import Sampled
from passerelle.intake.limits import MAX_COLUMNS, MIB
from passerelle.intake.shapes import guess

PROBE_BYTES: Final = 4 * MIB
"""How much of the file is looked at, from its beginning."""
PROBE_ROWS: Final = 5_000
_SEPARATORS: Final = (";", ",", "\t", "|")
_ESCAPE: Final = "\\"
_FEW, _LONG, _MANY = 3, 20, 200


def sampled_text(text: str, *, whole: bool) -> Sampled:
    settings: dict[str, Any] = {"format": "csv"}
    evidence: dict[str, str] = {}
    crlf = text.count("\r\n")
    lf, cr = text.count("\n") - crlf, text.count("\r") - crlf
    ends = {"crlf": crlf, "lf": lf, "cr": cr}
    settings["line_end"] = next((name for name, count in ends.items() if count and count == sum(ends.values())), "any")
    if settings["line_end"] == "any" and cr > 10 * (crlf + lf):
        settings["line_end"] = "cr"
    evidence["line_end"] = f"{crlf} CRLF, {lf} LF, {cr} CR"
    cr = settings["line_end"] == "cr"
    rows, separator, quote = _best(text, evidence, cr=cr)
    settings |= {"separator": separator, "quote": quote}
    if _is_fixed(text, separator):
        raise IntakeError("expected CSV, JSON, XML or a workbook, came text of fixed width", where="input")
    if _ESCAPE in text and (escaped := _records(text, separator, quote, cr=cr, escape=_ESCAPE)):
        (before, width), after = _regular(rows), _regular(escaped)
        if after[0] > before and after[1] == width:
            settings["escape"], rows = _ESCAPE, escaped
            evidence["escape"] = (
                f"{text.count(_ESCAPE)} of them; {after[0]:.0%} of rows have {width} columns, {before:.0%} without"
            )
    if not whole and rows:
        rows.pop()
    sample = _headed(rows, settings, evidence, whole=whole)
    if quote is None and (quotes := text.count('"')) % 2:
        sample.warnings.append(f"{quotes} quotes, which do not pair: they are taken for text")
    return sample


def _is_fixed(text: str, separator: str) -> bool:
    """Whether the lines have one length and columns of spaces, and the first lacks the separator."""
    lines = [line for line in text.splitlines()[:_MANY] if line]
    if len(lines) < _FEW or len({len(line) for line in lines}) > 1 or len(lines[0]) < _LONG or separator in lines[0]:
        return False
    blank = [all(line[place] == " " for line in lines) for place in range(len(lines[0]))]
    return sum(one and not after for one, after in itertools.pairwise(blank)) > 1


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


def _records(text: str, separator: str, quote: str | None, *, cr: bool, escape: str | None = None) -> list[list[str]]:
    csv.field_size_limit(PROBE_BYTES)
    lines = io.StringIO(text.replace("\r", "\n") if cr else text, newline="")
    quoting: Literal[0, 3] = csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL
    rows: list[list[str]] = []
    try:
        strict = quote is not None
        reader = csv.reader(
            lines, delimiter=separator, quotechar=quote, escapechar=escape, quoting=quoting, strict=strict
        )
        for row in reader:
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


def _headed(rows: list[list[str]], settings: dict[str, Any], evidence: dict[str, str], *, whole: bool) -> Sampled:
    width = _regular(rows)[1]
    if width > MAX_COLUMNS:
        return Sampled(settings, evidence, None, [], width, [])
    lead = _lead(rows, width)
    blank = sum(not row for row in rows[lead:])
    body = [row for row in rows[lead:] if row]
    trail = _trail(body, width) if whole and len(rows) <= PROBE_ROWS else 0
    body = body[: len(body) - trail]
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
        if len(body[0]) != width:
            warnings.append(f"the header has {len(body[0])} names where most rows have {width} columns")
    if blank:
        settings["blank_lines"], evidence["blank_lines"] = True, f"{blank} blank lines"
    if lead:
        settings["lead"] = [".*"] * lead
        warnings.append(f"{lead} lines before the header: lead takes any text, say what they are")
    if trail:
        settings["trail"] = [".*"] * trail
        warnings.append(f"{trail} lines after the rows: trail takes any text, say what they are")
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


def _trail(body: Sequence[Sequence[str]], width: int) -> int:
    """How many rows at the end are short, where no other row is."""
    short = [len(row) < width for row in body]
    count = 0
    while count < len(short) and short[-1 - count]:
        count += 1
    return count if count < len(short) and sum(short) == count else 0


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
