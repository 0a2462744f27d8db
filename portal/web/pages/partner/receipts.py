"""Receipts: the line that a partner signs once its parcel is verified, and the signed receipt that comes back."""

from __future__ import annotations

from starlette.responses import Response

from passerelle.errors import EvidenceError, RefusedError
from passerelle.handover import own
from passerelle.handover.evidence import trust_from
from passerelle.parcel import verify
from passerelle.receipt import NAMESPACE, receipt_of
from passerelle.receipt.form import MAX_RECEIPT_BYTES
from passerelle.receipt.recording import record
from passerelle.store import deliveries
from portal.faults import told
from portal.render import Text
from portal.web.pages.partner.parcels import title_of
from portal.web.pages.partner.reaching import parcel_of, seen, sent_file
from portal.web.visit import Visit
from portal.web.ways import PARTNER, Way

LINES_A_MINUTE = 20


def show(visit: Visit) -> Response:
    """How to sign a receipt, here or with stock tools, and where to hand it in."""
    return _show(visit)


def line(visit: Visit) -> Response:
    """The line to sign: the parcel is verified first, as it lies in its folder.

    Raises:
        RefusedError: its file is not there.
        ParcelError: it does not hold: nothing is to be receipted.
    """
    found = parcel_of(visit)
    seen(visit, found)
    file = own.parcel_file(visit.workspace, found)
    verified = verify(file.path, trust_from(visit.workspace.home / "trust", visit.party))
    headers = {"Content-Disposition": f'attachment; filename="{found.id}.line"'}
    return Response(receipt_of(verified, visit.now).line(), media_type="application/json", headers=headers)


def hand_in(visit: Visit) -> Response:
    """Verify the signed receipt and record it, as the command does."""
    found = parcel_of(visit)
    try:
        record(visit.workspace, sent_file(visit, "signed", MAX_RECEIPT_BYTES), party=visit.party, parcel=found.id)
    except (EvidenceError, RefusedError) as fault:
        return _show(visit, Text(told(fault, "fr"), told(fault, "en")), 400)
    words = Text("Accusé de réception enregistré, et inscrit au registre de preuve.", "Receipt recorded, and entered in the trail.")  # fmt: skip
    return visit.go(visit.href("parcel", delivery=found.id), words)


def recorded(visit: Visit) -> Response:
    """The receipt that was recorded, as it was signed.

    Raises:
        RefusedError: none was given yet.
    """
    found = parcel_of(visit)
    seen(visit, found)
    with visit.workspace.database.read() as connection:
        body = deliveries.receipt_file(connection, found.id, visit.party)
    if body is None:
        raise RefusedError(
            "no receipt of this parcel is recorded", fr="aucun accusé de réception de ce colis n'est enregistré"
        )
    headers = {"Content-Disposition": f'attachment; filename="{found.id}.receipt"'}
    return Response(body, media_type="application/octet-stream", headers=headers)


def _show(visit: Visit, fault: Text | None = None, status: int = 200) -> Response:
    found = parcel_of(visit)
    seen(visit, found)
    with visit.workspace.database.read() as connection:
        fate = own.fates(connection, [found])[found.id]
    return visit.page(
        "partner/receipt.html.jinja", status, found=found, fate=fate, title=title_of(visit, found), fault=fault, namespace=NAMESPACE,
    )  # fmt: skip


WAYS = (
    Way("receipt", "/parcels/{delivery}/receipt", show, PARTNER, logs="deliveries_read"),
    Way("receipt.line", "/parcels/{delivery}/receipt/line", line, PARTNER, logs="deliveries_read", per_minute=LINES_A_MINUTE),
    Way("receipt.file", "/parcels/{delivery}/receipt/file", recorded, PARTNER, logs="deliveries_read"),
    Way("receipt.record", "/parcels/{delivery}/receipt", hand_in, PARTNER, "POST", per_minute=LINES_A_MINUTE),
)  # fmt: skip
