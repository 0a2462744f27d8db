"""What a DPO answers with: one page for each question (docs/dpo.md)."""

from __future__ import annotations

from portal.web.pages.dpo import (
    accesses,
    conventions,
    deliveries,
    destruction,
    erasing,
    notices,
    persons,
    requests,
    today,
    trail,
)
from portal.web.ways import Way

MODULES = (
    today, conventions, deliveries, persons, erasing, requests, notices, destruction, trail, accesses,
)  # fmt: skip
WAYS: tuple[Way, ...] = tuple(way for module in MODULES for way in module.WAYS)
