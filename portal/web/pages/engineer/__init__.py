"""What an engineer runs the gateway with: runs, refusals with their reasons, quarantines, what comes next."""

from __future__ import annotations

from portal.web.pages.engineer import coming, drift, quarantines, runs
from portal.web.ways import Way

WAYS: tuple[Way, ...] = tuple(way for module in (runs, drift, coming, quarantines) for way in module.WAYS)
