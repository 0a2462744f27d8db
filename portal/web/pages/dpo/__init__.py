"""What a DPO answers with: one page for each question (docs/dpo.md)."""

from __future__ import annotations

from portal.web.pages.dpo import accesses, conventions, deliveries, destruction, today, trail
from portal.web.ways import Way

WAYS: tuple[Way, ...] = tuple(
    way for module in (today, conventions, deliveries, destruction, trail, accesses) for way in module.WAYS
)
