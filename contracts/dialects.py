"""The hub's own machine format: what the generators write and what a sender without a format of its own may send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from passerelle.contract import Dialect


def hub(columns: Iterable[str], secrecy: tuple[str, ...] = (), multivalue: Mapping[str, str] | None = None) -> Dialect:
    """cp1252, ``;``, French dates and decimal comma; headers are the contract's column names."""
    return Dialect(
        id="hub",
        sender="hub",
        columns={name: name for name in columns},
        encoding="cp1252",
        separator=";",
        quote='"',
        decimal=",",
        secrecy=secrecy,
        multivalue=multivalue or {},
        date_formats=("%d/%m/%Y",),
    )
