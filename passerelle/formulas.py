"""What a spreadsheet would run as a formula (OWASP ASVS 5.0, 1.2.10), and the apostrophe that makes it text: one rule for all that people open."""

from __future__ import annotations

import re
from typing import Final, TypeVar

STARTS: Final = "^[\\s\\x00-\\x1f\ufeff\xa0]*[=+\\-@＝＋－＠]|^[\\t\\r\\n]"
"""A cell that matches is a formula. Marks of the byte order, spaces and control characters before the sign are passed over."""
_FORMULA: Final = re.compile(STARTS)

Value = TypeVar("Value")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would take a cell of ``text`` for a formula."""
    return _FORMULA.match(text) is not None


def as_shown(value: Value) -> Value | str:
    """``value`` as a spreadsheet shows it: a text that it would run has an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and is_formula(value) else value
