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

BATCH_BYTES: Final = 4 * MIB
"""How much of a CSV file makes one batch, unless the caller says otherwise."""
MIN_BATCH_BYTES: Final = 64
MAX_BATCH_BYTES: Final = 256 * MIB
BATCH_ROWS: Final = 20_000
"""How many rows of a workbook make one batch."""

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
MAX_SHARED_STRINGS: Final = 2_000_000
MAX_SHARED_STRINGS_BYTES: Final = 128 * MIB
"""The only part of a workbook that is held in memory, unpacked."""
MAX_SMALL_PART_BYTES: Final = 4 * MIB
"""The parts that say where the sheets are, unpacked."""
MAX_CELL_CHARACTERS: Final = 32_767
"""Of a workbook's cell (ECMA-376)."""
MAX_TOKEN_BYTES: Final = 1 * MIB
"""One tag or run of text in a workbook's XML before the parser gives it out."""
MAX_DEPTH_ELEMENTS: Final = 64
