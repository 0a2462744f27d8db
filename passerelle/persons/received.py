"""Which deliveries concern a person, by the keyed index: to whom, when, which columns, under which article (GDPR art. 15; C-154/21).

The index says which runs have the person's tag; the register of deliveries says the rest. Nothing of the person is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import Connection

from passerelle.convention import Convention
from passerelle.errors import KeyStoreError, PasserelleError, WorkspaceError
from passerelle.parcel import Manifest, parse_manifest
from passerelle.persons.tags import NAME_BIRTH, identifier_tag, kinds_of
from passerelle.receipt.recording import Standing, reconcile
from passerelle.shard import TAG_BYTES, holds
from passerelle.store import holdings, partners, runs
from passerelle.store.holdings import Holding
from passerelle.store.runs import Delivery
from passerelle.workspace import Workspace

Ground = Literal["manifest", "convention", "unknown"]


@dataclass(frozen=True, slots=True)
class Received:
    """One delivery whose rows speak of the person.

    ``columns_from``: the manifest that left; once the convention is purged, what the convention allows. ``weak``: found by name
    and date of birth alone, which two persons may share. ``opened_at``: the key of the second lock was handed over.
    """

    delivery: str
    convention: str
    exchange: str
    article: str | None
    purpose: Mapping[str, str] | None
    period: str
    sender: str
    sender_name: str
    recipient: str
    recipient_name: str
    delivered_at: str
    columns: tuple[str, ...]
    columns_from: Ground
    kinds: tuple[str, ...]
    weak: bool
    destroy_by: str | None
    purged: bool
    opened_at: str | None
    receipted_at: str | None
    superseded_by: str | None
    resent_as: str | None
    run: str

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return {**asdict(self), "columns": list(self.columns), "kinds": list(self.kinds)}


@dataclass(frozen=True, slots=True)
class Expired:
    """A convention whose index, or part of it, is gone: what it would have said can no longer be known."""

    convention: str
    runs: int
    since: str | None

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything known of what was received on one person.

    ``false_positive``: the chance that one delivery at least is listed of somebody else, by tags of 64 bits that agree.
    """

    kinds: tuple[str, ...]
    conventions: tuple[str, ...]
    deliveries: tuple[Received, ...]
    expired: tuple[Expired, ...]
    runs_searched: int
    tags_searched: int

    @property
    def false_positive(self) -> float:
        return float(self.tags_searched * len(self.kinds) * 2.0 ** -(8 * TAG_BYTES))

    def as_json(self) -> dict[str, Any]:
        """As one JSON object; the identifier is not in it."""
        return {
            "kinds": list(self.kinds),
            "weak_key": NAME_BIRTH in self.kinds,
            "conventions": list(self.conventions),
            "deliveries": [one.as_json() for one in self.deliveries],
            "recipients": sorted({one.recipient for one in self.deliveries}),
            "expired": [one.as_json() for one in self.expired],
            "searched": {"runs": self.runs_searched, "tags": self.tags_searched},
            "false_positive_rate": self.false_positive,
        }


class _Parties:
    """Who sent each run, and the names that partners were added with."""

    def __init__(self, connection: Connection) -> None:
        self.names = {one.id: one.name for one in partners.partners(connection)}
        self.senders = {one.id: one.sender for one in runs.runs(connection)}


def received(
    workspace: Workspace,
    connection: Connection,
    identifier: str,
    *,
    kind: str | None = None,
    convention: str | None = None,
) -> Answer:
    """What was received on the person of that identifier; of one convention, or of all.

    Raises:
        UsageError: no such convention, or no identifier of a person; the message does not repeat it.
        WorkspaceError: a part of the index is missing: an answer would be incomplete in silence.
    """
    kinds = kinds_of(identifier, kind)
    if convention is not None:
        workspace.convention(convention)
    shards = _shards(connection, convention)
    found: dict[str, set[str]] = {}
    searched = tags = 0
    for name, copies in shards.items():
        key = _key(workspace, name) if any(one.destroyed_at is None for one in copies) else None
        if key is None:
            continue
        wanted = [(one, identifier_tag(key, one, identifier)) for one in kinds]
        for copy in (one for one in copies if one.destroyed_at is None):
            searched, tags = searched + 1, tags + (copy.bytes or 0) // TAG_BYTES
            hits = {scheme for scheme, tag in wanted if _in(workspace, copy, tag)}
            if hits:
                found[copy.run] = hits
    delivered = [one for one in runs.deliveries(connection, state="delivered") if one.run in found]
    standing = {one.parcel: one for one in reconcile(workspace, connection)} if delivered else {}
    parties = _Parties(connection)
    listed = tuple(_one(workspace, one, standing[one.id], found[one.run], parties) for one in delivered)
    expired = tuple(_expired(connection, shards))
    return Answer(kinds, tuple(sorted(shards)), listed, expired, searched, tags)


