"""What a partner comes for: its parcels, their second locks, receipts, attestations of destruction, its keys."""

from __future__ import annotations

from portal.web.pages.partner import attestations, keys, opening, parcels, receipts
from portal.web.ways import Way

WAYS: tuple[Way, ...] = tuple(way for module in (parcels, opening, receipts, attestations, keys) for way in module.WAYS)
