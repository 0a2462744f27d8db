"""Workbooks written by hand, so that every part of them can be wrong."""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

_TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PROLOGUE = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


def relationships(*targets: tuple[str, str, str]) -> str:
    items = "".join(f'<Relationship Id="{i}" Type="{_TYPES}/{kind}" Target="{target}"/>' for i, kind, target in targets)
    return f"{PROLOGUE}<Relationships>{items}</Relationships>"


def sheet(rows: str) -> str:
    return f'{PROLOGUE}<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def inline(*values: str | None, row: int) -> str:
    cells = "".join(
        "<c/>" if value is None else f'<c t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
        for value in values
    )
    return f'<row r="{row}">{cells}</row>'


def parts(sheets: dict[str, str], strings: str = "") -> dict[str, str]:
    """Member name to content of a workbook with ``sheets`` (name to rows) and ``strings`` (shared string items)."""
    listed = "".join(f'<sheet name="{name}" sheetId="{i}" r:id="r{i}"/>' for i, name in enumerate(sheets))
    return {
        "_rels/.rels": relationships(("r", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'{PROLOGUE}<workbook xmlns="{_MAIN}" xmlns:r="{_TYPES}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relationships(
            *((f"r{i}", "worksheet", f"worksheets/sheet{i}.xml") for i in range(len(sheets))),
            ("s", "sharedStrings", "/xl/sharedStrings.xml"),
        ),
        "xl/sharedStrings.xml": f'{PROLOGUE}<sst xmlns="{_MAIN}">{strings}</sst>',
        **{f"xl/worksheets/sheet{i}.xml": sheet(rows) for i, rows in enumerate(sheets.values())},
    }


def write(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path