def _shards(connection: Connection, convention: str | None) -> dict[str, list[Holding]]:
    copies = holdings.every(connection) if convention is None else holdings.all_of(connection, convention)
    found: dict[str, list[Holding]] = {}
    for copy in copies:
        if copy.kind == "index":
            found.setdefault(copy.convention, []).append(copy)
    return found


def _key(workspace: Workspace, convention: str) -> bytes:
    try:
        return workspace.keys.index_key(convention)
    except KeyStoreError:
        pass
    raise WorkspaceError(
        f"the person index of {convention} is there, its key is not",
        hint="passerelle trail verify; restore the folder keys/ that goes with this database",
        fr=f"l'index des personnes de {convention} est là, sa clé n'y est pas",
        hint_fr="passerelle trail verify ; restaurez le dossier keys/ qui va avec cette base",
    )


def _in(workspace: Workspace, copy: Holding, tag: bytes) -> bool:
    path = workspace.path(copy.location)
    try:
        if copy.bytes is None or path.stat().st_size == copy.bytes:
            return holds(path, tag)
    except OSError:
        pass
    raise WorkspaceError(
        f"the person index of run {copy.run} is missing or cut: no answer would be complete",
        hint="restore the folder index/ from a backup of the same day as the database",
        fr=f"l'index des personnes du traitement {copy.run} manque ou est tronqué : aucune réponse ne serait complète",
        hint_fr="restaurez le dossier index/ depuis une sauvegarde du même jour que la base",
    )


def _expired(connection: Connection, shards: Mapping[str, list[Holding]]) -> Iterator[Expired]:
    for name, copies in shards.items():
        left = {one.run for one in runs.deliveries(connection, convention=name, state="delivered")}
        gone = [one for one in copies if one.destroyed_at is not None and one.run in left]
        if gone:
            yield Expired(name, len({one.run for one in gone}), max(one.destroyed_at or "" for one in gone))


def _one(
    workspace: Workspace,
    delivery: Delivery,
    shown: Standing,
    kinds: set[str],
    parties: _Parties,
) -> Received:
    names, sender = parties.names, parties.senders[delivery.run]
    text = text_of(workspace, delivery.convention)
    exchange = None if text is None else text.exchange(delivery.exchange)
    manifest = parse_manifest(delivery.manifest) if delivery.manifest else None
    allowed = exchange.handling.columns if exchange is not None and exchange.handling is not None else ()
    purpose = None if exchange is None or exchange.purpose is None else exchange.purpose.model_dump()
    return Received(
        delivery=delivery.id,
        convention=delivery.convention,
        exchange=delivery.exchange,
        article=manifest.passerelle.article if manifest else exchange.article if exchange else None,
        purpose=manifest.passerelle.purpose.model_dump() if manifest else purpose,
        period=delivery.period,
        sender=sender,
        sender_name=named(text, sender, names),
        recipient=delivery.recipient,
        recipient_name=named(text, delivery.recipient, names),
        delivered_at=delivery.delivered_at or "",
        columns=_columns(manifest) if manifest else tuple(allowed),
        columns_from="manifest" if manifest else "convention" if exchange else "unknown",
        kinds=tuple(sorted(kinds)),
        weak=kinds == {NAME_BIRTH},
        destroy_by=manifest.passerelle.destroy_by.date if manifest else None,
        purged=manifest is None,
        opened_at=shown.opened_at,
        receipted_at=shown.receipted_at,
        superseded_by=shown.superseded_by,
        resent_as=shown.resent_as,
        run=delivery.run,
    )


def _columns(manifest: Manifest) -> tuple[str, ...]:
    return tuple(field.name for field in manifest.resource.table.fields)


def text_of(workspace: Workspace, convention: str) -> Convention | None:
    """The convention's text; None where its file is gone or broken, which must not silence what left under it."""
    try:
        return workspace.convention(convention)
    except PasserelleError:
        return None


def named(text: Convention | None, party: str, partners_names: Mapping[str, str]) -> str:
    """The name of a party as the convention gives it, else as the partner was added, else its id."""
    stated = {one.id: one.name for one in text.parties} if text else {}
    stated |= {one.id: one.name for one in text.third_parties} if text else {}
    found = stated.get(party, "not_stated")
    return partners_names.get(party, party) if found == "not_stated" else found
