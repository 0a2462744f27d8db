"""Parcels that came before: what a new one resends or supersedes, and how a superseded one is closed.

A superseded parcel is closed in the transaction that writes the outcome of the one in its place: from there on its second
lock's key is handed to nobody. ``finish`` then destroys that key and tells the recipient; killed anywhere, it is done again
before anything else happens on the exchange.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Connection

from passerelle.errors import RefusedError, UsageError
from passerelle.handover.folders import folder_of, not_written
from passerelle.handover.job import Job, release_location
from passerelle.handover.order import Order
from passerelle.keys import NOTICE_NAMESPACE
from passerelle.keys.files import shred
from passerelle.parcel import Resends, Supersedes, sign
from passerelle.parcel.reasons import RESENDS, SUPERSEDES, ResendReason, SupersedeReason
from passerelle.parcel.superseded import SIGNATURE_SUFFIX, Superseded, notice_name, superseded_notice
from passerelle.store import holdings, links, runs
from passerelle.store.links import Link
from passerelle.store.runs import Delivery
from passerelle.workspace import Workspace
from passerelle.workspace.files import write_whole


def delivered_parcel(connection: Connection, parcel: str) -> Delivery:
    """The delivered parcel of that id.

    Raises:
        UsageError: none was.
        RefusedError: its convention was purged.
    """
    found = runs.deliveries(connection, id=parcel, state="delivered")
    if not found:
        raise UsageError(
            "no parcel of that id was delivered",
            hint="passerelle receipt list shows what was delivered",
            fr="aucun colis de ce numéro n'a été remis",
            hint_fr="passerelle receipt list montre ce qui a été remis",
        )
    if not found[0].manifest:
        raise RefusedError(
            "the data of this parcel's convention were destroyed",
            hint=f"passerelle purge certificate {found[0].convention}",
            fr="les données de la convention de ce colis ont été détruites",
            hint_fr=f"passerelle purge certificate {found[0].convention}",
        )
    return found[0]


def superseded(closed: Link) -> RefusedError:
    """The refusal of what a superseded parcel is asked for."""
    fr, en = SUPERSEDES[cast("SupersedeReason", closed.reason)]
    day = (closed.closed_at or "")[:10]
    return RefusedError(
        f"this parcel was superseded on {day} by {closed.later} ({en})",
        hint=f"open {closed.later} instead; destroy every copy of this one and confirm it in writing",
        fr=f"ce colis a été remplacé le {day} par {closed.later} ({fr})",
        hint_fr=f"ouvrez {closed.later} à sa place ; détruisez toute copie de celui-ci et confirmez-le par écrit",
    )


def reason_for(kind: str, code: str | None) -> str:
    """``code`` when it is a reason for resending (``resends``) or superseding (``supersedes``).

    Raises:
        UsageError: it is not on the list.
    """
    known = RESENDS if kind == "resends" else SUPERSEDES
    if code is not None and code in known:
        return code
    words = ", ".join(known)
    raise UsageError(
        f"expected a reason, one of {words}",
        hint="--reason CODE",
        fr=f"il faut un motif, parmi : {words}",
        hint_fr="--reason CODE",
    )


def superseded_by(connection: Connection, order: Order) -> dict[str, tuple[str, ...]]:
    """By recipient, the parcels that an order's own will close: the one named, those sent with it, and their resends.

    Those that are closed already are left out. Empty when the order supersedes nothing.

    Raises:
        UsageError: no such parcel, or no reason on the list.
        RefusedError: it is of another exchange or period, or purged.
    """
    if order.supersedes is None:
        return {}
    reason_for("supersedes", order.reason)
    named = delivered_parcel(connection, order.supersedes)
    if (named.convention, named.exchange, named.period) != (order.convention, order.exchange, order.period):
        raise RefusedError(
            "a parcel is superseded by one of the same exchange and period",
            hint=f"it is of {named.convention}/{named.exchange}, {named.period}",
            fr="un colis n'est remplacé que par un colis du même échange, pour la même période",
            hint_fr=f"il est de {named.convention}/{named.exchange}, {named.period}",
        )
    first = _first(connection, named)
    return {
        one.recipient: tuple(
            parcel for parcel in _with_resends(connection, one.id) if links.superseding(connection, parcel) is None
        )
        for one in runs.deliveries(connection, run=first.run, state="delivered")
    }


def insist_open(job: Job, connection: Connection, recipients: Sequence[str]) -> None:
    """Refuse to supersede, for recipients still to be served, what another parcel superseded before.

    Raises:
        RefusedError: the parcels meant for one of them are closed.
    """
    if job.order.supersedes is None:
        return
    named = runs.deliveries(connection, id=job.order.supersedes)[0]
    for one in runs.deliveries(connection, run=_first(connection, named).run, state="delivered"):
        found = links.superseding(connection, one.id)
        if found is not None and one.recipient in recipients and not job.closes[one.recipient]:
            raise superseded(found)


def _first(connection: Connection, parcel: Delivery) -> Delivery:
    """The parcel that ``parcel`` resends, through all resends; itself when it resends none."""
    while found := links.links(connection, later=parcel.id, kind="resends"):
        parcel = runs.deliveries(connection, id=found[0].earlier)[0]
    return parcel


def _with_resends(connection: Connection, parcel: str) -> list[str]:
    found = [parcel]
    while after := links.links(connection, earlier=found[-1], kind="resends"):
        if not runs.deliveries(connection, id=after[0].later, state="delivered"):
            break
        found.append(after[0].later)
    return found


def original(connection: Connection, parcel: Delivery) -> Delivery:
    """The delivery that took the file in whose extract ``parcel`` holds."""
    return _first(connection, parcel)


def resends(order: Order) -> Resends | None:
    """What the manifest of an order's parcel says it sends again."""
    if order.resends is None:
        return None
    return Resends(parcel=order.resends, reason=cast("ResendReason", order.reason))


