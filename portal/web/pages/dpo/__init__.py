"""What a DPO answers with: one page for each question (docs/dpo.md)."""

from __future__ import annotations

from portal.web.pages.dpo import (
    accesses,
    attesting,
    conventions,
    deliveries,
    destruction,
    erasing,
    holds,
    notices,
    persons,
    plans,
    remains,
    requests,
    today,
    trail,
)
from portal.web.ways import Way

MODULES = (
    today, conventions, deliveries, persons, erasing, requests, notices, plans, attesting, remains, destruction, holds, trail, accesses,
)  # fmt: skip
WAYS: tuple[Way, ...] = tuple(way for module in MODULES for way in module.WAYS)
