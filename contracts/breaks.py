"""What breaks one rule of a contract, and no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Break:
    """What is written over a row (``written``: value by column) so that it breaks ``rule`` on ``column``, and no other."""

    rule: str
    column: str
    written: Mapping[str, str]
