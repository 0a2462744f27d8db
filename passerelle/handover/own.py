"""What a recipient may ask about what was delivered to it, and about nothing else: its parcels, what became of each, a file.

For the portal's pages and for its API: both answer alike, and log alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from stat import S_ISREG

from sqlalchemy import Connection

from passerelle.access import Look, looking
from passerelle.convention import Answer, Convention, Event, destruction_deadline
from passerelle.convention.holds import What
from passerelle.errors import RefusedError
from passerelle.handover.earlier import superseded
from passerelle.store import deliveries, links, partners, runs
from passerelle.store.partners import PartnerKey
from passerelle.store.runs import Delivery
from passerelle.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one parcel; ``opened_at`` is when its second lock's key was first handed over.

    ``purged``: its convention's data were destroyed, and its manifest with them.
    """

    opened_at: str | None
    receipted_at: str | None
    superseded_by: str | None
    resent_as: str | None
    purged: bool


@dataclass(frozen=True, slots=True)
class ParcelFile:
    """The parcel's tar where it lies; ``tag`` changes with its bytes (RFC 9110 section 8.8.3, a strong validator)."""

    path: Path
    name: str
    size: int
    tag: str


def own_parcel(connection: Connection, party: str, parcel: str) -> Delivery | None:
    """The parcel of that id when it was delivered to ``party``; None when there is none, or it is another's."""
    found = runs.deliveries(connection, id=parcel, recipient=party, state="delivered")
    return found[0] if found else None


def own_key(connection: Connection, party: str, fingerprint: str) -> PartnerKey | None:
    """The key of that whole fingerprint when it is of ``party``; None otherwise."""
    return next((one for one in partners.keys(connection, party) if one.fingerprint == fingerprint), None)


def fates(connection: Connection, parcels: Sequence[Delivery]) -> dict[str, Fate]:
    """What became of each of ``parcels``, by id."""
    ids = [one.id for one in parcels]
    opened, receipted = deliveries.opened(connection, ids), deliveries.receipted(connection, ids)
    later = links.after(connection, ids)
    closed = {one.earlier: one.later for one in later if one.kind == "supersedes" and one.closed_at}
    resent = {one.earlier: one.later for one in later if one.kind == "resends"}
    return {
        one.id: Fate(
            opened.get(one.id), receipted.get(one.id), closed.get(one.id), resent.get(one.id), not one.manifest
        )
        for one in parcels
    }


def deadlines(workspace: Workspace, connection: Connection, parcels: Iterable[Delivery]) -> dict[str, Answer]:
    """Until when each of ``parcels`` may exist as the text and its events say now, by id."""
    texts: dict[str, tuple[Convention, tuple[Event, ...]]] = {}
    known: dict[tuple[str, str, str], Answer] = {}
    found = {}
    for one in parcels:
        what = (one.convention, one.exchange, one.period)
        if one.convention not in texts:
            texts[one.convention] = workspace.convention(one.convention), workspace.history(connection, one.convention)
        if what not in known:
            known[what] = _deadline(*texts[one.convention], one, workspace.now())
        found[one.id] = known[what]
    return found


def parcel_file(workspace: Workspace, parcel: Delivery) -> ParcelFile:
    """The file of a parcel.

    Raises:
        RefusedError: it was superseded, destroyed, or taken out of its folder.
    """
    with workspace.database.read() as connection:
        closed = links.superseding(connection, parcel.id)
    if closed is not None:
        raise superseded(closed)
    if not parcel.manifest:  # what lies in a recipient's own folder outlives the purge
        raise _gone(parcel)
    path = workspace.path(parcel.location or "")
    try:
        about = path.stat()
    except OSError:
        about = None
    if about is None or not S_ISREG(about.st_mode):
        raise _gone(parcel)
    return ParcelFile(path, path.name, about.st_size, f'"{parcel.manifest_sha256}"')


def take(workspace: Workspace, parcel: Delivery, *, actor: str, reason: str = "") -> ParcelFile:
    """The file of a parcel, for its recipient to take; written into the access log first, a refusal too.

    Raises:
        RefusedError: as ``parcel_file`` does.
    """
    look = Look(
        actor, "parcel_read", parcel.id, reason, partner=parcel.recipient, convention=parcel.convention,
        exchange=parcel.exchange, delivery=parcel.id, run=parcel.run, count=parcel.rows,
    )  # fmt: skip
    with looking(workspace, look):
        return parcel_file(workspace, parcel)


def _deadline(text: Convention, history: tuple[Event, ...], one: Delivery, at: datetime) -> Answer:
    exchange = text.exchange(one.exchange)
    dataset = exchange.handling.contract if exchange is not None and exchange.handling is not None else one.exchange
    return destruction_deadline(text, history, at, What(frozenset({one.exchange, dataset}), one.period))


def _gone(parcel: Delivery) -> RefusedError:
    if not parcel.manifest:
        return RefusedError(
            "this parcel was destroyed with its convention's data",
            hint="destroy every copy that you have of it, and attest it",
            fr="ce colis a été détruit avec les données de sa convention",
            hint_fr="détruisez toute copie que vous en avez, et attestez-le",
        )
    return RefusedError(
        "the file of this parcel is no longer where it was put",
        hint="whoever took it out of the folder has it; else ask for it again: passerelle parcel resend",
        fr="le fichier de ce colis n'est plus là où il a été déposé",
        hint_fr="qui l'a retiré du dossier le détient ; sinon, demandez qu'on vous le renvoie : passerelle parcel resend",
    )
