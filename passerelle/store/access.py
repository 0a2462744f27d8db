"""The access log's writer: who looked at or took what, when and why (docs/spec/access-log.md).

It names people who work; it is kept apart from the trail, which only has the roots of its batches.
"""

from __future__ import annotations

import json
import secrets
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, insert, select

from passerelle.clock import iso
from passerelle.errors import UsageError
from passerelle.store.access_tables import access

Outcome = Literal["allowed", "refused"]
SALT_BYTES = 16
LONGEST = {"actor": 200, "subject": 200, "reason": 2000}  # characters
_INSERT = insert(access)


@cache
def actions() -> dict[str, dict[str, str]]:
    """The closed list of actions, each in French and English."""
    found: dict[str, dict[str, str]] = json.loads(
        Path(__file__).with_name("access_actions.json").read_text(encoding="utf-8")
    )
    return found


def log(
    connection: Connection,
    *,
    actor: str,
    action: str,
    subject: str,
    at: datetime,
    reason: str = "",
    partner: str | None = None,
    convention: str | None = None,
    exchange: str | None = None,
    delivery: str | None = None,
    run: str | None = None,
    count: int | None = None,
    outcome: Outcome = "allowed",
) -> None:
    """Write one line (CNIL 2021-122: author, time, nature of the operation, reference of the data).

    Callers MUST commit it before what it tells of is shown or handed over. ``subject`` is an id or a word, never a value of a
    person of a partner's file; ``reason`` is free text by the one who acts; ``count`` is of persons or rows.

    Raises:
        KeyError: the action is not on the list (access_actions.json).
        UsageError: nobody is named, or actor, subject or reason is too long or no text.
    """
    if action not in actions():
        raise KeyError(f"not an action of the access log: {action}")
    texts = {"actor": actor, "subject": subject, "reason": reason}
    texts = {name: _line(name, text) for name, text in texts.items()}
    connection.execute(
        _INSERT,
        {
            **texts,
            "at": iso(at),
            "action": action,
            "partner": partner,
            "convention": convention,
            "exchange": exchange,
            "delivery": delivery,
            "run": run,
            "count": count,
            "outcome": outcome,
            "salt": secrets.token_bytes(SALT_BYTES),
        },
    )


def _line(name: str, text: str) -> str:
    """``text`` on one line; printable, so that no half character and no NUL reaches a database that keeps neither."""
    text = " ".join(text.split())
    if not text and name == "actor":
        raise UsageError(
            "the access log needs to know who acts",
            hint="--by NAME, or PASSERELLE_ACTOR",
            fr="le journal des accès doit savoir qui agit",
            hint_fr="--by NOM, ou PASSERELLE_ACTOR",
        )
    if len(text) > LONGEST[name] or not text.isprintable():
        words = {"actor": "qui agit", "subject": "l'objet", "reason": "le motif"}
        raise UsageError(
            f"expected at most {LONGEST[name]} printable characters for the {name}",
            fr=f"au plus {LONGEST[name]} caractères imprimables pour {words[name]}",
        )
    return text


def lines(connection: Connection, since: str | None = None) -> list[dict[str, str]]:
    """The lines since the instant ``since``, oldest first."""
    query = select(access.c.at, access.c.actor, access.c.action, access.c.subject).order_by(access.c.id)
    if since:
        query = query.where(access.c.at >= since)
    return [dict(row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - SQLAlchemy's public spelling
