"""Numbers of rows that may be shown: a small one is masked, and so is one whose complement is small."""

from __future__ import annotations

from typing import Final, Literal

SMALL: Final = 11
"""Rows; a count below it is masked."""
FEW: Final = "<11"
NEARLY_ALL: Final = "all but <11"

Count = int | Literal["<11", "all but <11"]


def masked(count: int, total: int) -> Count:
    """``count`` of ``total`` rows, or the mark that replaces it when it or its complement is 1 to 10."""
    if 0 < count < SMALL:
        return FEW
    return NEARLY_ALL if 0 < total - count < SMALL else count
