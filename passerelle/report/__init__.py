"""The report on a file, for its sender: by rule and column, how many rows, which first, what was expected (docs/spec/report.md)."""

from passerelle.report.model import (
    FORMAT,
    Bilingual,
    Check,
    CodeList,
    Contract,
    Counts,
    Dialect,
    Outcome,
    Repair,
    Report,
    Rule,
    VerdictsNote,
    as_bytes,
)
from passerelle.report.page import page

__all__ = [
    "FORMAT",
    "Bilingual",
    "Check",
    "CodeList",
    "Contract",
    "Counts",
    "Dialect",
    "Outcome",
    "Repair",
    "Report",
    "Rule",
    "VerdictsNote",
    "as_bytes",
    "page",
]
