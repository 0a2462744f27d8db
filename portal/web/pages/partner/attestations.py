"""What a partner is asked to attest: that it destroyed what it was delivered; signed by its key, recorded as it was signed."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from passerelle.errors import EvidenceError, RefusedError
from passerelle.receipt.attestation import MAX_BYTES, NAMESPACE, Request, attest, read_request
from passerelle.store import attestations as store
from passerelle.store.attestations import RequestRow
from portal.context import date_value
from portal.faults import told
from portal.render import Text
from portal.web.listing import Column, Listing
from portal.web.pages.partner.reaching import sent_file
from portal.web.visit import AbsentError, Visit
from portal.web.ways import PARTNER, Way
from portal.words import ATTESTATION_STATES, said
from retention.asking import request_name, signed_request
from retention.attestations import Standing, standing
from retention.attesting import record

TRIES_A_MINUTE = 20
TONES = {"received": "good", "escalated": "bad"}
CAUSES = {
    "purge": Text("fin de la convention", "end of the convention"),
    "superseded": Text("colis remplacés", "parcels superseded"),
    "asked": Text("demande du DPO", "request of the DPO"),
}
COLUMNS = (
    Column("request", Text("demande", "request"), "code"),
    Column("convention", Text("convention", "convention")),
    Column("cause", Text("motif", "reason"), "words"),
    Column("asked_at", Text("demandé le", "asked on"), "moment"),
    Column("due", Text("à attester d'ici au", "attest by"), "day"),
    Column("parcels", Text("colis", "parcels"), "number"),
    Column("attested", Text("attestés", "attested"), "number"),
    Column("state", Text("état", "state"), "words"),
)


def every(visit: Visit) -> Response:
    """The requests made to the visitor's party."""
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "attestations_read", "attestations", partner=visit.party)
    with visit.workspace.database.read() as connection:
        found = standing(visit.workspace, connection, party=visit.party)
    return visit.listing(
        Listing(
            Text("Attestations de destruction", "Attestations of destruction"),
            Text(
                "Ce que l'on vous demande d'attester, et jusqu'à quand.",
                "What you are asked to attest, and until when.",
            ),
            COLUMNS,
            [_row(visit, one) for one in reversed(found)],
            Text(
                "Aucune demande. Vous en recevrez une quand des données qui vous ont été remises devront être détruites.",
                "No request. One will come when data that you were delivered must be destroyed.",
            ),
        )
    )


def _row(visit: Visit, one: Standing) -> dict[str, Any]:
    late = Text("en retard", "overdue")
    return {
        "request": one.request, "request_href": visit.href("asked.one", asked=one.request), "convention": one.convention,
        "cause": said(CAUSES, one.cause), "asked_at": one.asked_at, "due": one.due, "parcels": one.parcels, "attested": one.attested,
        "state": late if one.overdue else said(ATTESTATION_STATES, one.state),
        "state_tone": "bad" if one.overdue else TONES.get(one.state, "warn"),
    }  # fmt: skip


def show(visit: Visit) -> Response:
    """One request: which parcels, why, and how to attest."""
    return _show(visit)


def signed(visit: Visit) -> Response:
    """The request as the gateway signed it."""
    row = _asked(visit)
    _seen(visit, row)
    headers = {"Content-Disposition": f'attachment; filename="{request_name(row.id)}"'}
    return Response(signed_request(visit.workspace, row), media_type="application/octet-stream", headers=headers)


def line(visit: Visit) -> Response:
    """The line to sign, of the parcels that were destroyed by the day that is given.

    Raises:
        UsageError: the day is none, or nothing would be attested.
    """
    row = _asked(visit)
    _seen(visit, row)
    chosen = visit.asked("destroyed_on")
    day = date_value(chosen, "destroyed_on") if chosen else None
    kept = visit.request.query_params.getlist("kept")
    said_ = attest(read_request(row.line), visit.now, kept=kept, destroyed_on=day)
    headers = {"Content-Disposition": f'attachment; filename="{row.id}.line"'}
    return Response(said_.line(), media_type="application/json", headers=headers)


def hand_in(visit: Visit) -> Response:
    """Verify the signed attestation and record it, as the command does."""
    _asked(visit)
    try:
        found = record(visit.workspace, sent_file(visit, "signed", MAX_BYTES), party=visit.party)
    except (EvidenceError, RefusedError) as fault:
        return _show(visit, Text(told(fault, "fr"), told(fault, "en")), 400)
    words = (
        Text(f"Attestation partielle enregistrée ; colis restants : {len(found.missing)}.", f"Partial attestation recorded; parcels left: {len(found.missing)}.")
        if found.missing
        else Text("Attestation enregistrée : tout est attesté.", "Attestation recorded: everything is attested.")
    )  # fmt: skip
    return visit.go(visit.href("asked"), words)


def _show(visit: Visit, fault: Text | None = None, status: int = 200) -> Response:
    row = _asked(visit)
    _seen(visit, row)
    with visit.workspace.database.read() as connection:
        (found,) = [one for one in standing(visit.workspace, connection, id=row.id) if one.party == visit.party]
    request: Request = read_request(row.line)
    return visit.page(
        "partner/attestation.html.jinja", status, found=found, request=request, cause=said(CAUSES, found.cause), fault=fault,
        namespace=NAMESPACE, today=visit.now.date(),
    )  # fmt: skip


def _asked(visit: Visit) -> RequestRow:
    with visit.workspace.database.read() as connection:
        found = store.requests(connection, id=visit.part("asked"), party=visit.party)
    if not found:
        raise AbsentError
    return found[0]


def _seen(visit: Visit, row: RequestRow) -> None:
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "attestations_read", row.id, partner=visit.party, convention=row.convention)


WAYS = (
    Way("asked", "/attestations", every, PARTNER, logs="attestations_read", navigates=("Attestations", "Attestations")),
    Way("asked.one", "/attestations/{asked}", show, PARTNER, logs="attestations_read"),
    Way("asked.request", "/attestations/{asked}/request", signed, PARTNER, logs="attestations_read"),
    Way("asked.line", "/attestations/{asked}/line", line, PARTNER, logs="attestations_read"),
    Way("asked.record", "/attestations/{asked}", hand_in, PARTNER, "POST", per_minute=TRIES_A_MINUTE),
)  # fmt: skip
