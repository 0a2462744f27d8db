"""What a delivery says of itself, for whoever may see it."""

from __future__ import annotations

import json
from typing import Any

from passerelle.store.runs import Delivery
from portal.web.visit import Visit


def manifest_of(found: Delivery) -> dict[str, Any] | None:
    """The manifest that was handed over; None once a purge removed it."""
    if not found.manifest:
        return None
    body: dict[str, Any] = json.loads(found.manifest)
    return body


def article_of(visit: Visit, found: Delivery) -> str | None:
    """Under which article it left: as its manifest says, or as the text does once a purge removed the manifest."""
    manifest = manifest_of(found)
    if manifest is not None:
        return str(manifest["passerelle"]["article"])
    exchange = visit.workspace.convention(found.convention).exchange(found.exchange)
    return exchange.article if exchange is not None else None
