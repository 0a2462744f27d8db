"""What the environment says of a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path

from passerelle.errors import UsageError
from passerelle.keys import FileRootKey, RootKeys

FILE_ROOT = "file"
ROOT_KEYS = "passerelle.root_keys"  # the group of entry points (packaging.python.org, entry points specification)


@dataclass(frozen=True, slots=True)
class Settings:
    """``home`` is the workspace; ``database_url`` a database other than the SQLite file in it; ``pretended_now`` a pretended clock.

    ``roots`` makes and finds root keys: files of the ring, unless a KMS, an HSM or Vault keeps them (docs/spec/keys.md).
    ``tombstones`` is a second copy of what was destroyed, outside the workspace (docs/spec/backups.md).
    """

    home: Path
    database_url: str | None = None
    pretended_now: datetime | None = None
    roots: RootKeys = FileRootKey
    tombstones: Path | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """From PASSERELLE_HOME (default ./.passerelle), PASSERELLE_DATABASE_URL, PASSERELLE_ROOT_KEYS (default file),
        PASSERELLE_TOMBSTONES and PASSERELLE_NOW (ISO instant with its zone).

        Raises:
            UsageError: PASSERELLE_NOW is not an instant, or nothing installed keeps root keys under that name.
        """
        now, aside = environment.get("PASSERELLE_NOW"), environment.get("PASSERELLE_TOMBSTONES")
        return cls(
            home=Path(environment.get("PASSERELLE_HOME") or ".passerelle").absolute(),
            database_url=environment.get("PASSERELLE_DATABASE_URL") or None,
            pretended_now=instant(now, "PASSERELLE_NOW") if now else None,
            roots=root_keys(environment.get("PASSERELLE_ROOT_KEYS") or FILE_ROOT),
            tombstones=Path(aside).absolute() if aside else None,
        )


def root_keys(name: str) -> RootKeys:
    """Who keeps root keys under ``name``: ``file``, or what an installed package declares in the group ``ROOT_KEYS``.

    Raises:
        UsageError: nothing installed does.
    """
    if name == FILE_ROOT:
        return FileRootKey
    found = entry_points(group=ROOT_KEYS, name=name)
    if not found:
        known = ", ".join(sorted({FILE_ROOT, *entry_points(group=ROOT_KEYS).names}))
        raise UsageError(
            f"PASSERELLE_ROOT_KEYS: expected one of {known}",
            hint=f"install the package that declares it in the group {ROOT_KEYS}",
            fr=f"PASSERELLE_ROOT_KEYS : il faut l'un de : {known}",
            hint_fr=f"installez le paquet qui le déclare dans le groupe {ROOT_KEYS}",
        )
    roots: RootKeys = next(iter(found)).load()
    return roots


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
