"""What a contract expects, in words: by rule and column, for the report that a sender reads."""

from __future__ import annotations

from contracts.base import DataContract
from contracts.rules import KIND_RULES

Expected = dict[tuple[str, str], tuple[str, str]]


def expected(contract: DataContract) -> Expected:
    """By rule and column, French and English: the contract's rules, and those that follow from kinds and keys."""
    found: Expected = {
        (rule, column.name): KIND_RULES[rule]
        for column in contract.columns
        for rule in ("required", "text", column.kind.value)
        if rule in KIND_RULES
    }
    found |= {("unique", "+".join(key)): KIND_RULES["unique"] for key in contract.unique}
    for rule in contract.rules:
        before = found.get((rule.id, rule.column))
        said = (rule.fr, rule.en)
        found[rule.id, rule.column] = (
            said if before is None else (f"{before[0]} ; {said[0]}", f"{before[1]}; {said[1]}")
        )
    return found