def supersedes(job: Job, recipient: str) -> Supersedes | None:
    """What the manifest of the parcel for ``recipient`` says it takes the place of."""
    closes = job.closes.get(recipient)
    if not closes:
        return None
    return Supersedes(parcels=closes, reason=cast("SupersedeReason", job.order.reason))


def note(job: Job, connection: Connection, parcel: str, recipient: str) -> None:
    """Note, in the transaction of its intent, what a parcel resends or supersedes."""
    at, reason = job.workspace.now(), job.order.reason or ""
    if job.order.resends is not None:
        links.link(connection, parcel, [job.order.resends], "resends", reason, at=at)
    links.link(connection, parcel, job.closes.get(recipient, ()), "supersedes", reason, at=at)


def close(workspace: Workspace, connection: Connection, later: Delivery) -> None:
    """Close what ``later`` supersedes, in the transaction of its outcome; told in the trail."""
    for one in links.close(connection, later.id, at=workspace.now()):
        body = {
            "parcel": one.earlier,
            "by": later.id,
            "recipient": later.recipient,
            "reason": one.reason,
            "convention": later.convention,
            "exchange": later.exchange,
        }
        workspace.append(connection, "superseded", body)


def finish(workspace: Workspace, convention: str, exchange: str) -> None:
    """Destroy the second locks of the superseded parcels of an exchange, and put a notice beside each; once for each.

    Raises:
        OurWayError: a recipient's folder does not take the notice; it is tried again before the next run.
    """
    with workspace.database.read() as connection:
        waiting = links.untold(connection, convention, exchange)
        deliveries = {one.earlier: runs.deliveries(connection, id=one.earlier)[0] for one in waiting}
    for one in waiting:
        _finish_one(workspace, one, deliveries[one.earlier])


def _finish_one(workspace: Workspace, one: Link, earlier: Delivery) -> None:
    location = release_location(one.earlier)
    with workspace.database.read() as connection:
        keys = holdings.present(connection, location=location)
        ever = any(copy.location == location for copy in holdings.all_of(connection, earlier.convention))
    shred(workspace.path(location))
    text = superseded_notice(_said(workspace, one, earlier, locks=2 if ever else 1))
    _put_notice(workspace, earlier, text)
    with workspace.database.begin() as connection:
        if not links.told(connection, one, at=workspace.now()):
            return
        holdings.destroyed(connection, [copy.id for copy in keys], at=workspace.now())
        body = {
            "parcel": one.earlier,
            "recipient": earlier.recipient,
            "notice_sha256": hashlib.sha256(text).hexdigest(),
            "keys": len(keys),
            "convention": earlier.convention,
            "exchange": earlier.exchange,
        }
        workspace.append(connection, "supersession_told", body)
        workspace.ledger.checkpoint(connection, workspace.now())


def _said(workspace: Workspace, one: Link, earlier: Delivery, *, locks: int) -> Superseded:
    zone = workspace.convention(earlier.convention).zone
    return Superseded(
        earlier=one.earlier,
        later=one.later,
        recipient=earlier.recipient,
        convention=earlier.convention,
        exchange=earlier.exchange,
        period=earlier.period,
        reason=cast("SupersedeReason", one.reason),
        at=datetime.fromisoformat(one.closed_at or "").astimezone(zone),
        locks=locks,
    )


def _put_notice(workspace: Workspace, earlier: Delivery, text: bytes) -> None:
    folder, name = folder_of(workspace, earlier.recipient), notice_name(earlier.id)
    signature = sign(text, workspace.keys.signing_key, NOTICE_NAMESPACE)
    failure: OSError | None = None
    try:
        write_whole(folder / f"{name}{SIGNATURE_SUFFIX}", signature, 0o644)
        write_whole(folder / name, text, 0o644)
    except OSError as error:
        failure = error
    if failure is not None:
        raise not_written(failure)


def insist_linked(job: Job, connection: Connection, made: str) -> None:
    """Refuse to supersede a parcel by one whose content was delivered before: the file is not a corrected one.

    Raises:
        RefusedError: ``made``, which has this content, supersedes nothing.
    """
    if job.order.supersedes is None or links.links(connection, later=made, kind="supersedes"):
        return
    raise RefusedError(
        f"this very content was delivered already, as {made}: it corrects nothing",
        hint="give the corrected file; passerelle parcel resend sends the same extract again",
        fr=f"ce contenu a déjà été remis, c'est le colis {made} : il ne corrige rien",
        hint_fr="donnez le fichier corrigé ; passerelle parcel resend renvoie le même extrait",
    )
