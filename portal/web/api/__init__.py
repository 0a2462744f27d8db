"""The API for partners' programs: the same acts as their pages, by bearer token (docs/spec/api.md)."""

from __future__ import annotations

from portal.web.api import attesting, contracts, keys, myself, notices, parcels, sendings
from portal.web.api.calls import Call


def every_call() -> list[Call]:
    """Every call of the API, in the order in which it is described."""
    return [
        call for module in (myself, parcels, attesting, keys, sendings, contracts, notices) for call in module.CALLS
    ]
