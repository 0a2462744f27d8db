"""What a DPO answers with: one page for each question (docs/dpo.md)."""

from __future__ import annotations

from portal.web.pages.dpo import (
    accesses,
    article30,
    attesting,
    breaches,
    bundles,
    changes,
    conventions,
    deliveries,
    destruction,
    erasing,
    holds,
    notices,
    persons,
    plans,
    registers,
    remains,
    requests,
    today,
    trail,
)
from portal.web.ways import Way

MODULES = (
    today, conventions, deliveries, persons, erasing, requests, notices, plans, attesting, remains, destruction, holds,
    registers, article30, breaches, changes, trail, accesses, bundles,
)  # fmt: skip
WAYS: tuple[Way, ...] = tuple(way for module in MODULES for way in module.WAYS)
