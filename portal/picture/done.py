"""What was done under a convention, as entries of its calendar: what was delivered, what was destroyed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from passerelle.convention import Convention
from passerelle.store import purges, runs


def done(connection: Connection, text: Convention) -> Iterator[dict[str, Any]]:
    """What was delivered and destroyed, as entries of the calendar: one for each day and exchange."""

    def entry(kind: str, at: str | None, subject: str | None, title: dict[str, str]) -> dict[str, Any]:
        on = datetime.fromisoformat(at or "").astimezone(text.zone).date()
        return {
            "date": on.isoformat(), "kind": kind, "subject": subject, "title": title, "basis": "hub_policy",
            "article": None, "arithmetic": {"fr": "", "en": ""},
        }  # fmt: skip

    seen = set()
    for one in runs.sent(connection, convention=text.id, state="delivered"):
        exchange = text.exchange(one.exchange)
        if exchange is not None:
            made = entry("delivered", one.delivered_at, exchange.id, exchange.title.model_dump())
            made |= {"basis": exchange.basis, "article": exchange.article}
            if (made["date"], exchange.id) not in seen:
                seen.add((made["date"], exchange.id))
                yield made
    for purge in purges.purges(connection, convention=text.id, state="done"):
        yield entry("purged", purge.ended_at, None, {"fr": "Données détruites", "en": "Data destroyed"})
