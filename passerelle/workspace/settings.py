"""What the environment says of a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from passerelle.errors import UsageError


@dataclass(frozen=True, slots=True)
class Settings:
    """``home`` is the workspace; ``database_url`` a database other than the SQLite file in it; ``pretended_now`` a pretended clock."""

    home: Path
    database_url: str | None = None
    pretended_now: datetime | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """From PASSERELLE_HOME (default ./.passerelle), PASSERELLE_DATABASE_URL and PASSERELLE_NOW (ISO instant with its zone).

        Raises:
            UsageError: PASSERELLE_NOW is not an instant.
        """
        now = environment.get("PASSERELLE_NOW")
        return cls(
            home=Path(environment.get("PASSERELLE_HOME") or ".passerelle").absolute(),
            database_url=environment.get("PASSERELLE_DATABASE_URL") or None,
            pretended_now=instant(now, "PASSERELLE_NOW") if now else None,
        )


def instant(text: str, name: str) -> datetime:
    """``text`` as an aware datetime.

    Raises:
        UsageError: it is not an ISO 8601 instant with a zone.
    """
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise UsageError(
            f"{name}: expected an ISO instant with its zone",
            hint="for example 2026-11-21T09:00:00+01:00",
            fr=f"{name} : il faut un instant ISO avec son fuseau",
            hint_fr="par exemple 2026-11-21T09:00:00+01:00",
        )
    return parsed
