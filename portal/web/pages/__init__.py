"""The portal's pages, one module for each thing that its readers look at; each module lists its ways in WAYS."""

from __future__ import annotations

from portal.web.pages import (
    accounts,
    activating,
    datasets,
    dpo,
    engineer,
    frame,
    myself,
    notices,
    partner,
    partner_keys,
    provided,
    sendings,
    signing_in,
    tokens,
)
from portal.web.ways import Way


def every_way() -> list[Way]:
    """Every way into the portal, in the order of the menus."""
    modules = (
        frame,
        signing_in,
        provided,
        activating,
        dpo,
        engineer,
        partner,
        datasets,
        sendings,
        notices,
        tokens,
        partner_keys,
        accounts,
        myself,
    )
    return [way for module in modules for way in module.WAYS]
