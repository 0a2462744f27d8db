"""What a file from outside may be at most. Each limit has its unit in its name."""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

MAX_FILE_BYTES: Final = 64 * GIB
MAX_HEADER_BYTES: Final = 64 * KIB
MAX_COLUMNS: Final = 1024
MAX_RECORD_BYTES: Final = 1 * MIB
"""One row of a CSV file, its line breaks inside quotes included."""

MAX_CELLS: Final = 50_000_000_000
"""Rows times declared columns."""
MAX_ENVELOPE_BYTES: Final = 16 * KIB
"""All the lines before the header, and all those after the last row, each."""

BATCH_BYTES: Final = 4 * MIB
"""How much of a CSV file makes one batch, unless the caller says otherwise."""
MIN_BATCH_BYTES: Final = 64
MAX_BATCH_BYTES: Final = 256 * MIB
BATCH_ROWS: Final = 20_000
"""How many rows of a workbook, a JSON or an XML document make one batch at most."""
MIN_PIECE_BYTES: Final = 64 * KIB
"""What is read of a JSON or XML document or a packed file at a time, at least."""

MAX_MEMBERS: Final = 1000
MAX_DIRECTORY_BYTES: Final = 1 * MIB
"""The central directory of a zip archive, read before any member."""
MAX_MEMBER_BYTES: Final = 4 * GIB
"""One member, unpacked."""
MAX_PACKING_RATIO: Final = 200
"""Unpacked over packed size; real worksheets stay under 30."""
RATIO_FREE_BYTES: Final = 1 * MIB
"""Members smaller than this, unpacked, may pack as well as they like."""

MAX_SHEETS: Final = 256
MAX_MERGED_CELLS: Final = 100_000
"""Areas of merged cells in a sheet."""
MAX_SHARED_STRINGS: Final = 2_000_000
MAX_SHARED_STRINGS_BYTES: Final = 128 * MIB
"""The only part of a workbook that is held in memory, unpacked."""
MAX_SMALL_PART_BYTES: Final = 4 * MIB
"""The parts that say where the sheets are, unpacked."""
MAX_STYLES_BYTES: Final = 16 * MIB
"""The part that says how cells are shown, unpacked; for a proposal only."""
MAX_CELL_CHARACTERS: Final = 32_767
"""Of a workbook's cell (ECMA-376)."""
MAX_TOKEN_BYTES: Final = 1 * MIB
"""One tag or run of text in XML before the parser gives it out."""
MAX_DEPTH_ELEMENTS: Final = 64
MAX_JSON_DEPTH: Final = 32
"""Lists and objects inside one another, the record's own included."""
MAX_RECORD_VALUES: Final = 100_000
"""Values in one record of a JSON or XML document, those that are dropped included."""
MAX_RECORD_ROWS: Final = 10_000
"""Rows that one record of a JSON or XML document makes."""
MAX_RECORD_TEXT: Final = 16 * MIB
"""Characters of the rows that one record makes, or one chunk of JSON lines."""
MAX_PACKED_WORKBOOK_BYTES: Final = 128 * MIB
"""A workbook inside a zip or gzip file, which is held in memory: its directory is at its end."""
